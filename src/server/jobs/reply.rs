//! A job as the HTTP interface shows it.

use gymcall_jobs::answer::{Answer, AnswerValue, OpenHours};
use gymcall_jobs::attempt::{Attempt, CallStatus};
use gymcall_jobs::id::{CallSid, CampaignId, JobId, RunId};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Ending, Outcome, SkipReason};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::question::Question;
use gymcall_jobs::zone::{GymZone, TimeZoneName, ZoneSource};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// One gym in one run, or one single call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(in crate::server) struct JobReply<'a> {
    #[serde(flatten)]
    facts: JobFacts<'a>,
    /// What was answered, in the order it was heard; once the job is over, also what was never asked.
    answers: Vec<AnswerReply<'a>>,
}

impl<'a> JobReply<'a> {
    /// `questions` are the campaign's: of a job that is over, those never put are `not_asked`.
    pub(in crate::server) fn of(job: &'a CallJob, questions: &'a [Question]) -> Self {
        Self { facts: JobFacts::of(job), answers: answers_of(job, questions) }
    }
}

/// What there is to tell of a job beside its answers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct JobFacts<'a> {
    /// Its id.
    id: &'a JobId,
    /// Its campaign; null for a single call.
    campaign_id: Option<&'a CampaignId>,
    /// Its run; null for a single call.
    run_id: Option<&'a RunId>,
    /// The number that is called.
    phone_number: &'a PhoneNumber,
    /// What the gym is called; empty if its row has no name.
    gym_name: &'a str,
    /// What the gym is called in the roster's own system.
    external_id: Option<&'a str>,
    /// Where the gym is on the clock; null if nothing is known.
    timezone: Option<ZoneReply<'a>>,
    /// Where it stands.
    status: Status,
    /// How it ended; null while it is open.
    outcome: Option<Ending>,
    /// The business result, kept apart from how the call ended.
    disposition: Option<Disposition>,
    /// Who answered, where that was heard.
    answered_by: Option<AnsweredBy>,
    /// How the last call ended.
    ended_reason: Option<EndedReason>,
    /// Why it was not dialled.
    skip_reason: Option<SkipReason>,
    /// Whether somebody has taken it back; it is `cancelled` once its call is over.
    cancel_requested: bool,
    /// Not dialled before this; null unless it is waiting.
    due_at: Option<Timestamp>,
    /// How often the gym's phone was tried.
    tries: u32,
    /// The tries, the first first.
    attempts: Vec<AttemptReply<'a>>,
    /// When it was accepted.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

impl<'a> JobFacts<'a> {
    pub(in crate::server) fn of(job: &'a CallJob) -> Self {
        let (gym, end) = (job.gym(), End::of(job));
        Self {
            id: job.id(),
            campaign_id: job.membership().map(|membership| &membership.campaign),
            run_id: job.membership().map(|membership| &membership.run),
            phone_number: &gym.phone,
            gym_name: &gym.name,
            external_id: gym.external_id.as_deref(),
            timezone: gym.timezone.as_ref().map(ZoneReply::of),
            status: job.status(),
            outcome: end.outcome,
            disposition: end.disposition,
            answered_by: end.answered_by,
            ended_reason: end.ended_reason,
            skip_reason: end.skip_reason,
            cancel_requested: job.cancel_requested(),
            due_at: job.due(),
            tries: job.tries(),
            attempts: job.attempts().iter().map(AttemptReply::of).collect(),
            created_at: job.created_at(),
            updated_at: job.updated_at(),
        }
    }
}

/// How a job ended, in the words that users see; nothing yet while it is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::server) struct End {
    /// In a word.
    pub(in crate::server) outcome: Option<Ending>,
    /// The business result.
    pub(in crate::server) disposition: Option<Disposition>,
    /// How the last call ended.
    pub(in crate::server) ended_reason: Option<EndedReason>,
    /// Who answered.
    pub(in crate::server) answered_by: Option<AnsweredBy>,
    /// Why it was not dialled.
    pub(in crate::server) skip_reason: Option<SkipReason>,
}

impl End {
    /// How this job ended.
    pub(in crate::server) fn of(job: &CallJob) -> Self {
        let Some(outcome) = job.outcome() else { return Self::default() };
        let base = Self { outcome: Some(outcome.ending()), ..Self::default() };
        let called = |disposition, ended_reason, answered_by| Self {
            disposition: Some(disposition),
            ended_reason: Some(ended_reason),
            answered_by: Some(answered_by),
            ..base
        };
        match outcome {
            Outcome::Answered(report) => called(report.disposition, report.ended_reason, report.answered_by),
            Outcome::GaveUp(miss) => called(miss.disposition, miss.ended_reason, miss.answered_by),
            Outcome::Skipped(reason) => Self { skip_reason: Some(*reason), ..base },
            Outcome::Cancelled => base,
        }
    }
}

