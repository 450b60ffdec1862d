//! The REST API: who may ask, and which page answers.

mod create;
mod error;
mod events;
mod fidelity;
mod form;
mod list;
mod order;
mod resource;
mod update;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::exchange::Exchange;
use crate::sid;
use crate::wire::{Cut, Cutter};
use error::Refusal;
use fidelity::Answer;
use form::Form;

type Shared = State<Arc<Exchange>>;

/// All routes. `{call}` ends in `.json`.
pub(crate) fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls.json", get(list_calls).post(create_call))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(fetch_call).post(update_call))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Events.json", get(list_events))
        .fallback(not_found)
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(middleware::from_fn_with_state(Arc::clone(&exchange), admit))
        .with_state(exchange)
}

/// Lets the account's holder in, to the account's pages.
async fn admit(State(exchange): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = if !is_holder(&exchange, request.headers()) {
        let mut response = Refusal::authenticate().into_response();
        let realm = HeaderValue::from_static("Basic realm=\"Twilio API\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        response
    } else if !path.starts_with(&format!("/2010-04-01/Accounts/{}/", exchange.settings.account_sid)) {
        Refusal::not_found(&path).into_response()
    } else {
        next.run(request).await
    };
    if let Ok(id) = HeaderValue::try_from(sid::request()) {
        response.headers_mut().insert("twilio-request-id", id);
    }
    response
}

fn is_holder(exchange: &Exchange, headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value).ok());
    let wanted = format!("{}:{}", exchange.settings.account_sid, exchange.settings.auth_token);
    given.is_some_and(|given| given == wanted.as_bytes())
}

async fn create_call(State(exchange): Shared, ConnectInfo(connection): ConnectInfo<Cutter>, body: Bytes) -> Response {
    // On its own task: a client that stops waiting must not leave a call half created.
    let (mut done, reply) = oneshot::channel();
    let shared = Arc::clone(&exchange);
    exchange.tasks.spawn(async move {
        let answer = match create::create(&shared, &Form::parse(&body)).await {
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

async fn list_calls(State(exchange): Shared, RawQuery(query): RawQuery) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
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

async fn list_events(
    State(exchange): Shared,
    Path((_, sid)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let call = find(&exchange, &format!("{sid}.json"));
    answer(call.and_then(|call| events::list(&exchange, &call, &form)))
}

async fn not_found(request: Request) -> Response {
    Refusal::not_found(request.uri().path()).into_response()
}

fn find(exchange: &Exchange, file: &str) -> Result<Arc<Call>, Refusal> {
    file.strip_suffix(".json")
        .and_then(|sid| exchange.call(sid))
        .ok_or_else(|| Refusal::not_found(&format!("{}/Calls/{file}", exchange.account_path())))
}

fn answer(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(value) => (StatusCode::OK, axum::Json(value)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
