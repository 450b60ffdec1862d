//! Where the account may call, and at what price. At Twilio these pages are on hosts of their own, as
//! `voice.twilio.com`; here they are all on one.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::error::Refusal;
use super::form::Query;
use super::{Shared, answer};
use crate::account::country::Country;
use crate::exchange::Exchange;

const PERMISSIONS: &str = "/v1/DialingPermissions/Countries";

pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route(PERMISSIONS, get(list))
        .route("/v1/DialingPermissions/Countries/{iso}", get(fetch))
        .route("/v2/Voice/Numbers/{number}", get(price))
}

/// All on one page; the list here is short.
async fn list(State(exchange): Shared, Query(form): Query) -> Response {
    let (iso, code) = (form.get("IsoCode"), form.get("CountryCode"));
    let shown: Vec<Value> = Country::all()
        .iter()
        .filter(|country| iso.is_none_or(|iso| country.iso.eq_ignore_ascii_case(iso)))
        .filter(|country| code.is_none_or(|code| country.codes.iter().any(|own| own.trim_start_matches('+') == code)))
        .map(|country| permissions(&exchange, country))
        .collect();
    let url = format!("{}{PERMISSIONS}?PageSize=50&Page=0", exchange.base_url);
    answer(Ok(json!({
        "content": shown,
        "meta": {
            "first_page_url": url,
            "key": "content",
            "next_page_url": null,
            "page": 0,
            "page_size": 50,
            "previous_page_url": null,
            "url": url,
        },
    })))
}

async fn fetch(State(exchange): Shared, Path(iso): Path<String>, uri: Uri) -> Response {
    let country = Country::of_iso(&iso).ok_or_else(|| Refusal::not_found(uri.path()));
    answer(country.map(|country| permissions(&exchange, country)))
}

fn permissions(exchange: &Exchange, country: &Country) -> Value {
    let url = format!("{}{PERMISSIONS}/{}", exchange.base_url, country.iso);
    json!({
        "iso_code": country.iso,
        "name": country.name,
        "continent": country.continent,
        "country_codes": country.codes,
        "low_risk_numbers_enabled": exchange.settings.account.may_call(country),
        "high_risk_special_numbers_enabled": false,
        "high_risk_tollfraud_numbers_enabled": false,
        "url": url,
        "links": { "highrisk_special_prefixes": format!("{url}/HighRiskSpecialPrefixes") },
    })
}

async fn price(State(exchange): Shared, Path(number): Path<String>, Query(form): Query, uri: Uri) -> Response {
    let Some(country) = Country::of_number(&number) else {
        return answer(Err(Refusal::not_found(uri.path())));
    };
    let price = format!("{:.4}", exchange.settings.price_per_minute);
    answer(Ok(json!({
        "destination_number": number,
        "origination_number": form.get("OriginationNumber"),
        "country": country.name,
        "iso_country": country.iso,
        "outbound_call_prices": [
            { "base_price": price, "current_price": price, "origination_prefixes": ["ALL"] },
        ],
        "inbound_call_price": { "base_price": null, "current_price": null, "number_type": null },
        "price_unit": "USD",
        "url": format!("{}/v2/Voice/Numbers/{number}", exchange.base_url),
    })))
}
