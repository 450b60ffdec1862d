//! What is known of a request whose fate is unclear: for the person who has to decide.

use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::store::Entry;
use serde_json::{Value, json};

/// What was asked and when, what Twilio answered, and what each look-up found, for a job that is
/// `unknown` or `quarantined`; null for any other.
///
/// `entries` are the job's history.
pub(super) fn evidence_json(job: &CallJob, entries: &[Entry]) -> Value {
    let next = match job.phase() {
        Phase::Unknown { look_up_at, .. } => Some(look_up_at),
        Phase::Quarantined { .. } => None,
        _ => return Value::Null,
    };
    let Some(attempt) = job.open_attempt() else { return Value::Null };
    let begun = entries.iter().rposition(|entry| entry.entry.kind == "dial_begun").unwrap_or_default();
    json!({
        "attempt": attempt.number,
        "phone_number": job.gym().phone.as_str(),
        "asked_at": attempt.begun_at,
        "answer": attempt.trouble,
        "look_ups": entries[begun..].iter().filter_map(look_up_json).collect::<Vec<_>>(),
        "next_look_up_at": next,
    })
}

fn look_up_json(Entry { entry, .. }: &Entry) -> Option<Value> {
    let result = match entry.kind.as_str() {
        "not_found" => "not_found",
        "look_up_failed" => "failed",
        _ => return None,
    };
    Some(json!({"at": entry.at, "result": result, "detail": entry.detail["detail"]}))
}
