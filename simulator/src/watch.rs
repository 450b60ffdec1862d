//! A page that shows what happens, for a person on this machine: no password, and nothing but reading.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as News, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::Stream;
use futures_util::stream::unfold;

use crate::exchange::Exchange;

const PAGE: &str = include_str!("watch/page.html");
/// Nothing from elsewhere is loaded or asked, and no other site may show the page inside its own.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route("/", get(async || ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))))
        .route("/log", get(follow))
        .layer(middleware::from_fn_with_state(Arc::clone(&exchange), only_here))
        .with_state(exchange)
}

/// For this machine only. The name it is asked by counts too: a page of another site, whose name was
/// made to lead here, must not read numbers and words.
async fn only_here(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if exchange.settings.bind.ip().is_loopback() && is_this_machine(host) {
        next.run(request).await
    } else {
        (StatusCode::NOT_FOUND, "this page is for the machine itself").into_response()
    }
}

/// Whether a `Host` header has this machine's own name, or an address: anybody can have a name that
/// only looks like one.
fn is_this_machine(host: &str) -> bool {
    host.parse::<Authority>().is_ok_and(|authority| {
        let name = authority.host();
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        name == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Every entry of the log from the first on, as server-sent events.
async fn follow(State(exchange): State<Arc<Exchange>>) -> Sse<impl Stream<Item = Result<News, Infallible>>> {
    Sse::new(unfold((exchange.log.subscribe(), exchange), async |(mut feed, exchange)| {
        let entry = tokio::select! {
            entry = feed.next() => entry,
            // A page that is open must not keep the simulator alive.
            () = exchange.closed() => return None,
        };
        // An entry is plain data, so this cannot fail.
        let text = serde_json::to_string(entry.as_ref()).unwrap_or_default();
        Some((Ok(News::default().data(text)), (feed, exchange)))
    }))
}
