//! The account's telephone numbers: its own, and those that it has proved to be its holder's.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::error::Refusal;
use super::form::{Form, Query};
use super::page::{List, Page, Show};
use super::{Shared, answer, resource};
use crate::date;
use crate::exchange::Exchange;
use crate::sid;

/// A number and its SID.
struct Number<'a> {
    sid: String,
    number: &'a str,
}

/// The two lists.
#[derive(Clone, Copy)]
enum Kind {
    Own,
    Verified,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Own => "incoming_phone_numbers",
            Kind::Verified => "outgoing_caller_ids",
        }
    }

    fn page(self) -> &'static str {
        match self {
            Kind::Own => "IncomingPhoneNumbers",
            Kind::Verified => "OutgoingCallerIds",
        }
    }

    fn all(self, exchange: &Exchange) -> Vec<Number<'_>> {
        let account = &exchange.settings.account;
        let numbers = match self {
            Kind::Own => &account.numbers,
            Kind::Verified => &account.verified,
        };
        numbers.iter().map(|number| Number { sid: sid::of_number(number), number }).collect()
    }

    fn json(self, exchange: &Exchange, number: &Number<'_>) -> Value {
        match self {
            Kind::Own => own(exchange, number),
            Kind::Verified => verified(exchange, number),
        }
    }
}

pub(super) fn routes() -> Router<Arc<Exchange>> {
    let mut router = Router::new();
    for kind in [Kind::Own, Kind::Verified] {
        let base = format!("/2010-04-01/Accounts/{{account}}/{}", kind.page());
        let list = async move |State(exchange): Shared, Query(form): Query| answer(list(&exchange, kind, &form));
        let fetch = async move |State(exchange): Shared, Path((_, file)): Path<(String, String)>| -> Response {
            answer(fetch(&exchange, kind, &file))
        };
        router = router.route(&format!("{base}.json"), get(list)).route(&format!("{base}/{{number}}"), get(fetch));
    }
    router
}

fn list(exchange: &Exchange, kind: Kind, form: &Form) -> Result<Value, Refusal> {
    let page = Page::read(form)?;
    let mut all = kind.all(exchange);
    // Twilio finds a part of a number, and takes a star for any digits.
    let wanted = form.get("PhoneNumber").map(|text| text.replace('*', ""));
    all.retain(|number| wanted.as_ref().is_none_or(|wanted| number.number.contains(wanted.as_str())));
    let name = form.get("FriendlyName");
    all.retain(|number| name.is_none_or(|name| resource::formatted(number.number) == name));
    let path = format!("{}/{}.json", exchange.account_path(), kind.page());
    let show =
        Show { sid: |number: &Number<'_>| &number.sid, json: &|number| kind.json(exchange, number), takes: &|_| true };
    Ok(page.of(&List { key: kind.key(), path: &path }, form, &all, show))
}

fn fetch(exchange: &Exchange, kind: Kind, file: &str) -> Result<Value, Refusal> {
    let sid = file.strip_suffix(".json").unwrap_or(file);
    let all = kind.all(exchange);
    let found = all.iter().find(|number| number.sid == sid);
    let missing = || Refusal::not_found(&format!("{}/{}/{file}", exchange.account_path(), kind.page()));
    found.map(|number| kind.json(exchange, number)).ok_or_else(missing)
}

fn own(exchange: &Exchange, Number { sid, number }: &Number<'_>) -> Value {
    let path = exchange.account_path();
    let since = date::rfc2822(exchange.since);
    let uri = format!("{path}/IncomingPhoneNumbers/{sid}");
    json!({
        "sid": sid,
        "account_sid": exchange.settings.account_sid,
        "phone_number": number,
        "friendly_name": resource::formatted(number),
        "capabilities": { "voice": true, "sms": false, "mms": false, "fax": false },
        "status": "in-use",
        "origin": "twilio",
        "type": null,
        "beta": false,
        "api_version": "2010-04-01",
        "date_created": since,
        "date_updated": since,
        "address_requirements": "none",
        "address_sid": null,
        "identity_sid": null,
        "bundle_sid": null,
        "trunk_sid": null,
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "emergency_address_status": "unregistered",
        "voice_url": null,
        "voice_method": "POST",
        "voice_fallback_url": null,
        "voice_fallback_method": "POST",
        "voice_application_sid": null,
        "voice_caller_id_lookup": false,
        "voice_receive_mode": "voice",
        "status_callback": null,
        "status_callback_method": "POST",
        "sms_url": null,
        "sms_method": "POST",
        "sms_fallback_url": null,
        "sms_fallback_method": "POST",
        "sms_application_sid": null,
        "uri": format!("{uri}.json"),
        "subresource_uris": { "assigned_add_ons": format!("{uri}/AssignedAddOns.json") },
    })
}

fn verified(exchange: &Exchange, Number { sid, number }: &Number<'_>) -> Value {
    let since = date::rfc2822(exchange.since);
    json!({
        "sid": sid,
        "account_sid": exchange.settings.account_sid,
        "phone_number": number,
        "friendly_name": resource::formatted(number),
        "date_created": since,
        "date_updated": since,
        "uri": format!("{}/OutgoingCallerIds/{sid}.json", exchange.account_path()),
    })
}
