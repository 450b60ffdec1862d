//! A recording, as a form orders it.

use super::super::error::Refusal;
use super::super::form::Form;
use super::{fetch, word};
use crate::recording::{Channels, Origin, Plan, Subscription, Track};

/// The recording in `form`. Twilio trims one that came with the call, and no other, unless the form says so.
pub(in crate::rest) fn record(form: &Form, origin: Origin) -> Result<Plan, Refusal> {
    Ok(Plan {
        origin,
        channels: word(form, "RecordingChannels", Channels::parse, Channels::default())?,
        track: word(form, "RecordingTrack", Track::parse, Track::default())?,
        trims: word(form, "Trim", trims, origin == Origin::OutboundApi)?,
        callback: fetch(form, "RecordingStatusCallback", "RecordingStatusCallbackMethod")?,
        events: events(form)?,
    })
}

fn trims(word: &str) -> Option<bool> {
    match word {
        "trim-silence" => Some(true),
        "do-not-trim" => Some(false),
        _ => None,
    }
}

/// Several keys or one value with spaces: Twilio documents the one, and its libraries send the other.
fn events(form: &Form) -> Result<Vec<Subscription>, Refusal> {
    let words = form.all("RecordingStatusCallbackEvent").flat_map(str::split_whitespace);
    let events: Result<Vec<Subscription>, Refusal> = words
        .map(|word| {
            let invalid = || Refusal::bad(20001, format!("Invalid RecordingStatusCallbackEvent: {word}"));
            Subscription::parse(word).ok_or_else(invalid)
        })
        .collect();
    let events = events?;
    Ok(if events.is_empty() { vec![Subscription::Completed] } else { events })
}
