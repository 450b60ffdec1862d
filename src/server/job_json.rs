//! A job as the HTTP interface and the results show it.

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::Attempt;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Outcome, SkipReason};
use gymcall_jobs::question::Question;
use serde_json::{Value, json};

/// How a job ended, in the four words that users see; nothing yet while it is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending {
    /// `answered gave_up skipped cancelled`.
    pub outcome: Option<&'static str>,
    /// The business result.
    pub disposition: Option<Disposition>,
    /// How the last call ended.
    pub ended_reason: Option<EndedReason>,
    /// Who answered.
    pub answered_by: Option<AnsweredBy>,
    /// Why it was not dialled.
    pub skip_reason: Option<SkipReason>,
}

impl Ending {
    /// How this job ended.
    pub fn of(job: &CallJob) -> Self {
        let base = Self::default();
        match job.outcome() {
            None => base,
            Some(Outcome::Answered(report)) => Self {
                outcome: Some("answered"),
                disposition: Some(report.disposition),
                ended_reason: Some(report.ended_reason),
                answered_by: Some(report.answered_by),
                ..base
            },
            Some(Outcome::GaveUp(miss)) => Self {
                outcome: Some("gave_up"),
                disposition: Some(miss.disposition),
                ended_reason: Some(miss.ended_reason),
                answered_by: Some(miss.answered_by),
                ..base
            },
            Some(Outcome::Skipped(reason)) => Self { outcome: Some("skipped"), skip_reason: Some(*reason), ..base },
            Some(Outcome::Cancelled) => Self { outcome: Some("cancelled"), ..base },
        }
    }
}

/// The job as JSON. `questions` are its campaign's: of a job that is over, those never put are `not_asked`.
pub fn job_json(job: &CallJob, questions: &[Question]) -> Value {
    let gym = job.gym();
    let ending = Ending::of(job);
    json!({
        "id": job.id(),
        "campaign_id": job.membership().map(|m| &m.campaign),
        "run_id": job.membership().map(|m| &m.run),
        "phone_number": gym.phone.as_str(),
        "gym_name": gym.name,
        "external_id": gym.external_id,
        "timezone": gym.timezone.as_ref().map(|zone| json!({
            "name": zone.name(),
            "candidates": zone.candidates(),
            "source": zone.source(),
        })),
        "status": job.status(),
        "outcome": ending.outcome,
        "disposition": ending.disposition,
        "answered_by": ending.answered_by,
        "ended_reason": ending.ended_reason,
        "skip_reason": ending.skip_reason,
        "cancel_requested": job.cancel_requested(),
        "due_at": job.due(),
        "answers": answers_of(job, questions).iter().map(answer_json).collect::<Vec<_>>(),
        "tries": job.tries(),
        "attempts": job.attempts().iter().map(attempt_json).collect::<Vec<_>>(),
        "created_at": job.created_at(),
        "updated_at": job.updated_at(),
    })
}

/// What was answered; once the job is over, also what was never asked.
pub fn answers_of(job: &CallJob, questions: &[Question]) -> Vec<Answer> {
    let mut answers = job.answers().to_vec();
    if job.outcome().is_some() {
        for question in questions {
            if !answers.iter().any(|answer| answer.key == question.key) {
                let (key, quote) = (question.key.clone(), String::new());
                answers.push(Answer { key, value: AnswerValue::NotAsked, quote, from_ms: 0, to_ms: 0 });
            }
        }
    }
    answers
}

fn answer_json(answer: &Answer) -> Value {
    let asked = answer.value != AnswerValue::NotAsked;
    json!({
        "key": answer.key,
        "value": answer.value.to_json(),
        "quote": asked.then_some(&answer.quote),
        "from_ms": asked.then_some(answer.from_ms),
        "to_ms": asked.then_some(answer.to_ms),
    })
}

fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "twilio_call_sid": attempt.call,
        "status": attempt.status,
        "begun_at": attempt.begun_at,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "duration_s": attempt.duration_s,
        "answered_by": attempt.answered_by,
        "cost": attempt.cost(),
        "counts": attempt.counts,
        "conflicts": attempt.conflicts,
        "trouble": attempt.trouble,
    })
}
