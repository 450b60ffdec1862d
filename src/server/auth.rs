//! Who may use the HTTP interface: whoever has the key, where one is set.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Server;
use super::error::Problem;

/// Lets a request through that carries the key, or any request where no key is set, which the
/// settings allow on loopback addresses only.
pub(super) async fn require_key(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let Some(key) = &server.api_key else {
        return match from_a_page_elsewhere(&request) {
            // Without a key the browser on this desk is the hole: any page it shows could post here.
            true => Problem::new(StatusCode::FORBIDDEN, "requests from web pages of other origins are refused")
                .into_response(),
            false => next.run(request).await,
        };
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if same(given.trim(), key.expose_secret()) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::UNAUTHORIZED, "send `Authorization: Bearer …` with GYMCALL_API_KEY").into_response()
    }
}

fn from_a_page_elsewhere(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

/// Compared by digest, so that neither the length nor the place of a difference shows in the time.
fn same(given: &str, key: &str) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(key)).into()
}
