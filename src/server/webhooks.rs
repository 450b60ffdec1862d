//! What Twilio tells us over HTTP: verified, parsed, told to the ledger, answered.
//!
//! A 2xx from here means that the news is durable. Where it could not be stored the answer is
//! 503, and Twilio, asked to by the callback URLs' fragment, tries again. A signed URL that carries a job and a
//! tag was handed out by us, so it proves a request even where the store has forgotten it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::event::Event;
use gymcall_jobs::failpoint;
use gymcall_jobs::id::{CallSid, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::Told;

use super::doorway;
use super::error::Problem;
use super::gather;
use super::metrics::Webhook;
use super::minutes::Call;
use super::{Server, Signatures};
use crate::config::Speech;
use crate::twilio::callback::{
    AMD_PATH, AmdNews, CallbackError, CallbackQuery, CallbackUrls, STATUS_PATH, StatusNews, VOICE_PATH, VoiceRequest,
};
use crate::twilio::signature::{BadSignature, Proof, Verifier, decode_form, decode_json};
use crate::twilio::twiml;

/// Tells Twilio what to do with a call that was picked up.
#[utoipa::path(
    post, path = VOICE_PATH, responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"))
)]
pub(super) async fn voice(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Some((query, request)) = verified(&server, &uri, &headers, &body, VoiceRequest::from_form)? else {
        // Not a call of ours: whoever is on the line is let go.
        return Ok(xml(twiml::hang_up().to_owned()));
    };
    let (id, tag, call) = (query.job, query.tag, request.call);
    tracing::info!(job_id = %id, call_sid = %call, "job {id}: Twilio asks what to do with call {call}");
    let news = Event::VoiceRequested { tag: tag.clone(), call: call.clone() };
    let told = server.ledger.remind(&id, &tag, news).await?;
    failpoint!("S4");
    let job = match told {
        Told::Moved(job) | Told::Ignored(_, job) => job,
        Told::NoSuchJob => return Ok(xml(twiml::hang_up().to_owned())),
    };
    if !may_talk(&job, &tag, &call) {
        tracing::warn!(job_id = %id, call_sid = %call, "job {id}: call {call} is not its open attempt and is hung up");
        return Ok(xml(twiml::hang_up().to_owned()));
    }
    let on_a_stream = job.open_attempt().is_some_and(|attempt| attempt.stream.is_some());
    if let (Speech::Twilio(voice), false) = (&server.speech, on_a_stream) {
        return gather::begin(&server, &Call { job: id, tag, sid: call }, voice).await;
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

/// Takes note of how a call fares.
#[utoipa::path(post, path = STATUS_PATH, responses((status = 204, description = "It is on record")))]
pub(super) async fn status(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Some((query, news)) = verified(&server, &uri, &headers, &body, StatusNews::from_form)? else {
        // An error would only make Twilio send the same again.
        return Ok(doorway::greet(&server.signatures, uri.query()));
    };
    let id = query.job;
    tracing::info!(
        job_id = %id, call_sid = %news.call, status = %news.status, sequence = news.sequence,
        "job {id}: call {} is {}", news.call, news.status
    );
    let event = Event::CallNews {
        tag: Some(query.tag.clone()),
        call: news.call,
        status: news.status,
        at: news.timestamp,
        duration_s: news.duration_s,
        price: None,
        answered_by: news.answered_by,
    };
    server.ledger.remind(&id, &query.tag, event).await?;
    failpoint!("S4");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes note of who answered, as Twilio heard it beside the call.
#[utoipa::path(post, path = AMD_PATH, responses((status = 204, description = "It is on record")))]
pub(super) async fn amd(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Some((query, news)) = verified(&server, &uri, &headers, &body, AmdNews::from_form)? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let AmdNews { call, answered_by, after_ms } = news;
    let (id, tag) = (query.job, query.tag);
    tracing::info!(job_id = %id, call_sid = %call, %answered_by, "job {id}: call {call} was answered by {answered_by}");
    let event = Event::Detected { tag: tag.clone(), call, answered_by, after_ms };
    server.ledger.remind(&id, &tag, event).await?;
    failpoint!("S4");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whose call a webhook is about and what it says, if Twilio signed it for the URL that it asked for. `None` if
/// it is signed and still means nothing to us.
pub(super) fn verified<T>(
    server: &Server,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    read: impl FnOnce(&[(String, String)]) -> Result<T, CallbackError>,
) -> Result<Option<(CallbackQuery, T)>, Problem> {
    let read = read_signed(server, uri, headers, body, read);
    let result = match &read {
        Ok(Some(_)) => Webhook::Taken,
        Ok(None) => Webhook::Meaningless,
        Err(_) => Webhook::Refused,
    };
    server.metrics.webhook(uri.path(), result);
    read
}

fn read_signed<T>(
    server: &Server,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    read: impl FnOnce(&[(String, String)]) -> Result<T, CallbackError>,
) -> Result<Option<(CallbackQuery, T)>, Problem> {
    failpoint!("S1");
    let url = server.base.requested(uri.path(), uri.query());
    let form = if is_json(headers) {
        check_signature(&server.signatures, headers, |verifier, proof| verifier.verify_body(&url, body, proof))?;
        decode_json(body)
    } else {
        let form = decode_form(body);
        check_signature(&server.signatures, headers, |verifier, proof| verifier.verify_form(&url, &form, proof))?;
        form
    };
    failpoint!("S2");
    match (CallbackQuery::parse(uri.query().unwrap_or_default()), read(&form)) {
        (Ok(query), Ok(news)) => Ok(Some((query, news))),
        (query, news) => {
            let path = uri.path();
            tracing::warn!(path, query = ?query.err(), form = ?news.err(), "a webhook on {path} means nothing to us");
            Ok(None)
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Refuses what Twilio did not sign.
pub(super) fn check_signature(
    signatures: &Signatures,
    headers: &HeaderMap,
    verify: impl FnOnce(&Verifier, Proof) -> Result<(), BadSignature>,
) -> Result<(), Problem> {
    match signatures {
        Signatures::Unchecked => Ok(()),
        Signatures::NoToken => Err(forged("no TWILIO_AUTH_TOKEN is set to check it with")),
        Signatures::Checked(verifier) => {
            verify(verifier, Proof::of(headers)).map_err(|_| forged("the signature does not fit the request"))
        }
    }
}

fn forged(why: &str) -> Problem {
    tracing::warn!("a request with Twilio's name is refused: {why}. Is PUBLIC_BASE_URL the URL that Twilio uses?");
    Problem::new(StatusCode::FORBIDDEN, doorway::NOT_SIGNED)
}

pub(super) fn xml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
}
