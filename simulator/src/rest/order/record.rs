//! A recording, as a form orders it.

use super::super::error::Refusal;
use super::super::form::Form;
use super::{fetch, word};
use crate::call::{Channels, Record, RecordingEvent, Track, Trim};

/// The recording in `form`; `trim` if it does not say.
pub(in crate::rest) fn record(form: &Form, trim: Trim) -> Result<Record, Refusal> {
    Ok(Record {
        channels: word(form, "RecordingChannels", Channels::parse, Channels::default())?,
        track: word(form, "RecordingTrack", Track::parse, Track::default())?,
        trim: word(form, "Trim", Trim::parse, trim)?,
        callback: fetch(form, "RecordingStatusCallback", "RecordingStatusCallbackMethod")?,
        events: events(form)?,
    })
}

/// Several keys or one value with spaces: Twilio documents the one, and its libraries send the other.
fn events(form: &Form) -> Result<Vec<RecordingEvent>, Refusal> {
    let words = form.all("RecordingStatusCallbackEvent").flat_map(str::split_whitespace);
    let events: Result<Vec<RecordingEvent>, Refusal> = words
        .map(|word| {
            let invalid = || Refusal::bad(20001, format!("Invalid RecordingStatusCallbackEvent: {word}"));
            RecordingEvent::parse(word).ok_or_else(invalid)
        })
        .collect();
    let events = events?;
    Ok(if events.is_empty() { vec![RecordingEvent::Completed] } else { events })
}
