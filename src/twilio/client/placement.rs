//! One request for a call, and what came of it.

use std::fmt;

use gymcall_jobs::id::CallSid;
use reqwest::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::Refusal;
use super::http::Reply;

/// A call to ask for.
#[derive(Clone)]
pub struct PlaceCall {
    /// The gym's number, in E.164.
    pub to: String,
    /// Where Twilio asks what to do when the gym picks up.
    pub voice_url: Url,
    /// Where Twilio reports how the call fares.
    pub status_url: Url,
    /// How long it may ring, in seconds; Twilio takes up to 600.
    pub timeout_s: u32,
    /// How long the call may be, in seconds.
    pub time_limit_s: u32,
    /// Whether Twilio listens for a machine, beside the call and without keeping it waiting.
    pub detection: Option<MachineDetection>,
    /// Whether Twilio records it.
    pub recorded: bool,
    /// Past this nothing is sent. A request that was sent before ends by the client's own timeout.
    pub send_before: Instant,
}

/// How Twilio listens for an answering machine.
#[derive(Clone)]
pub struct MachineDetection {
    /// Where it tells who answered.
    pub callback: Url,
    /// Whether it waits for the end of a machine's greeting, for a message to be left.
    pub awaits_beep: bool,
}

/// The URLs hold the tag, which is not for logs.
impl fmt::Debug for PlaceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceCall")
            .field("to", &self.to)
            .field("timeout_s", &self.timeout_s)
            .field("time_limit_s", &self.time_limit_s)
            .finish_non_exhaustive()
    }
}

impl PlaceCall {
    /// The form, in Twilio's names.
    ///
    /// The events are repeated keys. As one value with spaces Twilio answers 201, too,
    /// and then never calls back. All four are named: without `completed` in a list that
    /// names others, no end of a call may be reported.
    pub(super) fn form(&self, account_number: &str) -> Vec<(&'static str, String)> {
        let mut form = vec![
            ("To", self.to.clone()),
            ("From", account_number.to_owned()),
            ("Url", self.voice_url.to_string()),
            ("Method", "POST".to_owned()),
            ("StatusCallback", self.status_url.to_string()),
            ("StatusCallbackMethod", "POST".to_owned()),
        ];
        for event in ["initiated", "ringing", "answered", "completed"] {
            form.push(("StatusCallbackEvent", event.to_owned()));
        }
        form.push(("Timeout", self.timeout_s.to_string()));
        form.push(("TimeLimit", self.time_limit_s.to_string()));
        if self.recorded {
            form.push(("Record", "true".to_owned()));
            // Who spoke can be heard.
            form.push(("RecordingChannels", "dual".to_owned()));
            // Cut at its ends, it would not say at which time of the call something was said.
            form.push(("Trim", "do-not-trim".to_owned()));
        }
        if let Some(MachineDetection { callback, awaits_beep }) = &self.detection {
            let mode = if *awaits_beep { "DetectMessageEnd" } else { "Enable" };
            form.push(("MachineDetection", mode.to_owned()));
            // Without it the gym would hear nothing for some seconds.
            form.push(("AsyncAmd", "true".to_owned()));
            form.push(("AsyncAmdStatusCallback", callback.to_string()));
            form.push(("AsyncAmdStatusCallbackMethod", "POST".to_owned()));
        }
        form
    }
}

/// What came of a request for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a call may ring somewhere because of this"]
pub enum Placement {
    /// Twilio has the call.
    Created {
        /// Its name.
        sid: CallSid,
    },
    /// There is certainly no call.
    NotCreated(Refusal),
    /// There may be a call. It must be looked for; asking again may call somebody twice.
    Unclear {
        /// What happened, for a person to read.
        why: String,
    },
}

impl Placement {
    pub(super) fn not_sent(why: String) -> Self {
        Self::NotCreated(Refusal::NotSent { why })
    }
}

/// Twilio's code for "call already initiated": of all refusals, the one after which
/// there may be a call.
const ALREADY_INITIATED: u32 = 21204;

#[derive(Deserialize)]
struct WireCreated {
    sid: CallSid,
}

/// Sorts a reply. Whatever does not prove a call, or that there is none, is unclear.
pub(super) fn sort(reply: Reply) -> Placement {
    let http = reply.status.as_u16();
    if reply.status == StatusCode::TOO_MANY_REQUESTS {
        return Placement::NotCreated(Refusal::Throttled);
    }
    let why = if reply.status.is_success() {
        match reply.json::<WireCreated>() {
            // Its status is not read: a word we do not know must not cost us the name of a live call.
            Ok(created) => return Placement::Created { sid: created.sid },
            Err(why) => format!("Twilio answered {http} and no call could be read: {why}"),
        }
    } else {
        match reply.twilio_error() {
            Some(error) if reply.status.is_client_error() && error.code != ALREADY_INITIATED => {
                return Placement::NotCreated(Refusal::from_twilio(error.code, error.message, http));
            }
            Some(error) => format!("Twilio answered {http} ({}): {}", error.code, error.message),
            None => format!("{http} came back, without an error of Twilio's"),
        }
    };
    Placement::Unclear { why }
}
