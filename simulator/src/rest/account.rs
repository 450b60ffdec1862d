//! The account itself, and its money.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::form::Query;
use super::page::{List, Page, Show};
use super::{Shared, answer};
use crate::date;
use crate::exchange::Exchange;

/// What an account has, by its name in `subresource_uris`.
const PARTS: [(&str, &str); 8] = [
    ("balance", "Balance"),
    ("calls", "Calls"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("notifications", "Notifications"),
    ("outgoing_caller_ids", "OutgoingCallerIds"),
    ("recordings", "Recordings"),
    ("applications", "Applications"),
    ("conferences", "Conferences"),
];

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/2010-04-01/Accounts.json", get(list))
        .route("/2010-04-01/Accounts/{account}", get(async |State(exchange): Shared| answer(Ok(resource(&exchange)))))
        .route("/2010-04-01/Accounts/{account}/Balance.json", get(balance))
}

async fn list(State(exchange): Shared, Query(form): Query) -> Response {
    let list = List { key: "accounts", path: "/2010-04-01/Accounts.json" };
    let show = Show { sid: |_| "", json: &|()| resource(&exchange), takes: &|()| true };
    answer(Page::read(&form).map(|page| page.of(&list, &form, &[()], show)))
}

fn resource(exchange: &Exchange) -> Value {
    let settings = &exchange.settings;
    let path = exchange.account_path();
    let since = date::rfc2822(exchange.since);
    let parts: Map<String, Value> =
        PARTS.into_iter().map(|(key, name)| (key.to_owned(), Value::from(format!("{path}/{name}.json")))).collect();
    json!({
        "sid": settings.account_sid,
        "owner_account_sid": settings.account_sid,
        "auth_token": settings.auth_token,
        "friendly_name": settings.account.name,
        "status": settings.account.standing.as_str(),
        "type": if settings.account.trial.is_some() { "Trial" } else { "Full" },
        "date_created": since,
        "date_updated": since,
        "uri": format!("{path}.json"),
        "subresource_uris": parts,
    })
}

async fn balance(State(exchange): Shared) -> Response {
    answer(Ok(json!({
        "account_sid": exchange.settings.account_sid,
        "balance": format!("{:.2}", exchange.settings.account.balance),
        "currency": "USD",
    })))
}
