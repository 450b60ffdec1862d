//! Whether the server lives, and whether it can work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::store::Write;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Server;
use super::error::{Body, Problem};
use super::reply;

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Alive {
    /// `ok`
    status: &'static str,
}

/// The server can work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// `ready`
    status: &'static str,
    /// `configured` or `not configured`: without an account nothing is dialled.
    twilio: &'static str,
    /// Since when the store may have forgotten calls, so that nothing is dialled; null as long as all is well.
    in_doubt_since: Option<Timestamp>,
}

/// Says that the process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It does", body = Alive)))]
pub(super) async fn alive() -> Response {
    reply::json(StatusCode::OK, &Alive { status: "ok" })
}

/// Says whether the server can work: the store answers reads, and its writer is there.
///
/// Not while the server is stopping, so that whatever shares the work among several servers leaves this one out.
#[utoipa::path(
    get, path = "/readyz",
    responses(
        (status = 200, description = "It can", body = Ready),
        (status = 503, description = "It cannot", body = Body<'_>, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    if server.stopping.is_cancelled() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"));
    }
    let store = server.ledger.store();
    store.overdue(1).await?;
    store.commit(Write::default()).await?;
    let doubt = store.doubts().borrow().as_ref().map(|doubt| doubt.since);
    let twilio = if server.can_call.is_ok() { "configured" } else { "not configured" };
    Ok(reply::json(StatusCode::OK, &Ready { status: "ready", twilio, in_doubt_since: doubt }))
}
