//! One try at a gym's phone, and Twilio's words for how it stands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{CallSid, Tag};
use crate::outcome::{AnsweredBy, words};
use crate::spend::Reserve;
use crate::turn::SpokenTurn;

words!(
    /// The state of a call, in Twilio's words. `initiated` occurs in callbacks only.
    CallStatus {
        /// Twilio has it and has not dialled it yet.
        Queued = "queued",
        /// Twilio is dialling.
        Initiated = "initiated",
        /// It rings at the gym.
        Ringing = "ringing",
        /// Somebody, or something, picked up.
        InProgress = "in-progress",
        /// It was answered and is over.
        Completed = "completed",
        /// The line was busy.
        Busy = "busy",
        /// Nobody picked up.
        NoAnswer = "no-answer",
        /// It was taken back before it was answered.
        Canceled = "canceled",
        /// It could not be put through.
        Failed = "failed",
    }
);

/// Twilio used a word for a status that we do not know.
///
/// Log it and answer 2xx: another answer makes Twilio send the same word again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a call status")]
pub struct UnknownStatus {
    /// The word.
    pub word: String,
}

impl std::str::FromStr for CallStatus {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, UnknownStatus> {
        let known = CallStatus::ALL.iter().copied().find(|status| status.as_str() == word);
        known.ok_or_else(|| UnknownStatus { word: word.to_owned() })
    }
}

impl CallStatus {
    /// Whether the call is over: such a status never changes again.
    pub const fn is_terminal(self) -> bool {
        self.rank() == 4
    }

    /// News of a lower or equal rank is old news, whatever order it arrives in.
    pub const fn rank(self) -> u8 {
        match self {
            CallStatus::Queued => 0,
            CallStatus::Initiated => 1,
            CallStatus::Ringing => 2,
            CallStatus::InProgress => 3,
            CallStatus::Completed
            | CallStatus::Busy
            | CallStatus::NoAnswer
            | CallStatus::Canceled
            | CallStatus::Failed => 4,
        }
    }
}

/// One try at a gym's phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// The secret of the request that is, or was last, made for it.
    pub tag: Tag,
    /// Secrets of earlier requests for this attempt, each known to have created nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent_tags: Vec<Tag>,
    /// When the intent to dial was stored.
    pub begun_at: Timestamp,
    /// Twilio's name for the call, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallSid>,
    /// Twilio's last word on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CallStatus>,
    /// Twilio's name of the stream that carries its sound. There is one: the first that was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Whether Twilio itself speaks and hears it, turn by turn. Then no stream carries its sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spoken: bool,
    /// What was heard in a call that is spoken, in order: the state of its conversation follows from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<SpokenTurn>,
    /// When our last line has been said, at the latest, in a call that is spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks_until: Option<Timestamp>,
    /// Whether Twilio was asked to record it: decided with the intent, so that what is announced is what happens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// Whether a machine's beep was given a message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// When it was picked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its length in seconds, from Twilio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u32>,
    /// What was set aside for it when it was dialled, where a minute's price is known; none once it is certain that it
    /// made no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Reserve>,
    /// What it cost, as decimal text in `price_unit`, from Twilio; it appears some time after the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// Who answered, as Twilio's detection heard it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
    /// Whether it counts against the tries a gym is given.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub counts: bool,
    /// Further calls that claimed this attempt. Each was hung up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<CallSid>,
    /// Why it was not created, or why its fate is unclear, in words for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

const fn yes() -> bool {
    true
}

// serde hands `skip_serializing_if` a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_yes(counts: &bool) -> bool {
    *counts
}

impl Attempt {
    /// A new attempt whose request is about to be made.
    pub(crate) fn begin(number: u32, tag: Tag, now: Timestamp) -> Self {
        Self {
            number,
            tag,
            spent_tags: Vec::new(),
            begun_at: now,
            call: None,
            status: None,
            stream: None,
            spoken: false,
            turns: Vec::new(),
            speaks_until: None,
            recorded: false,
            message: false,
            started_at: None,
            ended_at: None,
            duration_s: None,
            reserve: None,
            price: None,
            answered_by: None,
            counts: true,
            conflicts: Vec::new(),
            trouble: None,
        }
    }

    /// What it cost, as decimal text in Twilio's currency; above zero, as people write it.
    pub fn cost(&self) -> Option<&str> {
        self.price.as_deref().map(|price| price.trim_start_matches('-'))
    }

    /// Whether somebody, or something, picked up.
    pub fn was_picked_up(&self) -> bool {
        self.started_at.is_some() || self.status == Some(CallStatus::Completed)
    }

    /// Whether it is over and was picked up, so that it has a price, and that is not known yet.
    pub(crate) fn awaits_price(&self) -> bool {
        self.call.is_some() && self.ended_at.is_some() && self.was_picked_up() && self.price.is_none()
    }

    /// Whether a request for this attempt carried the tag.
    pub(crate) fn knows(&self, tag: &Tag) -> bool {
        self.tag == *tag || self.spent_tags.contains(tag)
    }

    /// Whether a request made for this attempt was answered with a certain "not created".
    pub(crate) fn may_ask_again(&self) -> bool {
        self.call.is_none() && self.status.is_none() && self.ended_at.is_none()
    }
}
