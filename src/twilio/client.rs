//! Twilio's REST API: placing a call, and asking about calls.
//!
//! Two HTTP clients, because they must not behave alike. A request for a call goes out
//! once, on a connection of its own, and is never repeated by any layer: Twilio knows no
//! idempotency key, so a second request is a second call to somebody's phone. Everything
//! else reads, or says again what is so already, and may reuse connections.

#[cfg(feature = "failpoints")]
mod halves;
mod hosts;
mod http;
mod inquiry;
mod placement;
mod recording;
mod remote;

use std::fmt;
use std::time::Duration;

use gymcall_jobs::id::CallSid;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

use super::refusal::Refusal;
pub(crate) use http::explain;
pub use http::{ClientError, from_outside};
pub use inquiry::{AccountRecord, Balance, Capabilities, MinutePrice, OwnedNumber};
pub use placement::{MachineDetection, PlaceCall, Placement};
pub use recording::RemoteRecording;
pub use remote::{Listing, NextPage, RemoteCall, RequestError};

/// Twilio's path of this version of the API.
const API_VERSION: &str = "2010-04-01";

/// Twilio's own default; more would only make the answer longer.
const PAGE_SIZE: &str = "50";

/// Where all calls of a time are wanted. Twilio takes up to 1,000; this many are some 300 kB.
const LONG_PAGE: &str = "200";

/// The account that calls.
#[derive(Clone)]
pub struct Account {
    /// `AC…`.
    pub account_sid: String,
    /// The primary auth token.
    pub auth_token: SecretString,
    /// `https://api.twilio.com`, or where the simulator listens.
    pub base_url: Url,
    /// The number that calls, in E.164.
    pub from_number: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("account_sid", &self.account_sid)
            .field("host", &self.base_url.host_str())
            .field("from_number", &self.from_number)
            .finish_non_exhaustive()
    }
}

/// Speaks to Twilio's REST API for one account. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    account: Account,
    account_url: Url,
    once: reqwest::Client,
    asking: reqwest::Client,
}

impl Client {
    /// A client whose requests end after `http_timeout`, from connecting to the last byte.
    ///
    /// Makes ring the process's TLS provider where none was chosen.
    pub fn new(account: Account, http_timeout: Duration) -> Result<Self, ClientError> {
        let account_url = http::account_url(&account)?;
        let once = http::once(&account.base_url, http_timeout)?;
        let asking = http::asking(&account.base_url, http_timeout)?;
        Ok(Self { account, account_url, once, asking })
    }

    /// Asks for one call with exactly one HTTP request, and sorts what came of it.
    ///
    /// Past `call.send_before` nothing is sent. A request that was sent ends within the client's
    /// timeout, so whoever takes the job over after both knows that it is no longer open.
    pub async fn place(&self, call: &PlaceCall) -> Placement {
        let request = self.once.post(self.url(&["Calls.json"])).form(&call.form(&self.account.from_number));
        let request = match self.signed_in(request).build() {
            Ok(request) => request,
            Err(error) => return Placement::not_sent(http::explain(error)),
        };
        #[cfg(feature = "failpoints")]
        let request = halves::of(request);
        gymcall_jobs::failpoint!("W4");
        if Instant::now() >= call.send_before {
            return Placement::not_sent("the dial deadline had passed".to_owned());
        }
        match self.once.execute(request).await {
            Ok(response) => placement::sort(http::read(response).await),
            // Only this says that no byte of the request left: the connector failed, and
            // the request had not been handed to a connection. A total timeout says
            // nothing of the kind, even if it struck while connecting; it is unclear.
            Err(error) if error.is_connect() => Placement::not_sent(http::explain(error)),
            Err(error) => Placement::Unclear { why: http::explain(error) },
        }
    }

    /// Reads a call (`GET /Calls/{sid}.json`). A call made a moment ago may not be found.
    pub async fn fetch(&self, call: &CallSid) -> Result<RemoteCall, RequestError> {
        let request = self.asking.get(self.url(&["Calls", &file_of(call)]));
        remote::call(self.ask(request).await?)
    }

    /// Ends a call (`Status=completed`), ringing or talking. Saying it twice does no harm.
    pub async fn hang_up(&self, call: &CallSid) -> Result<RemoteCall, RequestError> {
        self.update(call, "completed").await
    }

    /// Has a call say something else from now on: this document, of at most 4,000 characters.
    pub async fn instruct(&self, call: &CallSid, twiml: &str) -> Result<RemoteCall, RequestError> {
        let request = self.asking.post(self.url(&["Calls", &file_of(call)]));
        remote::call(self.ask(request.form(&[("Twiml", twiml)])).await?)
    }

    /// Takes back a call that is queued or ringing (`Status=canceled`).
    ///
    /// Twilio sends no callback for a call it had only queued: what this returns is then
    /// the only news of its end.
    pub async fn take_back(&self, call: &CallSid) -> Result<RemoteCall, RequestError> {
        self.update(call, "canceled").await
    }

    /// The latest calls to one number from another, newest first, 50 at most.
    ///
    /// Not narrowed by time: Twilio's filter knows only `start_time`, which is null while
    /// a call is queued, so that filter hides just the call one looks for.
    pub async fn list(&self, to: &str, from: &str) -> Result<Listing, RequestError> {
        let query = [("To", to), ("From", from), ("PageSize", PAGE_SIZE)];
        let request = self.asking.get(self.url(&["Calls.json"])).query(&query);
        remote::listing(self.ask(request).await?)
    }

    /// Calls from a number, newest first: one page of them, the first or the one that a listing named as its
    /// [`Listing::next`].
    pub async fn list_from(&self, from: &str, page: Option<&NextPage>) -> Result<Listing, RequestError> {
        let mut url = self.url(&["Calls.json"]);
        match page {
            Some(NextPage(query)) => url.set_query(Some(query)),
            None => drop(url.query_pairs_mut().append_pair("From", from).append_pair("PageSize", LONG_PAGE)),
        }
        remote::listing(self.ask(self.asking.get(url)).await?)
    }

    /// The URLs that Twilio requested for a call (`Events.json`). A tag in one of them
    /// proves which attempt the call belongs to.
    pub async fn request_urls(&self, call: &CallSid) -> Result<Vec<String>, RequestError> {
        let url = self.url(&["Calls", call.as_str(), "Events.json"]);
        let request = self.asking.get(url).query(&[("PageSize", PAGE_SIZE)]);
        remote::request_urls(self.ask(request).await?)
    }

    async fn update(&self, call: &CallSid, status: &str) -> Result<RemoteCall, RequestError> {
        let request = self.asking.post(self.url(&["Calls", &file_of(call)]));
        remote::call(self.ask(request.form(&[("Status", status)])).await?)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<http::Reply, RequestError> {
        match self.signed_in(request).send().await {
            Ok(response) => Ok(http::read(response).await),
            Err(error) => Err(RequestError::NoReply { why: http::explain(error) }),
        }
    }

    fn signed_in(&self, request: RequestBuilder) -> RequestBuilder {
        let token = self.account.auth_token.expose_secret();
        request.basic_auth(&self.account.account_sid, Some(token))
    }

    fn url(&self, below_account: &[&str]) -> Url {
        http::below(&self.account_url, below_account)
    }
}

/// The last segment of a call's address.
fn file_of(call: &CallSid) -> String {
    [call.as_str(), ".json"].concat()
}
