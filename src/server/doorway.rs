//! How somebody who holds the account's token finds out whether it is us who answer at our public address.
//!
//! A signed webhook that means nothing is answered 204. If its query has a word under [`NONCE`], the answer shows in
//! [`PROOF`] that whoever gave it has the token, too.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::error::Problem;
use super::{Signatures, webhooks};
use crate::twilio::callback::{STATUS_PATH, STREAM_PATH};
use crate::twilio::public_url::PublicBase;
use crate::twilio::signature::decode_form;

/// The query's name for the word.
pub const NONCE: &str = "doctor";
/// The header with the answer to it.
pub const PROOF: &str = "x-gymcall-proof";
/// What a request is told that is not signed.
pub const NOT_SIGNED: &str = "the request is not signed by Twilio";

/// Answers a signed webhook that means nothing.
pub(super) fn greet(signatures: &Signatures, query: Option<&str>) -> Response {
    match (nonce_of(query), signatures) {
        (Some(nonce), Signatures::Checked(verifier)) => {
            (StatusCode::NO_CONTENT, [(PROOF, verifier.answer_to(&nonce))]).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

fn nonce_of(query: Option<&str>) -> Option<Cow<'_, str>> {
    let mut fields = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    fields.find_map(|(name, value)| (name == NONCE).then_some(value))
}

/// A server that stands in for ours where none runs, and answers nothing else: a webhook of a call that still goes on
/// is told to come again, when there is somebody who can store it.
pub fn router(base: PublicBase, signatures: Signatures) -> Router {
    let twilio = Router::new().route(STATUS_PATH, post(status)).route(STREAM_PATH, get(stream));
    let door = Router::new().merge(twilio.clone()).without_v07_checks();
    let door = match base.prefix() {
        "" => door,
        prefix => door.nest(prefix, twilio),
    };
    door.fallback(async || come_again()).with_state(Arc::new(Door { base, signatures }))
}

fn come_again() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no gymcall serves here at the moment")
}

struct Door {
    base: PublicBase,
    signatures: Signatures,
}

async fn status(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let url = door.base.requested(uri.path(), uri.query());
    let form = decode_form(&body);
    webhooks::check_signature(&door.signatures, &headers, |verifier, proof| verifier.verify_form(&url, &form, proof))?;
    if nonce_of(uri.query()).is_none() {
        return Err(come_again());
    }
    Ok(greet(&door.signatures, uri.query()))
}

async fn stream(
    State(door): State<Arc<Door>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let url = door.base.opened(uri.path(), uri.query());
    webhooks::check_signature(&door.signatures, &headers, |verifier, proof| verifier.verify_upgrade(&url, proof))?;
    Ok(upgrade.on_upgrade(async |_| {}))
}
