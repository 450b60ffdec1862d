//! Who may use the HTTP interface: whoever has the key, where one is set.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::Server;
use super::error::Problem;
use crate::config::is_loopback;

/// Lets a request through that carries the key, or any request of a program on this machine where no key is
/// set, which the settings allow on loopback addresses only.
pub(super) async fn require_key(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let Some(key) = &server.api_key else {
        if is_from_this_desk(request.headers()) {
            return next.run(request).await;
        }
        let why = "without GYMCALL_API_KEY only programs on this machine are served, under the name localhost or a loopback address";
        return Problem::new(StatusCode::FORBIDDEN, why).into_response();
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if same(token.map_or("", |(_, token)| token.trim()), key.expose_secret()) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::UNAUTHORIZED, "send `Authorization: Bearer …` with GYMCALL_API_KEY").into_response()
    }
}

/// Without a key the browser on this desk is the hole. A page from elsewhere could post here, and a page whose
/// name was rebound to a loopback address could even read the replies: the one gives itself away by its
/// origin, the other by the name that it uses for us.
fn is_from_this_desk(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let local = |url: &str| Url::parse(url).is_ok_and(|url| is_loopback(&url));
    let host = text("host").is_some_and(|host| local(&format!("http://{host}")));
    let origin = text("origin").is_none_or(local);
    let site = !matches!(text("sec-fetch-site"), Some("cross-site" | "same-site"));
    host && origin && site
}

/// Compared by digest, so that neither the length nor the place of a difference shows in the time.
fn same(given: &str, key: &str) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(key)).into()
}
