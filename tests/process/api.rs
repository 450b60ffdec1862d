//! The server's HTTP interface, as a user's program sees it.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

/// How often a state is asked for that only this interface tells.
const EVERY: Duration = Duration::from_millis(100);

/// One server's interface.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

impl Api {
    pub fn new(url: &str) -> Self {
        // Only the first can be the one; all are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { http, url: url.to_owned() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn get(&self, path: &str) -> Value {
        self.send(self.http.request(Method::GET, format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.send(self.http.request(Method::POST, format!("{}{path}", self.url)).json(&body)).await
    }

    /// A campaign with these gyms, not started.
    pub async fn campaign(&self, campaign: Value, csv: String) -> String {
        let id = self.post("/v1/campaigns", campaign).await["id"].as_str().unwrap().to_owned();
        let upload = self.http.request(Method::POST, format!("{}/v1/campaigns/{id}/gyms", self.url));
        let report = self.send(upload.header("content-type", "text/csv").body(csv)).await;
        assert_eq!(report["rows"], json!([]), "{report:#}");
        id
    }

    pub async fn start(&self, campaign: &str) {
        self.post(&format!("/v1/campaigns/{campaign}/start"), json!({})).await;
    }

    /// All jobs of a campaign that has at most a thousand.
    pub async fn jobs(&self, campaign: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/campaigns/{campaign}/jobs?limit=1000")).await;
        page["items"].as_array().unwrap().clone()
    }

    pub async fn events(&self, job: &str) -> Vec<Value> {
        self.get(&format!("/v1/jobs/{job}/events?limit=1000")).await["items"].as_array().unwrap().clone()
    }

    /// Waits until every job of the campaign is final or quarantined.
    pub async fn completed(&self, campaign: &str, within: Duration) {
        let path = format!("/v1/campaigns/{campaign}");
        self.until(&path, within, |campaign| campaign["status"] == "completed").await;
    }

    /// Waits until what is at `path` is as `wanted`.
    pub async fn until(&self, path: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let now = self.get(path).await;
            if wanted(&now) {
                return now;
            }
            assert!(Instant::now() < deadline, "{path} is not there in time: {now:#}");
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap();
        let (status, url) = (response.status(), response.url().clone());
        let body = response.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }
}
