//! The two HTTP clients, and a reply as far as it could be read.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::DATE;
use reqwest::{ClientBuilder, Response, StatusCode, redirect, retry};
use rustls::crypto::{CryptoProvider, ring};
use serde::Deserialize;
use url::Url;

use super::{API_VERSION, Account};
use crate::twilio::time;

/// The account's settings do not make a client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base URL is not `http(s)://host`, or has a user in it.
    #[error("Twilio's base URL must be http:// or https://, without user and password")]
    BaseUrl,
    /// The HTTP client could not be made; without root certificates on the machine, say.
    #[error("the HTTP client for Twilio: {0}")]
    Http(String),
}

/// A connection that takes longer fails, and then certainly no call was made. It stays
/// well below the whole timeout, which can tell nothing of the kind, and below the 5 s
/// within which a call's `date_created` must lie after its request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A page of calls is about 80 kB. More than this is not Twilio, and would fill memory.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(super) fn account_url(account: &Account) -> Result<Url, ClientError> {
    let base = &account.base_url;
    let plain = base.username().is_empty() && base.password().is_none();
    if !plain || !matches!(base.scheme(), "http" | "https") {
        return Err(ClientError::BaseUrl);
    }
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    Ok(below(&url, &[API_VERSION, "Accounts", &account.account_sid]))
}

pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Fails only for URLs without a host, which account_url does not let in.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// For placing calls: nothing here may send a request a second time.
pub(super) fn once(base: &Url, timeout: Duration) -> Result<reqwest::Client, ClientError> {
    build(
        builder(base, timeout)
            .retry(retry::never())
            // A kept connection may be closed by Twilio while we write, and hyper then
            // sends the request again on a new one.
            .pool_max_idle_per_host(0),
    )
}

/// For questions, and for saying what may be said twice.
pub(super) fn asking(base: &Url, timeout: Duration) -> Result<reqwest::Client, ClientError> {
    build(builder(base, timeout))
}

/// For a look at our own address from outside, as Twilio has it: no redirects, no proxy of ours.
pub fn from_outside(base: &Url, timeout: Duration) -> Result<reqwest::Client, ClientError> {
    build(builder(base, timeout))
}

fn builder(base: &Url, timeout: Duration) -> ClientBuilder {
    // reqwest panics without a provider. Another one that was there first is as good.
    let _ = CryptoProvider::install_default(ring::default_provider());
    let builder = reqwest::Client::builder()
        .user_agent(concat!("gymcall/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        // A redirected request carries the token to another place.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2));
    // The simulator on this machine needs no certificates, and a bare container has none.
    if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder }
}

fn build(builder: ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder.build().map_err(|error| ClientError::Http(explain(error)))
}

/// The error with its causes. Without the URL, which holds phone numbers.
pub(crate) fn explain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// What came back. The head was read; the body perhaps.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) server_date: Option<Timestamp>,
    pub(super) body: Result<Vec<u8>, String>,
}

pub(super) async fn read(response: Response) -> Reply {
    read_up_to(BODY_LIMIT, response).await
}

/// As [`read`], for answers that may be longer.
pub(super) async fn read_up_to(limit: usize, mut response: Response) -> Reply {
    let server_date = response.headers().get(DATE).and_then(|date| time::rfc2822(date.to_str().ok()?));
    let status = response.status();
    let mut read = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if read.len() + chunk.len() <= limit => read.extend(&chunk),
            Ok(Some(_)) => break Err(format!("the body is over {limit} bytes long")),
            Ok(None) => break Ok(read),
            Err(error) => break Err(explain(error)),
        }
    };
    Reply { status, server_date, body }
}

/// An error that Twilio itself wrote.
pub(super) struct TwilioError {
    pub(super) code: u32,
    pub(super) message: String,
}

#[derive(Deserialize)]
struct WireError {
    code: u32,
    message: Option<String>,
    title: Option<String>,
}

impl Reply {
    /// The body as Twilio's error, if it is one.
    ///
    /// Twilio's codes have five digits. A proxy between us that writes `{"code": 502}`
    /// does not know what Twilio did, so it must not pass for Twilio's word.
    pub(super) fn twilio_error(&self) -> Option<TwilioError> {
        let error: WireError = serde_json::from_slice(self.body.as_ref().ok()?).ok()?;
        if error.code < 10_000 {
            return None;
        }
        let message = error.message.or(error.title).unwrap_or_default();
        Some(TwilioError { code: error.code, message: message.chars().take(500).collect() })
    }

    /// The body as JSON, or why it is not that. The body itself stays out of the text.
    pub(super) fn json<T: for<'de> Deserialize<'de>>(&self) -> Result<T, String> {
        let body = self.body.as_ref().map_err(Clone::clone)?;
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }
}
