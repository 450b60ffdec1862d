//! The REST API: who may ask, and which page answers.
//!
//! Each list of Twilio's has a module with its own routes. [`admission`] lets a request in first.

mod account;
mod admission;
mod calls;
mod countries;
mod create;
mod error;
mod events;
mod fidelity;
mod form;
mod list;
mod magic;
mod misfortune;
mod notifications;
mod numbers;
mod order;
mod page;
mod recordings;
mod resource;
mod span;
mod streams;
mod update;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::exchange::Exchange;
use crate::watch;
use error::Refusal;

type Shared = State<Arc<Exchange>>;

/// All routes. A last part in braces ends in `.json`, and may do without at some places.
pub(crate) fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .merge(account::routes())
        .merge(calls::routes())
        .merge(countries::routes())
        .merge(notifications::routes())
        .merge(numbers::routes())
        .merge(recordings::routes())
        .merge(streams::routes())
        .fallback(async |request: Request| Refusal::not_found(request.uri().path()))
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(middleware::from_fn_with_state(Arc::clone(&exchange), misfortune::meet))
        .layer(middleware::from_fn_with_state(Arc::clone(&exchange), admission::admit))
        .with_state(Arc::clone(&exchange))
        .merge(watch::router(exchange))
}

fn answer(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(value) => (StatusCode::OK, axum::Json(value)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
