//! Where a call stands. The words of the wire are made and read here only.

use serde::{Deserialize, Serialize};

/// A call's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Accepted, and waiting for the account's pace.
    Queued,
    /// Dialled. Twilio says this word in callbacks only; REST says `ringing`.
    Initiated,
    /// The other telephone rings.
    Ringing,
    /// Picked up.
    InProgress,
    /// Over after having been picked up.
    Completed,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// The network could not place the call.
    Failed,
    /// Taken back before anybody picked up.
    Canceled,
}

impl Status {
    /// Whether the call is over.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Busy | Status::NoAnswer | Status::Failed | Status::Canceled)
    }

    /// Dialled and not over: it takes up a line.
    pub fn is_live(self) -> bool {
        matches!(self, Status::Initiated | Status::Ringing | Status::InProgress)
    }

    /// The word in callbacks.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Initiated => "initiated",
            Status::Ringing => "ringing",
            Status::InProgress => "in-progress",
            Status::Completed => "completed",
            Status::Busy => "busy",
            Status::NoAnswer => "no-answer",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
        }
    }

    /// The word in REST answers, which do not know `initiated`.
    pub fn in_rest(self) -> &'static str {
        match self {
            Status::Initiated => Status::Ringing.as_str(),
            other => other.as_str(),
        }
    }

    /// What a client subscribes to in order to hear of this status.
    pub(crate) fn event(self) -> Option<Subscription> {
        match self {
            Status::Queued => None,
            Status::Initiated => Some(Subscription::Initiated),
            Status::Ringing => Some(Subscription::Ringing),
            Status::InProgress => Some(Subscription::Answered),
            _ => Some(Subscription::Completed),
        }
    }
}

/// A value of `StatusCallbackEvent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscription {
    Initiated,
    Ringing,
    Answered,
    Completed,
}

impl Subscription {
    pub(crate) fn parse(word: &str) -> Option<Subscription> {
        Some(match word {
            "initiated" => Subscription::Initiated,
            "ringing" => Subscription::Ringing,
            "answered" => Subscription::Answered,
            "completed" => Subscription::Completed,
            _ => return None,
        })
    }
}
