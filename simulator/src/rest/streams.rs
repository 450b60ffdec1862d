//! One-way streams beside a live call. The two-way one is TwiML's alone.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::error::Refusal;
use super::form::Form;
use super::order::fetch;
use super::{Shared, answer, calls};
use crate::address::Address;
use crate::call::{Call, Method};
use crate::date;
use crate::exchange::Exchange;
use crate::stream::{self, Entry, Standing, StartError};
use crate::twiml;

/// Twilio takes so many parameters of a stream.
const MOST_PARAMETERS: usize = 99;

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Streams.json", post(start))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Streams/{stream}", post(stop))
}

async fn start(State(exchange): Shared, Path((_, call)): Path<(String, String)>, body: Bytes) -> Response {
    let started = calls::find(&exchange, &call)
        .and_then(|call| begin(&exchange, &call, &Form::parse(&body)))
        .map(|entry| (StatusCode::CREATED, axum::Json(resource(&exchange, &entry))));
    match started {
        Ok(created) => created.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn begin(exchange: &Arc<Exchange>, call: &Arc<Call>, form: &Form) -> Result<Arc<Entry>, Refusal> {
    let noun = noun(form)?;
    // Whoever has not picked up has no line yet.
    let line = call.line().ok_or_else(|| refused(&StartError::NotInProgress))?;
    stream::start(exchange, call, line, &noun, None).map_err(|error| refused(&error))
}

fn noun(form: &Form) -> Result<twiml::Stream, Refusal> {
    let url = form.get("Url").ok_or_else(|| Refusal::bad(21205, "Url parameter is required."))?;
    let is_socket = Address::parse(url).is_some_and(|address| matches!(address.scheme.as_str(), "ws" | "wss"));
    if !is_socket {
        return Err(Refusal::bad(21205, format!("Url is not the URL of a WebSocket: {url}")));
    }
    let callback = fetch(form, "StatusCallback", "StatusCallbackMethod")?;
    let parameter = |n| {
        let name = form.get(&format!("Parameter{n}.Name"))?.to_owned();
        Some((name, form.get(&format!("Parameter{n}.Value")).unwrap_or_default().to_owned()))
    };
    Ok(twiml::Stream {
        url: url.to_owned(),
        name: form.get("Name").map(str::to_owned),
        track: form.get("Track").map(str::to_owned),
        status_callback_method: callback.as_ref().map_or(Method::Post, |callback| callback.method),
        status_callback: callback.map(|callback| callback.url),
        parameters: (1..=MOST_PARAMETERS).filter_map(parameter).collect(),
    })
}

fn refused(error: &StartError) -> Refusal {
    let code = match error {
        StartError::NotInProgress => 21220,
        StartError::Track(_) => error.code(),
        StartError::TooMany | StartError::NameTaken(_) => 20001,
    };
    Refusal::bad(code, error.to_string())
}

async fn stop(State(exchange): Shared, Path((_, call, file)): Path<(String, String, String)>, body: Bytes) -> Response {
    answer(calls::find(&exchange, &call).and_then(|call| end(&exchange, &call, &file, &Form::parse(&body))))
}

/// A stream is found by its SID or by its name.
fn end(exchange: &Exchange, call: &Call, file: &str, form: &Form) -> Result<Value, Refusal> {
    let name = file.strip_suffix(".json").unwrap_or(file);
    let missing = || Refusal::not_found(&format!("{}/Calls/{}/Streams/{file}", exchange.account_path(), call.sid));
    let entry = exchange.streams.find(&call.sid, name).filter(|entry| entry.is_one_way()).ok_or_else(missing)?;
    match form.get("Status") {
        Some("stopped") => entry.stop(),
        other => {
            let other = other.unwrap_or_default();
            return Err(Refusal::bad(20001, format!("Invalid Status: {other:?}; a stream can be stopped only")));
        }
    }
    Ok(resource(exchange, &entry))
}

fn resource(exchange: &Exchange, entry: &Entry) -> Value {
    let (standing, since) = entry.standing();
    let named = entry.name != entry.sid;
    json!({
        "sid": entry.sid,
        "account_sid": exchange.settings.account_sid,
        "call_sid": entry.call_sid,
        "name": named.then_some(&entry.name),
        "status": if standing == Standing::InProgress { "in-progress" } else { "stopped" },
        "date_updated": date::rfc2822(since),
        "uri": format!("{}/Calls/{}/Streams/{}.json", exchange.account_path(), entry.call_sid, entry.sid),
    })
}
