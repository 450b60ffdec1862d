//! A plain HTTP client.

use std::sync::Once;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// The users' side of the server.
pub struct Http {
    base: String,
    client: reqwest::Client,
    key: Option<&'static str>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Http {
    pub fn new(base: String) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Fails only where the server was first, with the same one.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, client, key: None }
    }

    /// As somebody who sends this key.
    pub fn with_key(&self, key: &'static str) -> Self {
        Self { base: self.base.clone(), client: self.client.clone(), key: Some(key) }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub async fn send(&self, method: Method, path: &str) -> Reply {
        reply(self.request(method, path)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        reply(self.request(Method::POST, path).json(body)).await
    }

    /// The same with an `Idempotency-Key`.
    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Reply {
        reply(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    pub async fn upload(&self, path: &str, csv: &str, headers: &[(&str, &str)]) -> Reply {
        let request = self.request(Method::POST, path).header("content-type", "text/csv").body(csv.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        reply(request).await
    }
}

pub async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: not JSON: {}", self.status, self.body))
    }

    /// The body, if this is the status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }

    /// The problem, if it is one as the contract has it, with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "no {member}: {problem}");
        }
        problem
    }

    /// The problem is this field's fault.
    #[track_caller]
    pub fn blames(&self, pointer: &str) {
        let problem = self.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(problem["errors"][0]["code"].is_string() && problem["errors"][0]["detail"].is_string(), "{problem}");
    }
}