/// Where a gym is on the clock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeZone)]
struct ZoneReply<'a> {
    /// Its zone; null if there are several that it may be in.
    name: Option<&'a TimeZoneName>,
    /// Every zone that it may be in: all of them must allow a call.
    candidates: &'a [TimeZoneName],
    /// Where this is known from.
    source: ZoneSource,
}

impl<'a> ZoneReply<'a> {
    fn of(zone: &'a GymZone) -> Self {
        Self { name: zone.name(), candidates: zone.candidates(), source: zone.source() }
    }
}

/// One try at a gym's phone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptReply<'a> {
    /// 1 for the first.
    number: u32,
    /// Twilio's name for the call; null while it is not known.
    twilio_call_sid: Option<&'a CallSid>,
    /// How it stands, in Twilio's words.
    status: Option<CallStatus>,
    /// When the intent to dial was stored.
    begun_at: Timestamp,
    /// When it was picked up.
    started_at: Option<Timestamp>,
    /// When it was over.
    ended_at: Option<Timestamp>,
    /// Its length in seconds, from Twilio.
    duration_s: Option<u32>,
    /// Who answered, as Twilio's detection heard it.
    answered_by: Option<AnsweredBy>,
    /// What it cost, as decimal text in the account's currency; it appears some time after the end.
    cost: Option<&'a str>,
    /// Whether it counts against the tries a gym is given.
    counts: bool,
    /// Further calls that claimed this attempt. Each was hung up.
    conflicts: &'a [CallSid],
    /// Why it was not created, or why its fate is unclear, in words for a person.
    trouble: Option<&'a str>,
}

impl<'a> AttemptReply<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self {
            number: attempt.number,
            twilio_call_sid: attempt.call.as_ref(),
            status: attempt.status,
            begun_at: attempt.begun_at,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            duration_s: attempt.duration_s,
            answered_by: attempt.answered_by,
            cost: attempt.cost(),
            counts: attempt.counts,
            conflicts: &attempt.conflicts,
            trouble: attempt.trouble.as_deref(),
        }
    }
}

/// One answer and its evidence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(in crate::server) struct AnswerReply<'a> {
    /// The question's key.
    pub(in crate::server) key: &'a str,
    /// What was understood.
    pub(in crate::server) value: ValueReply<'a>,
    /// The words it was understood from, as heard; null if it was not asked.
    quote: Option<&'a str>,
    /// Where those words begin, in ms from the start of the call's sound.
    from_ms: Option<u64>,
    /// Where they end.
    to_ms: Option<u64>,
}

impl<'a> AnswerReply<'a> {
    fn heard(answer: &'a Answer) -> Self {
        let asked = answer.value != AnswerValue::NotAsked;
        Self {
            key: &answer.key,
            value: ValueReply::of(&answer.value),
            quote: asked.then_some(&answer.quote),
            from_ms: asked.then_some(answer.from_ms),
            to_ms: asked.then_some(answer.to_ms),
        }
    }

    fn not_asked(question: &'a Question) -> Self {
        let value = ValueReply::Missing(Missing::NotAsked);
        Self { key: &question.key, value, quote: None, from_ms: None, to_ms: None }
    }
}

/// What was answered; once the job is over, also what was never asked.
pub(in crate::server) fn answers_of<'a>(job: &'a CallJob, questions: &'a [Question]) -> Vec<AnswerReply<'a>> {
    let heard = job.answers().iter().map(AnswerReply::heard);
    let is_told = |question: &&Question| job.answers().iter().any(|answer| answer.key == question.key);
    let missing = questions.iter().filter(|question| job.outcome().is_some() && !is_told(question));
    heard.chain(missing.map(AnswerReply::not_asked)).collect()
}

/// The value of an answer, by its question's type.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = AnswerValue)]
#[serde(untagged)]
pub(in crate::server) enum ValueReply<'a> {
    /// Neither an answer nor none: it was put and they do not know, or the call ended before it was put.
    Missing(Missing),
    /// Any words, or the choice that was taken.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// An amount of money.
    Money {
        /// Decimal text with two places.
        amount: &'a str,
        /// Such as `USD`.
        currency: &'a str,
    },
    /// Yes or no.
    Boolean(bool),
    /// Several things.
    List(&'a [String]),
    /// Opening hours.
    Hours(&'a [OpenHours]),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::server) enum Missing {
    /// The question was put, and the answer was that they do not know.
    NotKnown,
    /// The call ended before the question was put.
    NotAsked,
}

impl<'a> ValueReply<'a> {
    pub(in crate::server) fn of(value: &'a AnswerValue) -> Self {
        match value {
            AnswerValue::Text(text) => Self::Text(text),
            AnswerValue::Number(number) => Self::Number(*number),
            AnswerValue::Money { amount, currency } => Self::Money { amount, currency },
            AnswerValue::Boolean(yes) => Self::Boolean(*yes),
            AnswerValue::List(items) => Self::List(items),
            AnswerValue::Hours(hours) => Self::Hours(hours),
            AnswerValue::NotKnown => Self::Missing(Missing::NotKnown),
            AnswerValue::NotAsked => Self::Missing(Missing::NotAsked),
        }
    }
}
