//! The calls resource.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::sync::oneshot;

use super::admission::Caller;
use super::create;
use super::error::Refusal;
use super::fidelity::Answer;
use super::form::{Form, Query};
use super::{Shared, answer, events, list, magic, resource, update};
use crate::call::Call;
use crate::exchange::Exchange;
use crate::wire::{Cut, Cutter};

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls.json", get(list_calls).post(create_call))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(fetch_call).post(update_call).delete(delete_call))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Events.json", get(list_events))
}

async fn create_call(
    State(exchange): Shared,
    Extension(caller): Extension<Caller>,
    ConnectInfo(connection): ConnectInfo<Cutter>,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    if caller == Caller::Tester {
        return magic::create(&exchange, &form);
    }
    // On its own task: a client that stops waiting must not leave a call half created.
    let (mut done, reply) = oneshot::channel();
    let shared = Arc::clone(&exchange);
    exchange.tasks.spawn(async move {
        let answer = match create::create(&shared, &form).await {
            Answer::Whole(reply) => (reply, None),
            Answer::Broken(reply, cut) => (reply, Some(cut)),
            // Until the client goes, or the simulator ends.
            Answer::Silence => return done.closed().await,
        };
        let _ = done.send(answer);
    });
    // A simulator that ends says no last word, least of all that nothing was created.
    let (reply, cut) = reply.await.unwrap_or_else(|_| (Refusal::internal().into_response(), Some(Cut::AtOnce)));
    if let Some(cut) = cut {
        connection.cut(cut);
    }
    reply
}

async fn list_calls(State(exchange): Shared, Query(form): Query) -> Response {
    answer(list::list(&exchange, &form))
}

async fn fetch_call(State(exchange): Shared, Path((_, file)): Path<(String, String)>) -> Response {
    answer(find(&exchange, &file).map(|call| resource::of(&exchange, &call)))
}

async fn update_call(State(exchange): Shared, Path((_, file)): Path<(String, String)>, body: Bytes) -> Response {
    let call = match find(&exchange, &file) {
        Ok(call) => call,
        Err(refusal) => return refusal.into_response(),
    };
    answer(update::update(&exchange, &call, &Form::parse(&body)).await)
}

async fn delete_call(State(exchange): Shared, Path((_, file)): Path<(String, String)>) -> Response {
    let call = match find(&exchange, &file) {
        Ok(call) => call,
        Err(refusal) => return refusal.into_response(),
    };
    if !call.status().is_final() {
        return Refusal::unfinished(&call.sid).into_response();
    }
    exchange.forget(&call.sid);
    StatusCode::NO_CONTENT.into_response()
}

async fn list_events(State(exchange): Shared, Path((_, sid)): Path<(String, String)>, Query(form): Query) -> Response {
    let call = find(&exchange, &format!("{sid}.json"));
    answer(call.and_then(|call| events::list(&exchange, &call, &form)))
}

/// The call that `file`, its SID with or without `.json`, names.
pub(super) fn find(exchange: &Exchange, file: &str) -> Result<Arc<Call>, Refusal> {
    exchange
        .call(file.strip_suffix(".json").unwrap_or(file))
        .ok_or_else(|| Refusal::not_found(&format!("{}/Calls/{file}", exchange.account_path())))
}
