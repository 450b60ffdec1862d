//! Recordings, of one call and of the account, and their sound.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::error::Refusal;
use super::form::{Form, Query};
use super::order::record;
use super::page::{List, Page, Show};
use super::span::Span;
use super::{Shared, answer, calls};
use crate::call::Call;
use crate::date;
use crate::exchange::Exchange;
use crate::recording::{Channels, Coding, Origin, PauseBehavior, Recording, RecordingStatus};
use crate::status::Status;

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Recordings.json",
            get(async |State(exchange): Shared, Query(form): Query| answer(list(&exchange, None, &form))),
        )
        .route("/2010-04-01/Accounts/{account}/Recordings/{recording}", get(fetch).delete(delete))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Recordings.json", get(list_of_call).post(start))
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Recordings/{recording}",
            get(fetch_of_call).post(update).delete(delete_of_call),
        )
}

async fn list_of_call(
    State(exchange): Shared,
    Path((_, call)): Path<(String, String)>,
    Query(form): Query,
) -> Response {
    answer(calls::find(&exchange, &call).and_then(|call| list(&exchange, Some(&call.sid), &form)))
}

fn list(exchange: &Exchange, call: Option<&str>, form: &Form) -> Result<Value, Refusal> {
    let (page, span) = (Page::read(form)?, Span::read(form, "DateCreated")?);
    let call = call.or(form.get("CallSid"));
    let mut all = match call {
        Some(sid) => exchange.recordings.of_call(sid),
        None => exchange.recordings.all(),
    };
    all.retain(|recording| span.takes(Some(recording.started)));
    let path = exchange.list_path(call, "Recordings");
    let show = Show {
        sid: |recording: &Arc<Recording>| &recording.sid,
        json: &|recording: &Arc<Recording>| resource(exchange, recording),
        takes: &|_| true,
    };
    Ok(page.of(&List { key: "recordings", path: &path }, form, &all, show))
}

