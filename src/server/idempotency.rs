//! `Idempotency-Key`: a write that is sent again does nothing again and gets the same reply.
//!
//! The reply is stored in the write's own transaction. Two requests with one key at the same
//! time are told apart by the store, where the second finds the key taken, and within this
//! process by a list of those in flight.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::id::JobId;
use gymcall_jobs::store::{ReplyWrite, SavedReply};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Server;
use super::error::Problem;

/// Keys whose requests are being worked on by this process.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<String>>>);

/// A request that may carry a key, while it is being worked on.
#[derive(Debug)]
pub(super) struct Keyed {
    key: Option<String>,
    request: String,
    in_flight: InFlight,
}

impl Drop for Keyed {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
    }
}

/// The longest key that is taken, in bytes.
const MAX_KEY: usize = 255;

impl Keyed {
    /// Looks the request's key up. `Err` is the reply to give at once: the earlier one again, or what
    /// is wrong with the key.
    pub(super) async fn begin(
        server: &Server,
        headers: &HeaderMap,
        operation: &str,
        body: &[u8],
    ) -> Result<Keyed, Response> {
        let mut keyed = Keyed::streamed(server, headers).map_err(IntoResponse::into_response)?;
        keyed.seal(operation, body);
        let Some(key) = &keyed.key else { return Ok(keyed) };
        match server.ledger.store().saved_reply(key).await {
            Ok(None) => Ok(keyed),
            Ok(Some(saved)) => Err(keyed.taken(server, &saved).await),
            Err(error) => Err(Problem::from(error).into_response()),
        }
    }

    /// Begins a request whose body is still to be read: [`Keyed::seal`] follows, and the store says
    /// in the end whether the key is taken.
    pub(super) fn streamed(server: &Server, headers: &HeaderMap) -> Result<Keyed, Problem> {
        let key = key_of(headers)?;
        let in_flight = server.in_flight.clone();
        if let Some(key) = &key
            && !in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
        {
            return Err(in_flight_problem());
        }
        Ok(Keyed { key, request: String::new(), in_flight })
    }

    /// Says what the request was: its operation, and its body or, where that was streamed, the body's digest.
    pub(super) fn seal(&mut self, operation: &str, body: &[u8]) {
        self.request = digest(operation, body);
    }

    /// The reply to a request that found its key taken.
    pub(super) async fn taken(&self, server: &Server, saved: &SavedReply) -> Response {
        if saved.request != self.request {
            return Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "this Idempotency-Key was used for another request: a new request needs a new key",
            )
            .into_response();
        }
        match (&saved.reply, &saved.job) {
            (Some((status, body)), _) => replayed(*status, body.clone()),
            (None, Some(job)) => match super::calls::reply_of_record(server, job).await {
                Some((status, body)) => replayed(status, body),
                None => still_in_flight(),
            },
            (None, None) => still_in_flight(),
        }
    }

    /// Keeps this JSON with the write as its reply, if the request has a key.
    pub(super) fn keep(&self, status: StatusCode, reply: &impl Serialize, now: Timestamp) -> Option<ReplyWrite> {
        self.key.as_ref()?;
        self.claim(status, serde_json::to_string(reply).unwrap_or_default(), now)
    }

    /// Keeps this reply with the write, if the request has a key.
    pub(super) fn claim(&self, status: StatusCode, body: String, now: Timestamp) -> Option<ReplyWrite> {
        self.saved(Some((status.as_u16(), body)), None, now).map(ReplyWrite::Claim)
    }

    /// Takes the key for a job whose reply is still to come.
    pub(super) fn claim_for(&self, job: &JobId, now: Timestamp) -> Option<ReplyWrite> {
        self.saved(None, Some(job.clone()), now).map(ReplyWrite::Claim)
    }

    /// Puts the reply under a key that was taken with [`Self::claim_for`].
    pub(super) fn complete(&self, job: &JobId, status: u16, body: String, now: Timestamp) -> Option<ReplyWrite> {
        self.saved(Some((status, body)), Some(job.clone()), now).map(ReplyWrite::Complete)
    }

    fn saved(&self, reply: Option<(u16, String)>, job: Option<JobId>, at: Timestamp) -> Option<SavedReply> {
        let key = self.key.clone()?;
        Some(SavedReply { key, request: self.request.clone(), reply, job, at })
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Idempotency-Key must be 1 to 255 visible ASCII characters"));
    }
    Ok(Some(key.to_owned()))
}

fn digest(operation: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(operation);
    hash.update([0]);
    hash.update(body);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn in_flight_problem() -> Problem {
    Problem::conflict("a request with this Idempotency-Key is still being worked on")
}

fn still_in_flight() -> Response {
    in_flight_problem().into_response()
}

fn replayed(status: u16, body: String) -> Response {
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}
