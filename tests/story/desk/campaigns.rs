//! Campaigns and their jobs, as somebody at the desk has them.

use gymcall_jobs::id::JobId;
use serde_json::{Value, json};

use super::Desk;
use crate::http::Reply;

impl Desk {
    /// A campaign with one question, about the day pass. It calls at any hour, unless its policy names a window.
    pub async fn campaign(&self, mut policy: Value) -> String {
        if policy["window"].is_null() {
            policy["window"] = all_day();
        }
        let request = json!({
            "name": "Day passes",
            "questions": [{"key": "price", "ask": "How much is a day pass?", "type": "money"}],
            "policy": policy,
        });
        id_of(&self.http.post("/v1/campaigns", &request).await.expect(201))
    }

    /// The same with these numbers in it.
    pub async fn campaign_of(&self, numbers: &[&str], policy: Value) -> String {
        let campaign = self.campaign(policy).await;
        self.import(&campaign, &csv_of(numbers)).await.expect(200);
        campaign
    }

    /// The same, and started.
    pub async fn calling(&self, numbers: &[&str], policy: Value) -> String {
        let campaign = self.campaign_of(numbers, policy).await;
        self.tell(&campaign, "start").await.expect(200);
        campaign
    }

    pub async fn import(&self, campaign: &str, csv: &str) -> Reply {
        self.http.upload(&format!("/v1/campaigns/{campaign}/gyms"), csv, &[]).await
    }

    /// `start`, `pause`, `resume` or `cancel`.
    pub async fn tell(&self, campaign: &str, verb: &str) -> Reply {
        self.http.post(&format!("/v1/campaigns/{campaign}/{verb}"), &json!({})).await
    }

    pub async fn status_of(&self, campaign: &str) -> Value {
        self.get(&format!("/v1/campaigns/{campaign}")).await["status"].clone()
    }

    pub async fn until_campaign(&self, campaign: &str, status: &str) {
        let what = format!("the campaign is {status}");
        self.until(&what, async || (self.status_of(campaign).await == status).then_some(())).await;
    }

    /// All jobs of a campaign, in the order of its file.
    pub async fn jobs(&self, campaign: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/campaigns/{campaign}/jobs?limit=1000")).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The jobs of a campaign, once all are over.
    pub async fn finished(&self, campaign: &str) -> Vec<Value> {
        self.until("every job of the campaign is over", async || {
            (self.status_of(campaign).await == "completed").then_some(())
        })
        .await;
        self.jobs(campaign).await
    }

    pub async fn job(&self, id: &str) -> Value {
        self.get(&format!("/v1/jobs/{id}")).await
    }

    pub async fn until_job(&self, id: &str, status: &str) -> Value {
        let what = format!("the job is {status}");
        self.until(&what, async || Some(self.job(id).await).filter(|job| job["status"] == status)).await
    }

    /// The one job of a campaign.
    pub async fn only_job(&self, campaign: &str) -> String {
        let jobs = self.jobs(campaign).await;
        assert_eq!(jobs.len(), 1);
        id_of(&jobs[0])
    }

    /// Waits until the first of a campaign's gyms has picked up. Gives its job.
    pub async fn until_somebody_talks(&self, campaign: &str) -> String {
        self.until("somebody talks", async || {
            let jobs = self.jobs(campaign).await;
            jobs.iter().find(|job| job["status"] == "in_progress").map(id_of)
        })
        .await
    }

    /// Waits until this job's call rings, and until everything that came with that is written down.
    pub async fn until_ringing(&self, id: &str) -> Value {
        self.until("the job's call rings", async || {
            Some(self.job(id).await).filter(|job| job["attempts"][0]["status"] == "ringing")
        })
        .await
    }

    /// The job's history: what happened, in order.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/jobs/{id}/events")).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The version of a job's record: it tells a write that changed nothing from no write.
    pub async fn version(&self, id: &str) -> u64 {
        let id: JobId = id.parse().unwrap();
        self.store().job(&id).await.unwrap().unwrap().version
    }
}

pub fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The window of a campaign that must call now, whatever the hour.
pub fn all_day() -> Value {
    json!({"from": "00:00", "to": "24:00", "allow_outside_hours": true})
}

pub fn csv_of(numbers: &[&str]) -> String {
    numbers.iter().fold("phone_number\n".to_owned(), |csv, number| csv + number + "\n")
}
