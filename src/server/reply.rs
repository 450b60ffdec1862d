//! Replies that are JSON, as most are.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// What to ask with, as `cursor`, for the items that follow; null at the end.
    pub(super) next_cursor: Option<String>,
}

/// JSON with a status.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

/// Part of a list, and the cursor of the part that follows.
pub(super) fn page<T: Serialize>(items: Vec<T>, next_cursor: Option<String>) -> Response {
    json(StatusCode::OK, &List { items, next_cursor })
}
