//! What `<Record>` and `<Dial record>` say of their recordings.

use super::Link;
use super::reading::Reading;
use crate::recording::Subscription;

/// How a call between two is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// From the first ring on, and not only from the answer.
    pub(crate) from_ringing: bool,
    /// Each side has a channel of its own.
    pub(crate) dual: bool,
    pub(crate) news: News,
}

/// Where a recording tells of itself, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) trims: bool,
    pub(crate) callback: Option<Link>,
    pub(crate) events: Vec<Subscription>,
}

pub(super) fn news(reading: &mut Reading<'_>, trims: bool) -> News {
    let trim = |text: &str| match text {
        "trim-silence" => Some(true),
        "do-not-trim" => Some(false),
        _ => None,
    };
    let events = |text: &str| text.split_whitespace().map(Subscription::parse).collect::<Option<Vec<_>>>();
    News {
        trims: reading.parsed("trim", 13699, trim).unwrap_or(trims),
        callback: reading.link("recordingStatusCallback", "recordingStatusCallbackMethod", 13610),
        events: reading
            .parsed("recordingStatusCallbackEvent", 13621, events)
            .unwrap_or_else(|| vec![Subscription::Completed]),
    }
}

/// The recording of a `<Dial>`, if it wants one.
pub(super) fn recorded(reading: &mut Reading<'_>) -> Option<Recorded> {
    reading.without_effect(&["recordingTrack"]);
    let news = news(reading, false);
    let wanted = |from_ringing, dual| Some(Some((from_ringing, dual)));
    let (from_ringing, dual) = reading
        .parsed("record", 13217, |text| match text {
            "false" | "do-not-record" => Some(None),
            "true" | "record-from-answer" => wanted(false, false),
            "record-from-ringing" => wanted(true, false),
            "record-from-answer-dual" => wanted(false, true),
            "record-from-ringing-dual" => wanted(true, true),
            _ => None,
        })
        .flatten()?;
    Some(Recorded { from_ringing, dual, news })
}
