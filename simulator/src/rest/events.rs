//! The webhooks that were made for a call.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::form::Form;
use super::page::{List, Page, Show};
use crate::call::{Call, has_come};
use crate::date;
use crate::exchange::Exchange;
use crate::webhook::Delivery;

pub(super) fn list(exchange: &Exchange, call: &Call, form: &Form) -> Result<Value, Refusal> {
    let page = Page::read(form)?;
    let now = Timestamp::now();
    let mut all = call.deliveries().borrow().clone();
    all.retain(|delivery| has_come(delivery.at, call.fate.events_lag_ms, now));
    let path = format!("{}/Calls/{}/Events.json", exchange.account_path(), call.sid);
    let list = List { key: "events", path: &path };
    // Events have no SID, and none comes in front: they are paged by number.
    Ok(page.of(&list, form, &all, Show { sid: |_| "", json: &event, takes: &|_| true }))
}

fn event(delivery: &Delivery) -> Value {
    let parameters: Map<String, Value> =
        delivery.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let reply = delivery.reply.as_ref().ok();
    json!({
        "request": {
            "method": delivery.method.as_str(),
            "url": delivery.url,
            "parameters": parameters,
        },
        "response": {
            "response_code": reply.map(|reply| reply.status),
            "request_duration": delivery.took.as_millis() as u64,
            "content_type": reply.and_then(|reply| reply.content_type.clone()),
            "response_body": reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned()),
            "date_created": date::rfc2822(delivery.at),
        },
    })
}