async fn start(State(exchange): Shared, Path((_, call)): Path<(String, String)>, body: Bytes) -> Response {
    let call = match calls::find(&exchange, &call) {
        Ok(call) => call,
        Err(refusal) => return refusal.into_response(),
    };
    match begin(&exchange, &call, &Form::parse(&body)) {
        Ok(recording) => (StatusCode::CREATED, axum::Json(resource(&exchange, &recording))).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn begin(exchange: &Arc<Exchange>, call: &Arc<Call>, form: &Form) -> Result<Arc<Recording>, Refusal> {
    let plan = record(form, Origin::StartCallRecordingApi)?;
    if call.status() != Status::InProgress {
        return Err(Refusal::bad(
            21220,
            "Requested resource is not eligible for recording: the call is not in progress",
        ));
    }
    Ok(Recording::start(exchange, call, plan))
}

async fn update(
    State(exchange): Shared,
    Path((_, call, file)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let found = calls::find(&exchange, &call)
        .and_then(|call| Ok((find(&exchange, Some(&call), &file)?, call)))
        .and_then(|(recording, call)| change(&exchange, &call, &recording, &Form::parse(&body)).map(|()| recording));
    answer(found.map(|recording| resource(&exchange, &recording)))
}

fn change(exchange: &Arc<Exchange>, call: &Arc<Call>, recording: &Recording, form: &Form) -> Result<(), Refusal> {
    let behavior = match form.get("PauseBehavior") {
        Some(word) => PauseBehavior::parse(word)
            .ok_or_else(|| Refusal::bad(20001, format!("Invalid PauseBehavior: {word} is neither skip nor silence")))?,
        None => PauseBehavior::default(),
    };
    let done = match form.get("Status") {
        Some("paused") => recording.pause(behavior),
        Some("in-progress") => recording.resume(),
        Some("stopped") => recording.stop(exchange, call),
        other => {
            let other = other.unwrap_or_default();
            return Err(Refusal::bad(20001, format!("Invalid Status: {other} is not a status to set")));
        }
    };
    if done { Ok(()) } else { Err(Refusal::bad(21220, format!("The recording is {}", recording.status().as_str()))) }
}

async fn fetch(State(exchange): Shared, Path((_, file)): Path<(String, String)>, Query(form): Query) -> Response {
    show(&exchange, None, &file, &form)
}

async fn fetch_of_call(
    State(exchange): Shared,
    Path((_, call, file)): Path<(String, String, String)>,
    Query(form): Query,
) -> Response {
    match calls::find(&exchange, &call) {
        Ok(call) => show(&exchange, Some(&call), &file, &form),
        Err(refusal) => refusal.into_response(),
    }
}

/// The resource if `file` ends in `.json`, otherwise its sound: `.wav`, or nothing for short.
fn show(exchange: &Exchange, call: Option<&Call>, file: &str, form: &Form) -> Response {
    let recording = match find(exchange, call, file) {
        Ok(recording) => recording,
        Err(refusal) => return refusal.into_response(),
    };
    if file.ends_with(".json") {
        return answer(Ok(resource(exchange, &recording)));
    }
    if !recording.status().is_final() || recording.status() == RecordingStatus::Absent {
        return Refusal::not_found(&format!("{}/Recordings/{file}", exchange.account_path())).into_response();
    }
    if file.ends_with(".mp3") {
        return Refusal::no_mp3().into_response();
    }
    let channels = match form.get("RequestedChannels") {
        Some("1") => Some(Channels::Mono),
        Some("2") => Some(Channels::Dual),
        _ => None,
    };
    ([(header::CONTENT_TYPE, "audio/x-wav")], recording.wav(Coding::Pcm16, channels)).into_response()
}

async fn delete(State(exchange): Shared, Path((_, file)): Path<(String, String)>) -> Response {
    forget(&exchange, None, &file)
}

async fn delete_of_call(State(exchange): Shared, Path((_, call, file)): Path<(String, String, String)>) -> Response {
    match calls::find(&exchange, &call) {
        Ok(call) => forget(&exchange, Some(&call), &file),
        Err(refusal) => refusal.into_response(),
    }
}

fn forget(exchange: &Exchange, call: Option<&Call>, file: &str) -> Response {
    match find(exchange, call, file) {
        Ok(recording) if !recording.status().is_final() => {
            Refusal::bad(20009, format!("Recording {} is still being made", recording.sid)).into_response()
        }
        Ok(recording) => {
            exchange.recordings.delete(&recording.sid);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The recording that `file` names; `Twilio.CURRENT` is the call's running one.
fn find(exchange: &Exchange, call: Option<&Call>, file: &str) -> Result<Arc<Recording>, Refusal> {
    let endings = [".json", ".wav", ".mp3"];
    let sid = endings.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    let found = match call {
        Some(call) if sid == "Twilio.CURRENT" => {
            exchange.recordings.of_call(&call.sid).into_iter().find(|recording| !recording.status().is_final())
        }
        _ => exchange.recordings.get(sid),
    };
    found
        .filter(|recording| call.is_none_or(|call| call.sid == recording.call_sid))
        .ok_or_else(|| Refusal::not_found(&format!("{}/Recordings/{file}", exchange.account_path())))
}

fn resource(exchange: &Exchange, recording: &Recording) -> Value {
    let path = format!("{}/Recordings/{}", exchange.account_path(), recording.sid);
    let (plan, status) = (&recording.plan, recording.status());
    json!({
        "sid": recording.sid,
        "account_sid": exchange.settings.account_sid,
        "call_sid": recording.call_sid,
        "conference_sid": null,
        "api_version": "2010-04-01",
        "date_created": date::rfc2822(recording.started),
        "date_updated": date::rfc2822(recording.updated()),
        "start_time": date::rfc2822(recording.started),
        // Not known before it has ended.
        "duration": if status.is_final() { Value::from(recording.duration_s().to_string()) } else { Value::from("-1") },
        "status": status.as_str(),
        "channels": plan.channels.count(),
        "source": plan.origin.as_str(),
        "track": plan.track.as_str(),
        "error_code": null,
        "price": null,
        "price_unit": "USD",
        "encryption_details": null,
        "media_url": recording.url(exchange),
        "uri": format!("{path}.json"),
        "subresource_uris": {
            "add_on_results": format!("{path}/AddOnResults.json"),
            "transcriptions": format!("{path}/Transcriptions.json"),
        },
    })
}
