//! An announcement as others see it: small, and the same in the stream of events and in outgoing webhooks.

use gymcall_jobs::announcement::{About, Announced};
use gymcall_jobs::outcome::Outcome;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// An announcement in JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct Message<'a> {
    /// Its id: the same whenever it is told again.
    pub id: String,
    /// What happened: `job.completed`, …
    pub r#type: &'static str,
    /// When.
    pub timestamp: Timestamp,
    /// To whom.
    pub data: Data<'a>,
}

/// Whom an announcement is about. What does not apply is left out.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = EventData)]
pub struct Data<'a> {
    /// The campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<&'a str>,
    /// Its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<&'a str>,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<&'a str>,
    /// The status of the job or, if there is none, of the campaign.
    pub status: &'static str,
    /// Why the campaign is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_reason: Option<&'static str>,
    /// How the job ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// The business result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<&'static str>,
    /// How the last call ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<&'static str>,
    /// Why the gym was not called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_reason: Option<&'static str>,
}

impl<'a> Message<'a> {
    /// The announcement as others see it.
    pub fn of(announced: &'a Announced) -> Self {
        let announcement = &announced.announcement;
        let data = match &announcement.about {
            About::Campaign { campaign, run, status, paused_reason } => Data {
                campaign_id: Some(campaign.as_str()),
                run_id: Some(run.as_str()),
                status: status.as_str(),
                paused_reason: paused_reason.map(|reason| reason.as_str()),
                ..Data::default()
            },
            About::Job { job, campaign, run, status, outcome } => Data {
                campaign_id: campaign.as_ref().map(|id| id.as_str()),
                run_id: run.as_ref().map(|id| id.as_str()),
                job_id: Some(job.as_str()),
                status: status.as_str(),
                ..end(outcome.as_ref())
            },
        };
        Self { id: announced.id.to_string(), r#type: announcement.kind.as_str(), timestamp: announcement.at, data }
    }

    /// The JSON text, which is what is signed.
    pub fn text(&self) -> String {
        // Texts, numbers and times always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn end(outcome: Option<&Outcome>) -> Data<'static> {
    match outcome {
        None => Data::default(),
        Some(Outcome::Answered(report)) => Data {
            outcome: Some("answered"),
            disposition: Some(report.disposition.as_str()),
            ended_reason: Some(report.ended_reason.as_str()),
            ..Data::default()
        },
        Some(Outcome::GaveUp(miss)) => Data {
            outcome: Some("gave_up"),
            disposition: Some(miss.disposition.as_str()),
            ended_reason: Some(miss.ended_reason.as_str()),
            ..Data::default()
        },
        Some(Outcome::Skipped(reason)) => {
            Data { outcome: Some("skipped"), skip_reason: Some(reason.as_str()), ..Data::default() }
        }
        Some(Outcome::Cancelled) => Data { outcome: Some("cancelled"), ..Data::default() },
    }
}
