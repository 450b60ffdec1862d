//! A call as JSON: every value a string or null.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::date;
use crate::exchange::Exchange;
use crate::sid;

/// The resource of `call` as it stands.
pub(super) fn of(exchange: &Exchange, call: &Call) -> Value {
    of_account(exchange, &exchange.settings.account_sid, call)
}

/// The same, as a call of the account `account_sid`.
pub(super) fn of_account(exchange: &Exchange, account_sid: &str, call: &Call) -> Value {
    let status = call.status();
    let facts = call.facts().clone();
    let path = format!("/2010-04-01/Accounts/{account_sid}/Calls/{}", call.sid);
    let date = |at: Option<Timestamp>| at.map(date::rfc2822);
    let duration = facts.duration_s();
    let minutes = duration.filter(|_| is_billed(exchange, facts.ended)).map(|seconds| seconds.div_ceil(60));
    json!({
        "sid": call.sid,
        "account_sid": account_sid,
        "parent_call_sid": call.parent,
        "date_created": date::rfc2822(facts.created),
        "date_updated": date::rfc2822(facts.updated),
        "to": call.order.to,
        "to_formatted": formatted(&call.order.to),
        "from": call.order.from,
        "from_formatted": formatted(&call.order.from),
        "phone_number_sid": number_sid(exchange, call),
        "status": status.in_rest(),
        "start_time": date(facts.dialled),
        "end_time": date(facts.ended),
        "duration": duration.map(|seconds| seconds.to_string()),
        "price": minutes.map(|minutes| {
            format!("{:.5}", -(minutes as f64) * exchange.settings.price_per_minute)
        }),
        "price_unit": "USD",
        "direction": call.direction(),
        "answered_by": facts.answered_by.map(|verdict| verdict.answered_by.as_str()),
        "api_version": "2010-04-01",
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": facts.queue_ms.to_string(),
        "trunk_sid": null,
        "uri": format!("{path}.json"),
        "subresource_uris": parts(&path),
    })
}

/// Whether the price of a call that ended then is known by now.
fn is_billed(exchange: &Exchange, ended: Option<Timestamp>) -> bool {
    let wait = exchange.settings.account.price_after_s;
    ended.is_some_and(|ended| Timestamp::now().duration_since(ended).as_secs_f64() >= wait)
}

/// The SID of the account's own number that calls, if it is listed as one.
fn number_sid(exchange: &Exchange, call: &Call) -> Option<String> {
    exchange.settings.account.numbers.contains(&call.order.from).then(|| sid::of_number(&call.order.from))
}

fn parts(path: &str) -> Value {
    let parts: Map<String, Value> = [
        ("notifications", "Notifications"),
        ("recordings", "Recordings"),
        ("payments", "Payments"),
        ("events", "Events"),
        ("siprec", "Siprec"),
        ("streams", "Streams"),
        ("transcriptions", "Transcriptions"),
        ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
        ("user_defined_messages", "UserDefinedMessages"),
    ]
    .into_iter()
    .map(|(key, name)| (key.to_owned(), Value::from(format!("{path}/{name}.json"))))
    .collect();
    Value::Object(parts)
}

/// `(415) 555-1212` for a North American number; others stay as they are.
pub(super) fn formatted(number: &str) -> String {
    match number.strip_prefix("+1") {
        Some(digits) if digits.len() == 10 && digits.is_ascii() => {
            format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..])
        }
        _ => number.to_owned(),
    }
}
