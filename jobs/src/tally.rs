//! What a job adds to the counters of its run.
//!
//! A tally follows from the record alone. What a write adds is the difference between the job after it and before,
//! and is stored with it: so the counters of a run are at any time the sum over its jobs, and never have to be counted.

use crate::job::CallJob;
use crate::outcome::{AnsweredBy, Outcome};
use crate::spend::{Amount, Charge};

/// Counters of calls and money; of a run, of a job, or the difference that a write makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls that Twilio has made.
    pub calls: i64,
    /// Those of them that are over.
    pub ended: i64,
    /// Those of them that a person answered. A voicemail, a fax and a phone menu are none.
    pub connected: i64,
    /// What the calls that are over cost, in millionths: Twilio's prices, and the begun minutes until they are told.
    pub cost: i64,
    /// What is set aside for those that are not over, or of which nobody knows how they ended, in millionths.
    pub reserved: i64,
}

impl Tally {
    /// What a job adds, as it stands.
    pub fn of(job: &CallJob) -> Self {
        let mut tally = Self { connected: i64::from(reached_a_person(job)), ..Self::default() };
        for attempt in job.attempts() {
            tally.calls += i64::from(attempt.call.is_some());
            tally.ended += i64::from(attempt.call.is_some() && attempt.ended_at.is_some());
            match attempt.charge() {
                Charge::Nothing => {}
                Charge::Reserved(amount) => tally.reserved = tally.reserved.saturating_add(amount.micros()),
                Charge::Cost(amount) => tally.cost = tally.cost.saturating_add(amount.micros()),
            }
        }
        tally
    }

    /// What changes from one state of a job to a later one.
    pub fn between(before: &CallJob, after: &CallJob) -> Self {
        let (before, after) = (Self::of(before), Self::of(after));
        Self::from_parts(std::array::from_fn(|part| after.parts()[part].1.saturating_sub(before.parts()[part].1)))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::from_parts(std::array::from_fn(|part| self.parts()[part].1.saturating_add(other.parts()[part].1)))
    }

    /// What is spent, or may be by the calls under way.
    pub const fn spent(&self) -> Amount {
        Amount::from_micros(self.cost).plus(Amount::from_micros(self.reserved))
    }

    /// Each counter with the name that stores know it by.
    pub(crate) const fn parts(&self) -> [(&'static str, i64); 5] {
        [
            ("calls", self.calls),
            ("ended", self.ended),
            ("connected", self.connected),
            ("cost", self.cost),
            ("reserved", self.reserved),
        ]
    }

    /// The counters in the order of [`Tally::parts`].
    pub(crate) const fn from_parts([calls, ended, connected, cost, reserved]: [i64; 5]) -> Self {
        Self { calls, ended, connected, cost, reserved }
    }
}

/// Whether the job's last call was answered by a person, once that is decided.
fn reached_a_person(job: &CallJob) -> bool {
    let (Some(outcome), Some(attempt)) = (job.outcome(), job.attempts().last()) else { return false };
    let (reported, usable) = match outcome {
        Outcome::Answered(report) => (Some(report.answered_by), true),
        Outcome::GaveUp(miss) => (Some(miss.answered_by), false),
        Outcome::Cancelled => (None, job.answers().iter().any(|answer| answer.value.is_told())),
        Outcome::Skipped(_) => (None, false),
    };
    let heard = [reported, attempt.answered_by].into_iter().flatten().find(|by| *by != AnsweredBy::Unknown);
    attempt.call.is_some() && attempt.was_picked_up() && heard.map_or(usable, |by| by == AnsweredBy::Human)
}
