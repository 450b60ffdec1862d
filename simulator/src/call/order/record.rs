//! A recording, as ordered.

use super::Fetch;

/// What is recorded, and who is told.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) channels: Channels,
    pub(crate) track: Track,
    pub(crate) trim: Trim,
    pub(crate) callback: Option<Fetch>,
    /// What `callback` is told of.
    pub(crate) events: Vec<RecordingEvent>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Both sides in one.
    #[default]
    Mono,
    /// A channel for each side.
    Dual,
}

impl Channels {
    pub(crate) fn parse(word: &str) -> Option<Channels> {
        match word {
            "mono" => Some(Channels::Mono),
            "dual" => Some(Channels::Dual),
            _ => None,
        }
    }

    /// As resources and callbacks count them.
    pub(crate) fn count(self) -> u32 {
        match self {
            Channels::Mono => 1,
            Channels::Dual => 2,
        }
    }
}

/// Which side is heard, as seen from Twilio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Track {
    /// What the callee says.
    Inbound,
    /// What is said to the callee.
    Outbound,
    #[default]
    Both,
}

impl Track {
    pub(crate) fn parse(word: &str) -> Option<Track> {
        match word {
            "inbound" => Some(Track::Inbound),
            "outbound" => Some(Track::Outbound),
            "both" => Some(Track::Both),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Track::Inbound => "inbound",
            Track::Outbound => "outbound",
            Track::Both => "both",
        }
    }
}

/// Whether silence at both ends is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trim {
    Silence,
    Nothing,
}

impl Trim {
    pub(crate) fn parse(word: &str) -> Option<Trim> {
        match word {
            "trim-silence" => Some(Trim::Silence),
            "do-not-trim" => Some(Trim::Nothing),
            _ => None,
        }
    }
}

/// A value of `RecordingStatusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingEvent {
    InProgress,
    Completed,
    Absent,
}

impl RecordingEvent {
    pub(crate) fn parse(word: &str) -> Option<RecordingEvent> {
        match word {
            "in-progress" => Some(RecordingEvent::InProgress),
            "completed" => Some(RecordingEvent::Completed),
            "absent" => Some(RecordingEvent::Absent),
            _ => None,
        }
    }
}
