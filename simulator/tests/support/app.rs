//! An app with webhooks: it keeps what it gets and answers what it was told to.

use std::collections::{HashMap, VecDeque};
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
    /// What `next_to` passed over.
    passed: VecDeque<Got>,
    told: Arc<Told>,
}

/// What a path answers, whatever it is asked.
#[derive(Clone)]
struct Page {
    status: u16,
    headers: Vec<(header::HeaderName, String)>,
    body: Vec<u8>,
}

struct Told {
    address: SocketAddr,
    twiml: Mutex<String>,
    /// Replies of other paths, whole: head and body.
    pages: Mutex<HashMap<String, Page>>,
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
        let told = Arc::new(Told {
            address,
            twiml: Mutex::new(twiml.to_owned()),
            pages: Mutex::default(),
            statuses: Mutex::default(),
            got: sender,
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        App { address, got, passed: VecDeque::new(), told }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on `path` answers with `twiml`.
    pub(crate) fn page(&self, path: &str, twiml: &str) {
        self.serve(path, 200, &[(header::CONTENT_TYPE, "text/xml")], twiml.as_bytes());
    }

    /// From now on `path` sends on to `location`.
    pub(crate) fn redirect(&self, path: &str, status: u16, location: &str) {
        self.serve(path, status, &[(header::LOCATION, location)], b"");
    }

    /// From now on `path` answers exactly so.
    pub(crate) fn serve(&self, path: &str, status: u16, headers: &[(header::HeaderName, &str)], body: &[u8]) {
        let headers = headers.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        self.told.pages.lock().unwrap().insert(path.to_owned(), Page { status, headers, body: body.to_vec() });
    }

    pub(crate) fn answer_next_with(&self, statuses: &[u16]) {
        self.told.statuses.lock().unwrap().extend(statuses);
    }

    pub(crate) async fn next(&mut self) -> Got {
        soon(self.got.recv()).await.unwrap()
    }

    /// The next request to a path that begins with `path`. Others are passed over, and kept for a
    /// later `next_to`: requests that do not wait for each other arrive in any order.
    pub(crate) async fn next_to(&mut self, path: &str) -> Got {
        if let Some(at) = self.passed.iter().position(|got| got.uri.starts_with(path)) {
            return self.passed.remove(at).unwrap();
        }
        loop {
            let got = self.next().await;
            if got.uri.starts_with(path) {
                return got;
            }
            self.passed.push_back(got);
        }
    }

    /// What has arrived and was neither taken nor passed over.
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
    let page = told.pages.lock().unwrap().get(uri.path()).cloned();
    if let Some(page) = page {
        let mut response = (StatusCode::from_u16(page.status).unwrap(), page.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in page.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
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
