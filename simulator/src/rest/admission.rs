//! Who may ask, and how much at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::Refusal;
use crate::exchange::Exchange;
use crate::settings::Settings;
use crate::sid;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The account, by one of its tokens or keys.
    Holder,
    /// The account's test credentials: nothing is really done.
    Tester,
}

/// Lets a caller in, to its own pages, and puts Twilio's headers on the reply.
pub(super) async fn admit(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let open = Open::new(&exchange.open_requests);
    let most = exchange.settings.account.max_requests.unwrap_or(usize::MAX);
    let mut response = if open.count > most {
        Refusal::throttled().into_response()
    } else {
        match enter(&exchange.settings, request) {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let headers = response.headers_mut();
    for (name, value) in [
        ("twilio-request-id", sid::request()),
        ("twilio-request-duration", format!("{seconds:.3}")),
        ("twilio-concurrent-requests", open.count.to_string()),
        ("x-home-region", "us1".to_owned()),
        ("x-api-domain", "api.twilio.com".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The request, if its sender may make it.
fn enter(settings: &Settings, mut request: Request) -> Result<Request, Refusal> {
    let path = request.uri().path();
    let caller = caller(settings, request.headers()).ok_or_else(Refusal::authenticate)?;
    match caller {
        Caller::Holder if !is_own(settings, path) => return Err(Refusal::not_found(path)),
        Caller::Tester if !(request.method() == Method::POST && is_testable(settings, path)) => {
            return Err(Refusal::test_credentials());
        }
        Caller::Holder | Caller::Tester => {}
    }
    request.extensions_mut().insert(caller);
    Ok(request)
}

/// Everything outside of other accounts.
fn is_own(settings: &Settings, path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/2010-04-01/Accounts/") else {
        return true;
    };
    rest.strip_prefix(&settings.account_sid).is_some_and(|rest| rest == ".json" || rest.starts_with('/'))
}

fn is_testable(settings: &Settings, path: &str) -> bool {
    settings.account.test.as_ref().is_some_and(|test| path == format!("/2010-04-01/Accounts/{}/Calls.json", test.sid))
}

fn caller(settings: &Settings, headers: &HeaderMap) -> Option<Caller> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let given = String::from_utf8(STANDARD.decode(given).ok()?).ok()?;
    let (name, password) = given.split_once(':')?;
    let account = &settings.account;
    let is_test = account.test.as_ref().is_some_and(|test| test.sid == name && test.token == password);
    if is_test {
        return Some(Caller::Tester);
    }
    let by_token = name == settings.account_sid
        && (password == settings.auth_token || account.secondary_token.as_deref() == Some(password));
    let by_key = || account.api_keys.iter().any(|key| key.sid == name && key.secret == password);
    (by_token || by_key()).then_some(Caller::Holder)
}

/// A request that is being answered; it counts until this is dropped.
struct Open<'a> {
    requests: &'a AtomicUsize,
    /// How many there are with this one.
    count: usize,
}

impl Open<'_> {
    fn new(requests: &AtomicUsize) -> Open<'_> {
        let count = requests.fetch_add(1, Ordering::Relaxed) + 1;
        Open { requests, count }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }
}
