//! An app with webhooks: it keeps what it gets and answers what it was told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use hmac::Mac as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{TOKEN, soon};

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) params: Vec<(String, String)>,
    /// Whether it is signed for the URL it arrived at.
    pub(crate) signed: bool,
}

impl Got {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    pub(crate) fn status(&self) -> &str {
        self.get("CallStatus").unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    got: mpsc::UnboundedReceiver<Got>,
    told: Arc<Told>,
}

struct Told {
    address: SocketAddr,
    twiml: Mutex<String>,
    /// Statuses for the next callbacks; 204 when there are none left.
    statuses: Mutex<VecDeque<u16>>,
    got: mpsc::UnboundedSender<Got>,
}

impl App {
    /// An app whose `/voice` answers with `twiml`.
    pub(crate) async fn start(twiml: &str) -> App {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        App::on(listener, twiml)
    }

    pub(crate) fn on(listener: TcpListener, twiml: &str) -> App {
        let address = listener.local_addr().unwrap();
        let (sender, got) = mpsc::unbounded_channel();
        let told =
            Arc::new(Told { address, twiml: Mutex::new(twiml.to_owned()), statuses: Mutex::default(), got: sender });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        App { address, got, told }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn answer_next_with(&self, statuses: &[u16]) {
        self.told.statuses.lock().unwrap().extend(statuses);
    }

    pub(crate) async fn next(&mut self) -> Got {
        soon(self.got.recv()).await.unwrap()
    }

    /// The next request to a path that begins with `path`; others are passed over.
    pub(crate) async fn next_to(&mut self, path: &str) -> Got {
        loop {
            let got = self.next().await;
            if got.uri.starts_with(path) {
                return got;
            }
        }
    }

    /// What has arrived and was not taken.
    pub(crate) fn rest(&mut self) -> Vec<Got> {
        std::iter::from_fn(|| self.got.try_recv().ok()).collect()
    }
}

async fn receive(State(told): State<Arc<Told>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let params: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let url = format!("http://{}{uri}", told.address);
    let signature = sign(&url, &params);
    let sent = headers.get("x-twilio-signature");
    let got = Got {
        method: method.to_string(),
        uri: uri.to_string(),
        signed: sent.is_some_and(|sent| sent.as_bytes() == signature.as_bytes()),
        headers,
        params,
    };
    told.got.send(got).unwrap();
    if uri.path().starts_with("/voice") {
        let twiml = told.twiml.lock().unwrap().clone();
        return ([(header::CONTENT_TYPE, "text/xml")], twiml).into_response();
    }
    let status = told.statuses.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(status).unwrap().into_response()
}

/// Twilio's signature, written a second time for the tests. Values are unique per name here.
pub(crate) fn sign(url: &str, params: &[(String, String)]) -> String {
    let mut text = url.to_owned();
    let sorted: std::collections::BTreeMap<_, _> = params.iter().cloned().collect();
    for (name, value) in sorted {
        text += &name;
        text += &value;
    }
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}
