//! What goes wrong with requests other than those that create calls.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use super::error::Refusal;
use crate::exchange::Exchange;
use crate::fault::Kind;
use crate::log::Event;
use crate::wire::{Cut, Cutter};

/// Lets a request meet its fate.
pub(super) async fn meet(
    State(exchange): State<Arc<Exchange>>,
    ConnectInfo(connection): ConnectInfo<Cutter>,
    request: Request,
    next: Next,
) -> Response {
    let Some(kind) = kind(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let fate = exchange.next_request(kind);
    if fate.is_usual() {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    exchange.log.add(Event::Request { kind, path, fate: fate.clone() });
    let reset = || {
        connection.cut(Cut::AtOnce);
        Refusal::internal().into_response()
    };
    let held = async {
        if fate.silence {
            // Until the client goes.
            pending::<()>().await;
        }
        sleep(Duration::from_millis(fate.delay_ms)).await;
    };
    tokio::select! {
        () = held => {}
        () = exchange.closed() => return reset(),
    }
    if fate.throttle {
        return Refusal::throttled().into_response();
    }
    if fate.error {
        return Refusal::internal().into_response();
    }
    if fate.reset {
        return reset();
    }
    let reply = next.run(request).await;
    if fate.reset_after {
        reset()
    } else if fate.error_after {
        Refusal::internal().into_response()
    } else {
        reply
    }
}

/// What a request is for; none if it creates a call, whose fate is drawn with the call's.
fn kind(method: &Method, path: &str) -> Option<Kind> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_one = last.len() >= 34 && last.as_bytes()[2..34].iter().all(u8::is_ascii_hexdigit);
    match *method {
        Method::POST if last == "Calls.json" => None,
        Method::POST => Some(Kind::Update),
        Method::DELETE => Some(Kind::Delete),
        _ if is_one => Some(Kind::Fetch),
        _ => Some(Kind::List),
    }
}
