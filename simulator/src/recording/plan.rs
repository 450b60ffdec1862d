//! What is recorded of a call, and who is told.

use crate::call::Fetch;

/// How a recording is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) origin: Origin,
    pub(crate) channels: Channels,
    pub(crate) track: Track,
    /// Silence at both ends is cut off when it ends.
    pub(crate) trims: bool,
    pub(crate) callback: Option<Fetch>,
    /// What the callback is told of.
    pub(crate) events: Vec<Subscription>,
}

/// What asked for a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `Record=true` of a created call.
    OutboundApi,
    /// A request to the call's `Recordings.json`.
    StartCallRecordingApi,
    RecordVerb,
    DialVerb,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Origin::OutboundApi => "OutboundAPI",
            Origin::StartCallRecordingApi => "StartCallRecordingAPI",
            Origin::RecordVerb => "RecordVerb",
            Origin::DialVerb => "DialVerb",
        }
    }
}

/// One channel with all recorded tracks mixed, or two: inbound first, then outbound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Channels {
    #[default]
    Mono,
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

    pub(crate) fn count(self) -> u16 {
        match self {
            Channels::Mono => 1,
            Channels::Dual => 2,
        }
    }
}

/// Which direction is recorded: inbound is what the callee says, outbound what is played to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Track {
    Inbound,
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

/// What a pause leaves in the recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PauseBehavior {
    #[default]
    Silence,
    Skip,
}

impl PauseBehavior {
    pub(crate) fn parse(word: &str) -> Option<PauseBehavior> {
        match word {
            "silence" => Some(PauseBehavior::Silence),
            "skip" => Some(PauseBehavior::Skip),
            _ => None,
        }
    }
}

/// A value of `RecordingStatusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscription {
    InProgress,
    Completed,
    Absent,
}

impl Subscription {
    pub(crate) fn parse(word: &str) -> Option<Subscription> {
        match word {
            "in-progress" => Some(Subscription::InProgress),
            "completed" => Some(Subscription::Completed),
            "absent" => Some(Subscription::Absent),
            _ => None,
        }
    }
}
