//! Calls as Twilio's records show them.

use gymcall_jobs::id::CallSid;
use gymcall_jobs::outcome::AnsweredBy;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;

use super::Refusal;
use super::http::Reply;
use crate::twilio::callback::{CallStatus, UnknownStatus, answered_by};
use crate::twilio::time;

/// A question to Twilio was not answered. Asking again is safe after every one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Nothing came back. Something that was to be changed may have been.
    #[error("Twilio did not answer: {why}")]
    NoReply {
        /// What happened.
        why: String,
    },
    /// Twilio itself says that it has no such call (20404).
    #[error("Twilio has no such call")]
    NotFound,
    /// The call is not in a state that allows this (21220): it moved on. Fetch it.
    #[error("the call moved on")]
    WrongState,
    /// Twilio refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something came back that is not what Twilio documents.
    #[error("Twilio answered {http}: {why}")]
    Unreadable {
        /// The HTTP status.
        http: u16,
        /// What could not be read.
        why: String,
    },
}

/// A call, as Twilio records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCall {
    /// The call.
    pub sid: CallSid,
    /// How far it is. Twilio's records lag a little behind its callbacks.
    pub status: CallStatus,
    /// When the request for it came, by Twilio's clock, in whole seconds.
    pub date_created: Option<Timestamp>,
    /// Seconds of talk; none unless it was picked up and is over.
    pub duration_s: Option<u32>,
    /// What it cost, a negative decimal number; filled in some time after its end.
    pub price: Option<String>,
    /// Who answered, if machine detection ran.
    pub answered_by: Option<AnsweredBy>,
}

/// Calls, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The calls.
    pub calls: Vec<RemoteCall>,
    /// Twilio's clock at its answer: what `date_created` must be compared by.
    pub server_date: Option<Timestamp>,
    /// Where the list goes on; none at its end.
    pub next: Option<NextPage>,
}

/// A page of a list. Only the query of the address that Twilio names is kept: whatever stands before it, the
/// account's token goes to no other place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(pub(super) String);

/// All values are strings or null, numbers too.
#[derive(Deserialize)]
struct WireCall {
    sid: CallSid,
    status: String,
    date_created: Option<String>,
    duration: Option<String>,
    price: Option<String>,
    answered_by: Option<String>,
}

impl TryFrom<WireCall> for RemoteCall {
    type Error = UnknownStatus;

    fn try_from(wire: WireCall) -> Result<Self, UnknownStatus> {
        Ok(Self {
            sid: wire.sid,
            status: wire.status.parse()?,
            date_created: wire.date_created.as_deref().and_then(time::rfc2822),
            duration_s: wire.duration.and_then(|text| text.parse().ok()),
            price: wire.price,
            answered_by: wire.answered_by.as_deref().map(answered_by),
        })
    }
}

#[derive(Deserialize)]
struct WireListing {
    calls: Vec<WireCall>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct WireEvents {
    events: Vec<WireEvent>,
}

#[derive(Deserialize)]
struct WireEvent {
    request: Option<WireRequest>,
}

#[derive(Deserialize)]
struct WireRequest {
    url: Option<String>,
}

pub(super) fn call(reply: Reply) -> Result<RemoteCall, RequestError> {
    let http = reply.status.as_u16();
    let wire: WireCall = success(reply)?.0;
    wire.try_into().map_err(|error| unreadable(http, error))
}

/// One call that cannot be read fails the whole listing: left out, it would look as if it
/// did not exist, and "no such call" is an answer that somebody acts on.
pub(super) fn listing(reply: Reply) -> Result<Listing, RequestError> {
    let http = reply.status.as_u16();
    let (wire, server_date): (WireListing, _) = success(reply)?;
    let calls = wire.calls.into_iter().map(RemoteCall::try_from).collect::<Result<_, _>>();
    let next = match wire.next_page_uri {
        None => None,
        Some(uri) => match uri.split_once('?') {
            Some((_, query)) => Some(NextPage(query.to_owned())),
            None => return Err(unreadable(http, "the list goes on at an address without a query")),
        },
    };
    Ok(Listing { calls: calls.map_err(|error| unreadable(http, error))?, server_date, next })
}

pub(super) fn request_urls(reply: Reply) -> Result<Vec<String>, RequestError> {
    let (wire, _): (WireEvents, _) = success(reply)?;
    Ok(wire.events.into_iter().filter_map(|event| event.request?.url).collect())
}

/// The body itself, where it is no JSON.
pub(super) fn bytes(reply: Reply) -> Result<Vec<u8>, RequestError> {
    let http = reply.status.as_u16();
    if reply.status.is_success() {
        return reply.body.map_err(|why| unreadable(http, why));
    }
    match success::<serde::de::IgnoredAny>(reply) {
        Ok(_) => Err(unreadable(http, "no sound")),
        Err(error) => Err(error),
    }
}

pub(super) fn success<T: for<'de> Deserialize<'de>>(reply: Reply) -> Result<(T, Option<Timestamp>), RequestError> {
    let http = reply.status.as_u16();
    if reply.status.is_success() {
        let read = reply.json().map_err(|error| unreadable(http, error))?;
        return Ok((read, reply.server_date));
    }
    if reply.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Refusal::Throttled.into());
    }
    match reply.twilio_error() {
        Some(error) if error.code == 20404 => Err(RequestError::NotFound),
        Some(error) if error.code == 21220 => Err(RequestError::WrongState),
        Some(error) if reply.status.is_client_error() => {
            Err(Refusal::from_twilio(error.code, error.message, http).into())
        }
        // A 404 that Twilio did not write says nothing about the call.
        _ => Err(unreadable(http, "without an error of Twilio's that says why")),
    }
}

fn unreadable(http: u16, why: impl ToString) -> RequestError {
    RequestError::Unreadable { http, why: why.to_string() }
}
