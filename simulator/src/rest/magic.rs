//! Test credentials: an order is checked as if it were real, and then forgotten. Nothing is created, nothing dialled.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::error::Refusal;
use super::form::Form;
use super::order::{self, Terms};
use super::resource;
use crate::call::Call;
use crate::exchange::Exchange;
use crate::fault::Fate;
use crate::sid;

/// The only number that test credentials call from.
const FROM: &str = "+15005550006";
const INVALID: &str = "+15005550001";

/// Why the magic number `from` cannot call, if it cannot.
pub(super) fn refusal_from(from: &str) -> Option<u32> {
    match from {
        FROM => None,
        INVALID => Some(21212),
        _ => Some(21210),
    }
}

/// Why the magic number `to` cannot be called, if it cannot.
pub(super) fn refusal_to(to: &str) -> Option<u32> {
    match to {
        INVALID => Some(21217),
        "+15005550002" => Some(21214),
        "+15005550003" => Some(21215),
        "+15005550004" => Some(21216),
        _ => None,
    }
}

pub(super) fn create(exchange: &Exchange, form: &Form) -> Response {
    match order::read(Terms::Test, form) {
        Ok((order, _)) => {
            let (call, _) = Call::new(sid::call(), order, Fate::default(), 0);
            let account = exchange.settings.account.test.as_ref();
            match account {
                Some(test) => (StatusCode::CREATED, Json(resource::of_account(exchange, &test.sid, &call))),
                None => return Refusal::authenticate().into_response(),
            }
            .into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}
