//! Replies that are JSON, as most are.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// JSON with a status.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

/// Part of a list, and the cursor of the part that follows.
pub(super) fn page(items: &[Value], next: Option<String>) -> Response {
    json(StatusCode::OK, &json!({"items": items, "next_cursor": next}))
}
