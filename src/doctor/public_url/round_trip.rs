//! What comes back from our own address.

use std::time::Duration;

use reqwest::header::{CONNECTION, LOCATION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, SERVER, UPGRADE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use super::super::Finding;
use super::CHECK;
use crate::app;
use crate::config::TwilioAccount;
use crate::server::doorway::{NONCE, NOT_SIGNED, PROOF};
use crate::twilio::callback::{STATUS_PATH, STREAM_PATH};
use crate::twilio::client::{ClientError, explain, from_outside};
use crate::twilio::public_url::PublicBase;
use crate::twilio::signature::Verifier;

/// As long as Twilio waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The name of a signature.
const SIGNATURE: &str = "x-twilio-signature";
/// Any 16 bytes make a handshake; the socket is not used.
const HANDSHAKE: &str = "Z3ltY2FsbCBkb2N0b3IhIQ==";

/// Three requests to the public address: a signed webhook, one that is not signed, and a socket.
pub(super) struct RoundTrip {
    url: Url,
    base: PublicBase,
    verifier: Verifier,
    http: Client,
}

impl RoundTrip {
    pub(super) fn new(url: &Url, base: PublicBase, account: &TwilioAccount) -> Result<Self, ClientError> {
        let http = from_outside(url, TIMEOUT)?;
        Ok(Self { url: url.clone(), base, verifier: app::verifier(account), http })
    }

    /// The findings, up to the first that failed: what is behind it cannot be seen.
    pub(super) async fn make(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Err(failed) = self.walk(&mut findings).await {
            findings.push(*failed);
        }
        findings
    }

    async fn walk(&self, findings: &mut Vec<Finding>) -> Result<(), Box<Finding>> {
        findings.push(self.signed().await?);
        findings.push(self.unsigned().await?);
        findings.push(self.socket().await?);
        Ok(())
    }

    async fn signed(&self) -> Result<Finding, Box<Finding>> {
        let nonce = format!("{:032x}", rand::random::<u128>());
        let query = format!("{NONCE}={nonce}");
        let url = self.base.requested(STATUS_PATH, Some(&query));
        let signature = self.verifier.sign_form(&url, &[("CallStatus".to_owned(), NONCE.to_owned())]);
        let response = self.send(self.webhook(&query).header(SIGNATURE, signature)).await?;
        if response.status() == StatusCode::NO_CONTENT {
            let answer = response.headers().get(PROOF).and_then(|answer| answer.to_str().ok());
            if answer == Some(&self.verifier.answer_to(&nonce)) {
                return Ok(Finding::ok(CHECK, format!("a signed webhook went out to {} and came to us", self.url)));
            }
        }
        Err(Box::new(self.astray(response).await))
    }

    async fn unsigned(&self) -> Result<Finding, Box<Finding>> {
        const UNSIGNED: &str = "unsigned webhook";
        let response = self.send(self.webhook("")).await?;
        match response.status() {
            StatusCode::FORBIDDEN => Ok(Finding::ok(UNSIGNED, "it is refused")),
            status => {
                let mend = "Set TWILIO_VALIDATE_SIGNATURE=true at the server that runs there, and start it anew";
                Err(Box::new(Finding::failed(
                    UNSIGNED,
                    format!("it is answered {status}: anybody can forge one"),
                    mend,
                )))
            }
        }
    }

    async fn socket(&self) -> Result<Finding, Box<Finding>> {
        const SOCKET: &str = "media stream";
        // This signature holds for ever, as the address has no word of its own in it: it goes out only after the round
        // trip has proved that it is us who answer there. Nor does it open a stream of a call, which wants its tag.
        let signature = self.verifier.sign_form(&self.base.opened(STREAM_PATH, None), &[]);
        let request = self.http.get(self.base.http_url(STREAM_PATH)).header(SIGNATURE, signature);
        let request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "websocket");
        let request = request.header(SEC_WEBSOCKET_VERSION, "13").header(SEC_WEBSOCKET_KEY, HANDSHAKE);
        match self.send(request).await?.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(Finding::ok(SOCKET, "a WebSocket opens")),
            status => {
                let mend = format!("Let the proxy or the tunnel pass WebSockets on {STREAM_PATH}");
                Err(Box::new(Finding::failed(SOCKET, format!("a WebSocket does not open ({status})"), mend)))
            }
        }
    }

    fn webhook(&self, query: &str) -> RequestBuilder {
        let mut url = self.base.http_url(STATUS_PATH);
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        self.http.post(url).form(&[("CallStatus", NONCE)])
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Box<Finding>> {
        request.send().await.map_err(|error| {
            let timeout = error.is_timeout();
            let detail = format!("nobody answers at {}: {}", self.url, explain(error));
            let mend = if timeout {
                "Look whether the tunnel or the proxy passes requests on to GYMCALL_BIND: Twilio waits 15 s"
            } else {
                "Start the tunnel or the proxy, or set PUBLIC_BASE_URL to the address that it has now"
            };
            Box::new(Finding::failed(CHECK, detail, mend))
        })
    }

    /// Why an answer is not ours.
    async fn astray(&self, response: Response) -> Finding {
        let (url, status, headers) = (&self.url, response.status(), response.headers().clone());
        let text = |name| headers.get(name).and_then(|value: &reqwest::header::HeaderValue| value.to_str().ok());
        if status.is_redirection() {
            let to = text(LOCATION.as_str()).unwrap_or("somewhere else");
            return Finding::failed(
                CHECK,
                format!("{url} sends us on to {to} ({status}), and a signature holds for one URL only"),
                "Set PUBLIC_BASE_URL to the address that answers by itself, mostly the one with https",
            );
        }
        // Of tunnels that have a name and nothing at the other end.
        if matches!(status.as_u16(), 502..=504 | 521..=523 | 530) || headers.contains_key("ngrok-error-code") {
            return Finding::failed(
                CHECK,
                format!("the tunnel or proxy at {url} answers by itself ({status}): it does not reach us"),
                "Point it at GYMCALL_BIND (http://127.0.0.1:8000 unless you have changed that), and keep it running",
            );
        }
        let server = text(SERVER.as_str()).map_or(String::new(), |server| format!(", {server}"));
        let body = response.text().await.unwrap_or_default();
        if status == StatusCode::FORBIDDEN && body.contains(NOT_SIGNED) {
            return Finding::failed(
                CHECK,
                format!(
                    "the server behind {url} refuses our signature: for it, that is not the URL which the outside uses"
                ),
                "Start it with these settings: PUBLIC_BASE_URL and TWILIO_AUTH_TOKEN must be the same, and the proxy must \
                 leave path and query as they are",
            );
        }
        Finding::failed(
            CHECK,
            format!("somebody else answers at {url} ({status}{server})"),
            "Look what listens on GYMCALL_BIND, and where the tunnel or the proxy leads",
        )
    }
}
