//! One line of the log.

use serde::{Deserialize, Serialize};

use crate::fault::{Fate, Kind, RequestFate, is_usual};
use crate::status::Status;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A request to create a call was decided. This line is written before the reply is sent.
    Create {
        /// Number of this request among all requests to create a call, from 0.
        ordinal: u64,
        /// The call, if one was created.
        sid: Option<String>,
        /// `To` as given, empty if missing.
        to: String,
        /// `From` as given, empty if missing.
        from: String,
        /// `Url` as given, empty if missing.
        url: String,
        /// Every parameter of the request, in order.
        params: Vec<(String, String)>,
        /// Whether a call exists because of this request.
        created: bool,
        /// HTTP status of the reply; none if the client gets no reply, or nothing of it.
        http_status: Option<u16>,
        /// Twilio's error code in the reply, if it is an error with one.
        code: Option<u32>,
        /// The faults that this request and its call meet.
        #[serde(default, skip_serializing_if = "is_usual")]
        fate: Fate,
    },
    /// A call has a new status.
    Status {
        /// The call.
        sid: String,
        /// The number called.
        to: String,
        /// Where it stands now.
        status: Status,
    },
    /// One try of a webhook was made.
    Webhook {
        /// The call.
        sid: String,
        /// GET or POST.
        method: String,
        /// The URL as requested, without its fragment.
        url: String,
        /// Its parameters.
        params: Vec<(String, String)>,
        /// Which try this was, from 1.
        attempt: u32,
        /// HTTP status of the app's reply, if there was one.
        response: Option<u16>,
        /// Why there was none.
        error: Option<String>,
        /// Milliseconds from the start of the try to its end.
        duration_ms: u64,
    },
    /// A media stream is open.
    StreamOpened {
        /// The call.
        sid: String,
        /// The stream.
        stream_sid: String,
        /// Its URL.
        url: String,
    },
    /// A media stream has ended.
    StreamClosed {
        /// The call.
        sid: String,
        /// The stream.
        stream_sid: String,
        /// How it ended.
        why: String,
    },
    /// The callee understood a turn of the agent.
    Heard {
        /// The call.
        sid: String,
        /// The words.
        text: String,
    },
    /// The callee has begun to say something.
    Said {
        /// The call.
        sid: String,
        /// The words; those of a mumbled reply are clear here.
        text: String,
        /// Whether it was mumbled.
        mumbled: bool,
    },
    /// Answering machine detection has come to a result.
    Detected {
        /// The call.
        sid: String,
        /// `human`, `machine_start` and so on.
        answered_by: String,
        /// Milliseconds from the pick-up to the result.
        after_ms: u64,
    },
    /// A recording has a new status.
    Recording {
        /// The call.
        sid: String,
        /// The recording.
        recording_sid: String,
        /// Where it stands now: in-progress, completed or absent.
        status: String,
        /// How much has been recorded, in milliseconds.
        duration_ms: u64,
    },
    /// A key was pressed, and heard at the other end.
    Key {
        /// The call.
        sid: String,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        key: char,
        /// Whether the callee pressed it; else the callee heard it.
        by_callee: bool,
    },
    /// A voicemail keeps these words as a message.
    Message {
        /// The call.
        sid: String,
        /// The words.
        text: String,
    },
    /// A request that creates no call met a fault. Those that met none are not here.
    Request {
        /// What it was for.
        kind: Kind,
        /// What it asked for.
        path: String,
        /// The faults.
        fate: RequestFate,
    },
    /// Twilio would have put this into its debugger.
    Warning {
        /// The call, if it concerns one.
        sid: Option<String>,
        /// Twilio's code, or 0 for a remark of the simulator's own.
        code: u32,
        /// What was wrong.
        message: String,
    },
}

impl Event {
    /// The call this is about, if it is about one.
    pub fn sid(&self) -> Option<&str> {
        match self {
            Event::Create { sid, .. } | Event::Warning { sid, .. } => sid.as_deref(),
            Event::Request { .. } => None,
            Event::Status { sid, .. }
            | Event::Webhook { sid, .. }
            | Event::StreamOpened { sid, .. }
            | Event::StreamClosed { sid, .. }
            | Event::Detected { sid, .. }
            | Event::Recording { sid, .. }
            | Event::Heard { sid, .. }
            | Event::Said { sid, .. }
            | Event::Key { sid, .. }
            | Event::Message { sid, .. } => Some(sid),
        }
    }
}
