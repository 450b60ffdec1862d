//! The cast of every history: one gym, its job, and the secrets, calls and words in play.

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, CampaignId, JobId, RunId, Tag};
use gymcall_jobs::job::{CallJob, Membership};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use jiff::Timestamp;

/// An instant, in seconds after the job was accepted.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).expect("near enough to now")
}

/// The secret with this number.
pub(crate) fn tag(number: u128) -> Tag {
    Tag::new(number)
}

/// The call with this number.
pub(crate) fn sid(number: u128) -> CallSid {
    format!("CA{number:032x}").parse().expect("32 hexadecimal digits")
}

/// A job of a campaign, due at once.
pub(crate) fn campaign_job() -> CallJob {
    let membership = Membership { campaign: CampaignId::new(at(0), 1), run: RunId::new(at(0), 2) };
    job(Some(membership))
}

/// A single call's job, due at once.
pub(crate) fn single_job() -> CallJob {
    job(None)
}

fn job(membership: Option<Membership>) -> CallJob {
    let zone = serde_json::json!({"name": "America/Los_Angeles", "source": "number"});
    let gym = serde_json::json!({"phone": "+14155550101", "name": "Iron Temple", "timezone": zone});
    let gym = serde_json::from_value(gym).expect("a gym");
    CallJob::new(JobId::new(at(0), 3), membership, gym, at(0), at(0))
}

/// Twilio's word, by callback.
pub(crate) fn news(tag: Tag, call: CallSid, status: CallStatus) -> Event {
    Event::CallNews { tag: Some(tag), call, status, at: None, duration_s: None, price: None, answered_by: None }
}

/// What was understood when the question `key` was put.
pub(crate) fn answer(key: &str, value: AnswerValue) -> Answer {
    Answer { key: key.to_owned(), value, quote: "as we said".to_owned(), from_ms: 1_200, to_ms: 2_300 }
}

/// A conversation's report.
pub(crate) fn report(disposition: Disposition, ended_reason: EndedReason) -> Report {
    Report { disposition, ended_reason, answered_by: AnsweredBy::Human }
}
