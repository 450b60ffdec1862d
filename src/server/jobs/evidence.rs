//! What is known of a request whose fate is unclear: for the person who has to decide.

use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::store::Entry;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What was asked and when, what Twilio answered, and what each look-up found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Evidence<'a> {
    /// Which attempt it is.
    attempt: u32,
    /// The number that was asked for.
    phone_number: &'a PhoneNumber,
    /// When the request was made.
    asked_at: Timestamp,
    /// What came back, in words for a person.
    answer: Option<&'a str>,
    /// Every look-up since then.
    look_ups: Vec<LookUp<'a>>,
    /// When it is looked up next; null after the last.
    next_look_up_at: Option<Timestamp>,
}

/// One look-up of an unclear call.
#[derive(Debug, Serialize, ToSchema)]
struct LookUp<'a> {
    /// When.
    at: Timestamp,
    /// What it found.
    result: LookUpResult,
    /// What was searched, in words for a person.
    #[schema(value_type = Option<String>)]
    detail: &'a Value,
}

/// What a look-up of an unclear call found.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LookUpResult {
    /// No call of this request.
    NotFound,
    /// Twilio could not be asked.
    Failed,
}

impl<'a> Evidence<'a> {
    /// The evidence for a job that is `unknown` or `quarantined`; none for any other.
    ///
    /// `entries` are the job's history.
    pub(super) fn of(job: &'a CallJob, entries: &'a [Entry]) -> Option<Self> {
        let next_look_up_at = match job.phase() {
            Phase::Unknown { look_up_at, .. } => Some(*look_up_at),
            Phase::Quarantined { .. } => None,
            _ => return None,
        };
        let attempt = job.open_attempt()?;
        let begun = entries.iter().rposition(|entry| entry.entry.kind == "dial_begun").unwrap_or_default();
        Some(Self {
            attempt: attempt.number,
            phone_number: &job.gym().phone,
            asked_at: attempt.begun_at,
            answer: attempt.trouble.as_deref(),
            look_ups: entries[begun..].iter().filter_map(LookUp::of).collect(),
            next_look_up_at,
        })
    }
}

impl<'a> LookUp<'a> {
    fn of(Entry { entry, .. }: &'a Entry) -> Option<Self> {
        let result = match entry.kind.as_str() {
            "not_found" => LookUpResult::NotFound,
            "look_up_failed" => LookUpResult::Failed,
            _ => return None,
        };
        Some(Self { at: entry.at, result, detail: &entry.detail["detail"] })
    }
}
