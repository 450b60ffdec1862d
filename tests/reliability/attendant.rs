//! Somebody who looks after a campaign: calls break off where servers are killed, the circuit breaker opens as it should,
//! and whoever knows why resumes it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::api::Api;
use super::site::Site;

/// How often they look.
const EVERY: Duration = Duration::from_millis(200);

/// They look for as long as this is kept.
pub struct Attendant(JoinHandle<()>);

impl Attendant {
    pub fn of(site: &Site, campaign: &str) -> Self {
        let api = Api::new(&site.to_server.url());
        let path = format!("/v1/campaigns/{campaign}");
        Self(tokio::spawn(async move {
            loop {
                let opened = |campaign: Value| campaign["paused_reason"] == "circuit_breaker";
                if api.try_get(&path).await.is_ok_and(opened) {
                    // A server that is gone by now is asked again.
                    let _ = api.try_post(&format!("{path}/resume"), json!({})).await;
                }
                tokio::time::sleep(EVERY).await;
            }
        }))
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.0.abort();
    }
}
