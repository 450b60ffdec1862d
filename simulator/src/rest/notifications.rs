//! Errors and warnings, of one call and of the account.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::error::Refusal;
use super::form::{Form, Query};
use super::page::{List, Page, Show};
use super::span::Span;
use super::{Shared, answer, calls};
use crate::date;
use crate::exchange::Exchange;
use crate::notification::Notification;

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Notifications.json",
            get(async |State(exchange): Shared, Query(form): Query| answer(list(&exchange, None, &form))),
        )
        .route("/2010-04-01/Accounts/{account}/Notifications/{notification}", get(fetch))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Notifications.json", get(list_of_call))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}/Notifications/{notification}", get(fetch_of_call))
}

async fn list_of_call(
    State(exchange): Shared,
    Path((_, call)): Path<(String, String)>,
    Query(form): Query,
) -> Response {
    answer(calls::find(&exchange, &call).and_then(|call| list(&exchange, Some(&call.sid), &form)))
}

async fn fetch(State(exchange): Shared, Path((_, file)): Path<(String, String)>) -> Response {
    answer(one(&exchange, None, &file))
}

async fn fetch_of_call(State(exchange): Shared, Path((_, call, file)): Path<(String, String, String)>) -> Response {
    answer(calls::find(&exchange, &call).and_then(|call| one(&exchange, Some(&call.sid), &file)))
}

fn list(exchange: &Exchange, call: Option<&str>, form: &Form) -> Result<Value, Refusal> {
    let (page, span) = (Page::read(form)?, Span::read(form, "MessageDate")?);
    let level = form.get("Log");
    let mut all = exchange.notifications.list(call);
    all.retain(|one| span.takes(Some(one.at)) && level.is_none_or(|level| level == self::level(one)));
    let path = exchange.list_path(call, "Notifications");
    let show = Show {
        sid: |one: &Arc<Notification>| &one.sid,
        json: &|one: &Arc<Notification>| resource(exchange, one),
        takes: &|_| true,
    };
    Ok(page.of(&List { key: "notifications", path: &path }, form, &all, show))
}

fn one(exchange: &Exchange, call: Option<&str>, file: &str) -> Result<Value, Refusal> {
    let sid = file.strip_suffix(".json").unwrap_or(file);
    let all = exchange.notifications.list(call);
    let missing = || Refusal::not_found(&format!("{}/Notifications/{file}", exchange.account_path()));
    let found = all.iter().find(|one| one.sid == sid).ok_or_else(missing)?;
    let mut resource = resource(exchange, found);
    // What was said is shown of a single one only.
    let params = found.request.as_ref().map(|request| &request.params);
    let variables = params.map(|params| Serializer::new(String::new()).extend_pairs(params).finish());
    resource["request_variables"] = Value::from(variables.unwrap_or_default());
    resource["response_headers"] = Value::from("");
    resource["response_body"] = Value::from(found.request.as_ref().map_or("", |request| &request.body));
    Ok(resource)
}

/// `0` for an error, `1` for a warning.
fn level(notification: &Notification) -> &'static str {
    if notification.is_warning() { "1" } else { "0" }
}

fn resource(exchange: &Exchange, notification: &Notification) -> Value {
    let at = date::rfc2822(notification.at);
    let code = notification.code.to_string();
    let request = notification.request.as_ref();
    let url = request.map_or("", |request| &request.url);
    let text: String = Serializer::new(String::new())
        .extend_pairs([
            ("Msg", notification.message.as_str()),
            ("ErrorCode", &code),
            ("url", url),
            ("LogLevel", if notification.is_warning() { "WARN" } else { "ERROR" }),
        ])
        .finish();
    json!({
        "sid": notification.sid,
        "account_sid": exchange.settings.account_sid,
        "call_sid": notification.call_sid,
        "api_version": "2010-04-01",
        "log": level(notification),
        "error_code": code,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "message_text": text,
        "message_date": at,
        "request_url": url,
        "request_method": request.map(|request| request.method.as_str()),
        "date_created": at,
        "date_updated": at,
        "uri": format!("{}/Notifications/{}.json", exchange.account_path(), notification.sid),
    })
}
