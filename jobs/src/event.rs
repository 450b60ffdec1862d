//! What can happen to a job.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::attempt::CallStatus;
use crate::id::{CallSid, Tag};
use crate::outcome::{AnsweredBy, Report};
use crate::turn::SpokenTurn;

/// News for one job. What carries a tag concerns the attempt with that tag and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The store let this dial begin: the request to Twilio follows.
    DialBegun {
        /// The fresh secret of the request.
        tag: Tag,
    },
    /// Twilio answered with a call.
    Created {
        /// The request's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
    },
    /// It is certain that the request created nothing.
    NotCreated {
        /// The request's secret.
        tag: Tag,
        /// What this means for the job.
        why: NonCreation,
        /// In words for a person.
        detail: String,
    },
    /// The request may or may not have created a call.
    Unclear {
        /// The request's secret.
        tag: Tag,
        /// In words for a person.
        detail: String,
    },
    /// The process that held the request is gone.
    DialerDied,
    /// Twilio said how a call stands: by callback, or because we asked.
    CallNews {
        /// The secret from the callback's URL; none when we asked by SID.
        tag: Option<Tag>,
        /// Twilio's call.
        call: CallSid,
        /// How it stands.
        status: CallStatus,
        /// When that was, by Twilio's clock.
        at: Option<Timestamp>,
        /// Its length in seconds.
        duration_s: Option<u32>,
        /// What it cost, as decimal text.
        price: Option<String>,
        /// Who answered.
        answered_by: Option<AnsweredBy>,
    },
    /// Twilio asked what to do with the answered call.
    VoiceRequested {
        /// The secret from the URL.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
    },
    /// The call's audio reached us.
    StreamOpened {
        /// The secret from the stream's parameters.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// Twilio's name of the stream.
        #[serde(default)]
        stream: String,
    },
    /// Twilio was told what to say first: it speaks and hears this call itself, turn by turn.
    SpeechBegun {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// How long the first line takes to say, in ms; more rather than less.
        #[serde(default)]
        line_ms: u64,
    },
    /// Twilio heard a turn of the other side.
    TurnHeard {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// Which turn of the call, from 0. Each is heard once.
        turn: usize,
        /// What was heard.
        heard: SpokenTurn,
        /// How long the line that answers it takes to say, in ms; more rather than less.
        #[serde(default)]
        line_ms: u64,
    },
    /// Twilio listened beside the call and says who answered.
    Detected {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// Who answered.
        answered_by: AnsweredBy,
        /// How long it listened, in ms.
        #[serde(default)]
        after_ms: Option<u64>,
    },
    /// An answer was heard and understood.
    AnswerHeard {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// The answer.
        answer: Answer,
    },
    /// The gym asked not to be called again.
    DoNotCallHeard {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// In these words.
        quote: String,
    },
    /// The conversation is over.
    Reported {
        /// The attempt's secret.
        tag: Tag,
        /// Twilio's call.
        call: CallSid,
        /// How it went.
        report: Report,
    },
    /// A look-up found no call for the request.
    NotFound {
        /// The request's secret.
        tag: Tag,
        /// What was searched, in words for a person.
        detail: String,
    },
    /// A person took the job back.
    Cancel,
    /// The number may not be called any more.
    Suppressed,
    /// The dial was refused because the gym's hours are over.
    WindowClosed,
    /// A newer run of its campaign has taken over.
    Superseded,
    /// The hours of the job's campaign are others than those it waits by.
    HoursChanged,
    /// The number was refused at the dial because another attempt at it is open, and waiting makes no sense.
    Overtaken,
    /// A person says what became of a quarantined call.
    Resolved {
        /// What they found out.
        fate: Fate,
    },
    /// Time has passed: the job's deadline is here.
    Tick,
}

/// Why a request certainly created nothing, by what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonCreation {
    /// Try the same attempt again soon: Twilio throttled, or was not reached at all.
    TryAgain,
    /// The number cannot be called.
    BadNumber,
    /// Nothing can be called until the account or the settings are mended.
    BadAccount,
}

/// What a person found out about an unclear call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The gym was called.
    Called,
    /// It was not.
    NotCalled,
}

impl Event {
    /// The event's name, as in the log and the HTTP interface.
    pub fn name(&self) -> &'static str {
        match self {
            Event::DialBegun { .. } => "dial_begun",
            Event::Created { .. } => "created",
            Event::NotCreated { .. } => "not_created",
            Event::Unclear { .. } => "unclear",
            Event::DialerDied => "dialer_died",
            Event::CallNews { .. } => "call_news",
            Event::VoiceRequested { .. } => "voice_requested",
            Event::StreamOpened { .. } => "stream_opened",
            Event::SpeechBegun { .. } => "speech_begun",
            Event::TurnHeard { .. } => "turn_heard",
            Event::Detected { .. } => "detected",
            Event::AnswerHeard { .. } => "answer_heard",
            Event::DoNotCallHeard { .. } => "do_not_call_heard",
            Event::Reported { .. } => "reported",
            Event::NotFound { .. } => "not_found",
            Event::Cancel => "cancel",
            Event::Suppressed => "suppressed",
            Event::WindowClosed => "window_closed",
            Event::Superseded => "superseded",
            Event::HoursChanged => "hours_changed",
            Event::Overtaken => "overtaken",
            Event::Resolved { .. } => "resolved",
            Event::Tick => "tick",
        }
    }

    /// The secret and the call that the event claims, where it claims any.
    pub fn claim(&self) -> Option<(&Tag, &CallSid)> {
        match self {
            Event::Created { tag, call }
            | Event::CallNews { tag: Some(tag), call, .. }
            | Event::VoiceRequested { tag, call }
            | Event::StreamOpened { tag, call, .. }
            | Event::SpeechBegun { tag, call, .. }
            | Event::TurnHeard { tag, call, .. }
            | Event::Detected { tag, call, .. }
            | Event::AnswerHeard { tag, call, .. }
            | Event::DoNotCallHeard { tag, call, .. }
            | Event::Reported { tag, call, .. } => Some((tag, call)),
            _ => None,
        }
    }

    /// The event's details for the log: everything but the secret.
    pub fn detail(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("event");
            fields.remove("tag");
            fields.retain(|_, field| !field.is_null());
        }
        value
    }
}
