//! What Twilio tells us over HTTP while a call lives.
//!
//! These read forms whose signature was verified already. What Twilio always sends is
//! required; whatever else is missing, or not as documented, is left out rather than
//! refused: news of a call's end must not be lost over a duration that we cannot read.

mod urls;

use gymcall_jobs::id::{CallSid, IdError};
use gymcall_jobs::outcome::AnsweredBy;
use jiff::Timestamp;

use super::time;
pub use gymcall_jobs::attempt::{CallStatus, UnknownStatus};
pub use urls::{
    AMD_PATH, CallbackQuery, CallbackQueryError, CallbackUrls, GATHER_PATH, STATUS_PATH, STREAM_PATH, VOICE_PATH,
    turn_of,
};

/// A signed form that we cannot use. Log it and answer 2xx: Twilio would send the same again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// A parameter that Twilio always sends is not there.
    #[error("the callback has no {0}")]
    Missing(&'static str),
    /// `CallSid` is not one.
    #[error("the callback's CallSid: {0}")]
    CallSid(#[from] IdError),
    /// `CallStatus` is a word we do not know.
    #[error("the callback's CallStatus: {0}")]
    Status(#[from] UnknownStatus),
}

/// A status callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusNews {
    /// The call.
    pub call: CallSid,
    /// How far it is.
    pub status: CallStatus,
    /// Twilio's count of this call's events, from 0. They are sent in order and arrive in any.
    pub sequence: Option<u32>,
    /// When it happened, by Twilio's clock.
    pub timestamp: Option<Timestamp>,
    /// Seconds of the call, once it is over (`CallDuration`).
    pub duration_s: Option<u32>,
    /// Who answered, if machine detection ran.
    pub answered_by: Option<AnsweredBy>,
}

impl StatusNews {
    /// Reads a decoded form.
    pub fn from_form(params: &[(String, String)]) -> Result<Self, CallbackError> {
        let word = field(params, "CallStatus").ok_or(CallbackError::Missing("CallStatus"))?;
        Ok(Self {
            call: call(params)?,
            status: word.parse()?,
            sequence: number(params, "SequenceNumber"),
            timestamp: field(params, "Timestamp").and_then(time::rfc2822),
            duration_s: number(params, "CallDuration"),
            answered_by: field(params, "AnsweredBy").map(answered_by),
        })
    }
}

/// Twilio asks what to do: the gym picked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceRequest {
    /// The call.
    pub call: CallSid,
}

impl VoiceRequest {
    /// Reads a decoded form.
    pub fn from_form(params: &[(String, String)]) -> Result<Self, CallbackError> {
        Ok(Self { call: call(params)? })
    }
}

/// Twilio has heard a turn, or has waited for one in vain.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechNews {
    /// The call.
    pub call: CallSid,
    /// The words; empty if there were none.
    pub text: String,
    /// How sure Twilio is of them, 0 to 1, where it says so.
    pub confidence: Option<f64>,
}

impl SpeechNews {
    /// Reads a decoded form.
    pub fn from_form(params: &[(String, String)]) -> Result<Self, CallbackError> {
        let confidence = number(params, "Confidence").filter(|sure: &f64| (0.0..=1.0).contains(sure));
        let text = field(params, "SpeechResult").unwrap_or_default().trim().to_owned();
        Ok(Self { call: call(params)?, text, confidence })
    }
}

/// Twilio listened beside a call and says who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmdNews {
    /// The call.
    pub call: CallSid,
    /// Who answered.
    pub answered_by: AnsweredBy,
    /// How long it listened, in ms (`MachineDetectionDuration`).
    pub after_ms: Option<u64>,
}

impl AmdNews {
    /// Reads a decoded form.
    pub fn from_form(params: &[(String, String)]) -> Result<Self, CallbackError> {
        let who = field(params, "AnsweredBy").ok_or(CallbackError::Missing("AnsweredBy"))?;
        let after_ms = number(params, "MachineDetectionDuration");
        Ok(Self { call: call(params)?, answered_by: answered_by(who), after_ms })
    }
}

/// A word we do not know means somebody answered and we cannot tell who: the same as
/// Twilio's own `unknown`, on which nobody is hung up.
pub(super) fn answered_by(word: &str) -> AnsweredBy {
    AnsweredBy::ALL.iter().copied().find(|who| who.as_str() == word).unwrap_or(AnsweredBy::Unknown)
}

fn call(params: &[(String, String)]) -> Result<CallSid, CallbackError> {
    Ok(field(params, "CallSid").ok_or(CallbackError::Missing("CallSid"))?.parse()?)
}

/// Empty values are normal in Twilio's forms and mean that nothing is known.
fn field<'a>(params: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    params.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn number<T: std::str::FromStr>(params: &[(String, String)], wanted: &str) -> Option<T> {
    field(params, wanted)?.parse().ok()
}
