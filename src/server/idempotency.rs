//! `Idempotency-Key`: a write that is sent again does nothing again and gets the same reply.
//!
//! The reply is stored in the write's own transaction. Two requests with one key at the same
//! time are told apart by the store, where the second finds the key taken, and within this
//! process by a list of those in flight.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::id::JobId;
use gymcall_jobs::store::{ReplyWrite, SavedReply, Write};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::Problem;
use super::reply;
use super::upload::{self, Taker};
use super::{BODY_LIMIT, Server};

/// Keys whose requests are being worked on by this process.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashSet<String>>);

/// A request that may carry a key, while it is being worked on.
pub(super) struct Keyed {
    server: Arc<Server>,
    key: Option<String>,
    /// Its method and its address.
    operation: String,
    /// The digest of all that was asked, once its body is known.
    request: String,
}

impl Drop for Keyed {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.server.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
    }
}

/// A write and its body. Its key is looked at before anything else of it, so that what was carried out once is
/// answered as then, whatever has become of the things that it names.
pub(super) struct Asked {
    pub(super) keyed: Keyed,
    pub(super) body: Bytes,
}

impl FromRequest<Arc<Server>> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Response> {
        // The body first: one that never comes must not keep its key from a second try.
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|error| {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body: {error}")).into_response()
        })?;
        let mut keyed =
            Keyed::of(server, &parts.method, &parts.uri, &parts.headers).map_err(IntoResponse::into_response)?;
        keyed.seal(&body);
        match keyed.earlier().await.map_err(IntoResponse::into_response)? {
            None => Ok(Self { keyed, body }),
            Some(saved) => Err(keyed.taken(&saved).await),
        }
    }
}

/// A write whose body is a file that is still to be read: [`Keyed::seal`] follows. If its key is taken, the file is only
/// read to see whether it is the same, and nothing is done with it.
pub(super) struct Uploaded {
    pub(super) keyed: Keyed,
    pub(super) request: Request,
}

impl FromRequest<Arc<Server>> for Uploaded {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Response> {
        let mut keyed = Keyed::of(server, request.method(), request.uri(), request.headers())
            .map_err(IntoResponse::into_response)?;
        match keyed.earlier().await.map_err(IntoResponse::into_response)? {
            None => Ok(Self { keyed, request }),
            Some(saved) => {
                let file = upload::read(request, &mut Unused).await.map_err(IntoResponse::into_response)?;
                keyed.seal(&file);
                Err(keyed.taken(&saved).await)
            }
        }
    }
}

/// Of a file that was sent before only the digest matters.
struct Unused;

impl Taker for Unused {
    async fn take(&mut self, _: &[u8]) -> Result<(), Problem> {
        Ok(())
    }
}

/// The longest key that is taken, in bytes.
const MAX_KEY: usize = 255;

impl Keyed {
    fn of(server: &Arc<Server>, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Keyed, Problem> {
        let key = key_of(headers)?;
        if let Some(key) = &key
            && !server.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
        {
            return Err(in_flight_problem());
        }
        let address = uri.path_and_query().map_or("", |address| address.as_str());
        let operation = format!("{method} {address}");
        Ok(Keyed { server: Arc::clone(server), key, operation, request: String::new() })
    }

    /// Says what the body was: itself or, where it was streamed, its digest.
    pub(super) fn seal(&mut self, body: &[u8]) {
        self.request = digest(&self.operation, body);
    }

    /// What was kept for the key.
    async fn earlier(&self) -> Result<Option<SavedReply>, Problem> {
        let Some(key) = &self.key else { return Ok(None) };
        Ok(self.server.ledger.store().saved_reply(key).await?)
    }

    /// The reply to a write that was carried out or refused. Where its key was taken by another request at the same time,
    /// it is that one's.
    pub(super) async fn answer(&self, done: Result<Response, impl Into<Problem>>) -> Result<Response, Problem> {
        let problem = match done {
            Ok(response) => return Ok(response),
            Err(error) => error.into(),
        };
        match problem.key_taken() {
            Some(saved) => Ok(self.taken(saved).await),
            None => Err(problem),
        }
    }

    /// Carries out this write together with its reply, and gives that.
    pub(super) async fn commit(
        &self,
        status: StatusCode,
        reply: &impl Serialize,
        write: Write,
    ) -> Result<Response, Problem> {
        let store = self.server.ledger.store();
        let kept = self.keep(status, reply, store.now());
        let committed = store.commit(Write { reply: kept, ..write }).await;
        self.answer(committed.map(|()| reply::json(status, reply))).await
    }

    /// Carries out this write, to which there is nothing to say.
    pub(super) async fn commit_silently(&self, write: Write) -> Result<Response, Problem> {
        let store = self.server.ledger.store();
        let kept = self.claim(StatusCode::NO_CONTENT, String::new(), store.now());
        let committed = store.commit(Write { reply: kept, ..write }).await;
        self.answer(committed.map(|()| StatusCode::NO_CONTENT.into_response())).await
    }

    /// The reply to a request that found its key taken.
    async fn taken(&self, saved: &SavedReply) -> Response {
        if saved.request != self.request {
            return Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "this Idempotency-Key was used for another request: a new request needs a new key",
            )
            .into_response();
        }
        match (&saved.reply, &saved.job) {
            (Some((status, body)), _) => replayed(*status, body.clone()),
            (None, Some(job)) => match super::calls::reply_of_record(&self.server, job).await {
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
