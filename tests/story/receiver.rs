//! Somebody else's server: takes webhooks, or does not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::desk::within;

/// What came, and what was answered.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: String,
    pub answered: u16,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it is signed with this secret, by RFC 2104 and FIPS 180 and nothing of ours.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert!((24..=64).contains(&key.len()), "{} bytes", key.len());
        let pad = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).unwrap_or(&0) ^ with).collect() };
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let inner = Sha256::digest([pad(0x36), signed.into_bytes()].concat());
        let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(outer))
    }
}

type Answer = dyn Fn(&Value) -> u16 + Send + Sync;

struct Desk {
    received: watch::Sender<Vec<Received>>,
    answer: Mutex<Arc<Answer>>,
}

/// A server that takes webhooks.
pub struct Receiver {
    url: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// One that answers like this.
    pub async fn start(answer: impl Fn(&Value) -> u16 + Send + Sync + 'static) -> Self {
        let desk = Arc::new(Desk { received: watch::Sender::default(), answer: Mutex::new(Arc::new(answer)) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, serving }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers like this from now on.
    pub fn answer(&self, answer: impl Fn(&Value) -> u16 + Send + Sync + 'static) {
        *self.desk.answer.lock().unwrap() = Arc::new(answer);
    }

    pub fn received(&self) -> Vec<Received> {
        self.desk.received.borrow().clone()
    }

    /// What it has received, as soon as that is enough.
    pub async fn until(&self, what: &str, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut received = self.desk.received.subscribe();
        within(what, async { received.wait_for(|all| enough(all)).await.unwrap().clone() }).await
    }
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let answer = Arc::clone(&desk.answer.lock().unwrap());
    let answered = answer(&serde_json::from_str(&body).unwrap());
    desk.received.send_modify(|all| all.push(Received { headers, body, answered }));
    StatusCode::from_u16(answered).unwrap()
}
