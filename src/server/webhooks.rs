//! What Twilio tells us over HTTP: verified, parsed, told to the ledger, answered.
//!
//! A 2xx from here means that the news is durable. Where it could not be stored the answer is
//! 503, and Twilio, asked to by the callback URLs' fragment, tries again.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::Told;

use super::error::Problem;
use super::{Server, Signatures};
use crate::twilio::callback::{CallbackQuery, CallbackUrls, StatusNews, VoiceRequest};
use crate::twilio::signature::decode_form;
use crate::twilio::twiml;

/// `POST /v1/twilio/voice`: the gym picked up, what now?
pub(super) async fn voice(
    State(server): State<Arc<Server>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = verified(&server, &uri, &headers, &body)?;
    let (query, request) = match (CallbackQuery::parse(&query.unwrap_or_default()), VoiceRequest::from_form(&form)) {
        (Ok(query), Ok(request)) => (query, request),
        // Signed, but not a call of ours: whoever is on the line is let go.
        (query, request) => {
            tracing::warn!(query_is_ours = query.is_ok(), request = ?request.err(), "a voice request that is not ours");
            return Ok(xml(twiml::hang_up().to_owned()));
        }
    };
    let (id, tag, call) = (query.job, query.tag, request.call);
    tracing::info!(job_id = %id, call_sid = %call, "job {id}: Twilio asks what to do with call {call}");
    let told = server.ledger.tell(&id, Event::VoiceRequested { tag: tag.clone(), call: call.clone() }).await?;
    let job = match told {
        Told::Moved(job) | Told::Ignored(_, job) => job,
        Told::NoSuchJob => return Ok(xml(twiml::hang_up().to_owned())),
    };
    if !may_talk(&job, &tag, &call) {
        tracing::warn!(job_id = %id, call_sid = %call, "job {id}: call {call} is not its open attempt and is hung up");
        return Ok(xml(twiml::hang_up().to_owned()));
    }
    let stream = CallbackUrls::new(&server.base, &id, &tag).stream;
    let document = twiml::connect_stream(&stream, &[("job", id.as_str()), ("tag", tag.as_str())]).map_err(|error| {
        tracing::error!(job_id = %id, %error, "job {id}: no TwiML: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no TwiML")
    })?;
    Ok(xml(document))
}

/// Whether this call is the job's open attempt and nobody has taken it back.
pub(super) fn may_talk(job: &CallJob, tag: &Tag, call: &CallSid) -> bool {
    let open = job.open_attempt().is_some_and(|attempt| attempt.tag == *tag && attempt.call.as_ref() == Some(call));
    open && !job.cancel_requested() && matches!(job.phase(), Phase::Placed { .. } | Phase::Talking { .. })
}

/// `POST /v1/twilio/status`: how the call fares.
pub(super) async fn status(
    State(server): State<Arc<Server>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = verified(&server, &uri, &headers, &body)?;
    let (query, news) = match (CallbackQuery::parse(&query.unwrap_or_default()), StatusNews::from_form(&form)) {
        (Ok(query), Ok(news)) => (query, news),
        // An error would only make Twilio send the same again.
        (query, news) => {
            tracing::warn!(query_is_ours = query.is_ok(), news = ?news.err(), "a status callback that means nothing to us");
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    };
    let id = query.job;
    tracing::info!(
        job_id = %id, call_sid = %news.call, status = %news.status, sequence = news.sequence,
        "job {id}: call {} is {}", news.call, news.status
    );
    let event = Event::CallNews {
        tag: Some(query.tag),
        call: news.call,
        status: news.status,
        at: news.timestamp,
        duration_s: news.duration_s,
        price: None,
        answered_by: news.answered_by,
    };
    server.ledger.tell(&id, event).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The form, if Twilio signed it for the URL that it asked for.
fn verified(server: &Server, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let form = decode_form(body);
    let url = server.base.requested(uri.path(), uri.query());
    match &server.signatures {
        Signatures::Unchecked => Ok(form),
        Signatures::NoToken => Err(forged("no TWILIO_AUTH_TOKEN is set to check it with")),
        Signatures::Checked(verifier) => match verifier.verify_form(&url, &form, signature(headers)) {
            Ok(()) => Ok(form),
            Err(_) => Err(forged("the signature does not fit this URL and body")),
        },
    }
}

/// The signature header; without one, a text that is no signature of anything.
pub(super) fn signature(headers: &HeaderMap) -> &str {
    headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(super) fn forged(why: &str) -> Problem {
    tracing::warn!("a request with Twilio's name is refused: {why}. Is PUBLIC_BASE_URL the URL that Twilio uses?");
    Problem::new(StatusCode::FORBIDDEN, "the request is not signed by Twilio")
}

fn xml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
}
