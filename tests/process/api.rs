//! The server's HTTP interface, as a user's program sees it.

use std::time::{Duration, Instant};

use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};

/// How often a state is asked for that only this interface tells.
const EVERY: Duration = Duration::from_millis(100);

/// The window of a campaign that must call now, whatever the hour.
pub fn all_day() -> Value {
    json!({"from": "00:00", "to": "24:00", "allow_outside_hours": true})
}

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

    /// All jobs of a campaign.
    pub async fn jobs(&self, campaign: &str) -> Vec<Value> {
        let (mut jobs, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/campaigns/{campaign}/jobs?limit=1000{cursor}")).await;
            jobs.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return jobs,
            }
        }
    }

    pub async fn events(&self, job: &str) -> Vec<Value> {
        self.get(&format!("/v1/jobs/{job}/events?limit=1000")).await["items"].as_array().unwrap().clone()
    }

    /// Waits until every job of the campaign is final or quarantined.
    pub async fn completed(&self, campaign: &str, within: Duration) {
        let path = format!("/v1/campaigns/{campaign}");
        self.until(&path, within, |campaign| campaign["status"] == "completed").await;
    }

    /// Waits until what is at `path` is as `wanted`. That nobody can say it now is no answer.
    pub async fn until(&self, path: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let now = self.try_get(path).await;
            match now {
                Ok(now) if wanted(&now) => return now,
                _ => {}
            }
            assert!(Instant::now() < deadline, "{path} is not there in time: {now:#?}");
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Uploads gyms in two pieces, with a while between them. A server that dies meanwhile is an error like any other.
    pub async fn upload(&self, campaign: &str, csv: &str, between: Duration) -> Result<Value, String> {
        let (first, second) = csv.split_at(csv.len() / 2);
        let pieces = [first.to_owned(), second.to_owned()];
        let pieces = stream::unfold(0, move |nth: usize| {
            let piece = pieces.get(nth).cloned();
            async move {
                tokio::time::sleep(between * u32::from(nth == 1)).await;
                Some((Ok::<_, std::io::Error>(piece?), nth + 1))
            }
        });
        let upload = self.http.request(Method::POST, format!("{}/v1/campaigns/{campaign}/gyms", self.url));
        let upload = upload.header("content-type", "text/csv").body(reqwest::Body::wrap_stream(pieces));
        Self::try_send(upload).await
    }

    /// What is at a path, if somebody is there to say it.
    pub async fn try_get(&self, path: &str) -> Result<Value, String> {
        Self::try_send(self.http.request(Method::GET, format!("{}{path}", self.url))).await
    }

    /// Says something, if somebody is there to hear it.
    pub async fn try_post(&self, path: &str, body: Value) -> Result<Value, String> {
        Self::try_send(self.http.request(Method::POST, format!("{}{path}", self.url)).json(&body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        Self::try_send(request).await.unwrap()
    }

    async fn try_send(request: reqwest::RequestBuilder) -> Result<Value, String> {
        let response = request.send().await.map_err(|error| format!("{error:?}"))?;
        let (status, url) = (response.status(), response.url().clone());
        let body = response.text().await.map_err(|error| format!("{error:?}"))?;
        if !status.is_success() {
            return Err(format!("{url}: {status} {body}"));
        }
        serde_json::from_str(&body).map_err(|error| format!("{url}: {error}: {body}"))
    }
}
