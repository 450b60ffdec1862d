//! The webhooks that were made for a call.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::form::Form;
use crate::call::{Call, has_come};
use crate::date;
use crate::exchange::Exchange;
use crate::webhook::Delivery;

const PAGE: usize = 50;

pub(super) fn list(exchange: &Exchange, call: &Call, form: &Form) -> Result<Value, Refusal> {
    let number = |name: &str, default: usize| match form.get(name) {
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::bad(20006, format!("{name} must be a number"))),
        None => Ok(default),
    };
    let (page, size) = (number("Page", 0)?, number("PageSize", PAGE)?.clamp(1, 1000));
    let now = Timestamp::now();
    let mut all = call.deliveries().borrow().clone();
    all.retain(|delivery| has_come(delivery.at, call.fate.events_lag_ms, now));
    let start = page.saturating_mul(size);
    let shown: Vec<Value> = all.iter().skip(start).take(size).map(event).collect();
    let base = format!("{}/Calls/{}/Events.json", exchange.account_path(), call.sid);
    let uri = |page: usize| format!("{base}?PageSize={size}&Page={page}");
    Ok(json!({
        "first_page_uri": uri(0),
        "next_page_uri": (start + shown.len() < all.len()).then(|| uri(page + 1)),
        "previous_page_uri": page.checked_sub(1).map(uri),
        "uri": uri(page),
        "page": page,
        "page_size": size,
        "start": start,
        "end": (start + shown.len()).saturating_sub(1).max(start),
        "events": shown,
    }))
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
