//! The numbers by which a job moves: from its campaign's policy and the operator's settings.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::spend::{Amount, Reserve};
use crate::window::Hours;

/// What [`crate::job::CallJob::step`] needs to know beside the job itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How often a gym is tried, all misses counted.
    pub max_attempts: u32,
    /// How long after a busy line or no answer it is tried again.
    pub redial_after: SignedDuration,
    /// How long after the stored intent a request to Twilio may still be in flight.
    pub dial_deadline: SignedDuration,
    /// When an unclear call is looked up, counted from its request; after the last it is quarantined.
    pub look_up_waits: Vec<SignedDuration>,
    /// How long a call may ring (Twilio's `Timeout`).
    pub ring_timeout: SignedDuration,
    /// How long a call may last (Twilio's `TimeLimit`).
    pub time_limit: SignedDuration,
    /// How long Twilio may hold a call in its own queue before it is taken back.
    pub queued_limit: SignedDuration,
    /// When Twilio is asked what a call cost, counted from its end; after the last nobody asks again.
    pub price_waits: Vec<SignedDuration>,
    /// What a begun minute of a call costs; none where nobody has said. Then nothing is set aside for calls.
    pub price_per_minute: Option<Amount>,
    /// The hours that are kept; none for jobs that may be dialled at any time.
    pub hours: Option<Hours>,
    /// How long the message takes that a voicemail is left, more rather than less. None: machines are hung up on.
    pub message: Option<SignedDuration>,
    /// Whether calls are recorded, and announce it.
    pub recording: Recording,
}

impl Default for Rules {
    fn default() -> Self {
        let minutes = SignedDuration::from_mins;
        Self {
            max_attempts: 3,
            redial_after: minutes(60),
            dial_deadline: SignedDuration::from_secs(10),
            look_up_waits: vec![minutes(1), minutes(2), minutes(10), minutes(60)],
            ring_timeout: SignedDuration::from_secs(30),
            time_limit: minutes(5),
            queued_limit: minutes(1),
            price_waits: vec![minutes(1), minutes(10), minutes(60), minutes(6 * 60), minutes(24 * 60)],
            price_per_minute: None,
            hours: None,
            message: None,
            recording: Recording::Off,
        }
    }
}

impl Rules {
    /// The longest a call can hold its line, from the stored intent on.
    pub fn line_limit(&self) -> SignedDuration {
        self.ring_timeout + self.time_limit + SignedDuration::from_secs(60)
    }

    /// What is set aside for one call: it may be as long as a call may be.
    pub fn reserve(&self) -> Option<Reserve> {
        let minutes = u32::try_from(self.time_limit.as_secs().saturating_add(59) / 60).unwrap_or(u32::MAX);
        self.price_per_minute.map(|per_minute| Reserve { per_minute, minutes })
    }

    /// These rules as a campaign's policy narrows them.
    pub fn for_policy(&self, policy: &Policy) -> Rules {
        Rules {
            max_attempts: policy.max_attempts,
            // A checked policy is at most some years long: this fits easily.
            redial_after: SignedDuration::from_millis((policy.redial_after_minutes * 60_000.0) as i64),
            hours: policy.window.clone(),
            message: policy.message().map(saying),
            recording: policy.recording.unwrap_or(self.recording),
            ..self.clone()
        }
    }

    /// These rules for a single call, which is tried once.
    pub fn for_single_call(&self) -> Rules {
        Rules { max_attempts: 1, ..self.clone() }
    }
}

/// What a campaign asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The hours that it calls in, on each gym's own clock. None means at any time, which nobody gets by leaving them
    /// out: see [`Policy::with_usual_hours`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Hours>,
    /// How often a gym is tried: 1 to 20.
    pub max_attempts: u32,
    /// Minutes between tries, 0 or more; fractions are allowed.
    pub redial_after_minutes: f64,
    /// Calls begun per second in this campaign; none means the account's pace alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<f64>,
    /// Calls at once in this campaign; none means the account's lines alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_calls: Option<u32>,
    /// Calls begun on one day, of the schedule's time zone if there is one, else of UTC. At least 1; none means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_calls_per_day: Option<u32>,
    /// What the calls of one run may cost together, in the account's currency; none means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_cap: Option<Amount>,
    /// What becomes of a call that a machine answers.
    #[serde(skip_serializing_if = "Voicemail::is_usual")]
    pub voicemail: Voicemail,
    /// What a machine is told after its beep. `{{column}}` stands for that column of the gym's row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail_message: Option<String>,
    /// Whether its calls are recorded; none means as the operator has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recording>,
}

/// Whether Twilio records a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// It does not, and the agent says so.
    #[default]
    Off,
    /// It does, and the agent says so first, wherever the gym is: in many places all who speak must know.
    AnnounceAlways,
}

impl std::str::FromStr for Recording {
    type Err = UnknownRecording;

    fn from_str(word: &str) -> Result<Self, UnknownRecording> {
        match word {
            "off" => Ok(Recording::Off),
            "announce_always" => Ok(Recording::AnnounceAlways),
            _ => Err(UnknownRecording),
        }
    }
}

/// It is no word for whether calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("off or announce_always")]
pub struct UnknownRecording;

/// What becomes of a call that a machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Voicemail {
    /// It is ended at once.
    #[default]
    HangUp,
    /// It is given the policy's message after the beep.
    LeaveMessage,
}

impl Voicemail {
    // serde hands `skip_serializing_if` a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_usual(&self) -> bool {
        *self == Voicemail::HangUp
    }
}

impl Policy {
    /// The message for a machine, where one is left.
    pub fn message(&self) -> Option<&str> {
        match self.voicemail {
            Voicemail::HangUp => None,
            Voicemail::LeaveMessage => self.voicemail_message.as_deref(),
        }
    }

    /// The same with the usual hours, 09:00 to 20:00 on every day, where it names none. Whoever writes a policy down for
    /// people calls this: hours that were forgotten must not become calls at night.
    #[must_use]
    pub fn with_usual_hours(self) -> Self {
        Self { window: Some(self.window.unwrap_or_default()), ..self }
    }
}

/// How long a template takes to say: some ten letters a second, and as much again for what its columns hold.
fn saying(template: &str) -> SignedDuration {
    let letters = i64::try_from(template.chars().count()).unwrap_or(i64::MAX).min(10_000);
    SignedDuration::from_secs(10 + letters / 5)
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window: None,
            max_attempts: 3,
            redial_after_minutes: 60.0,
            calls_per_second: None,
            max_concurrent_calls: None,
            max_calls_per_day: None,
            spend_cap: None,
            voicemail: Voicemail::HangUp,
            voicemail_message: None,
            recording: None,
        }
    }
}
