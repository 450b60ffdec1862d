//! What becomes of a call, how long it takes and what it costs: from the calls that were made, else from experience
//! with calls to businesses.

use jiff::SignedDuration;
use serde::Serialize;

use crate::attempt::{Attempt, CallStatus};
use crate::job::CallJob;
use crate::outcome::{AnsweredBy, Disposition, Outcome};

/// How one kind of call goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Expected {
    /// Which part of all calls goes so.
    pub share: f64,
    /// For how many seconds such a call keeps a line, on average.
    pub seconds: f64,
    /// How many begun minutes of it are charged, on average.
    pub minutes: f64,
}

/// How calls go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Expectations {
    /// Somebody answers, whatever they say.
    pub answered: Expected,
    /// A machine does.
    pub voicemail: Expected,
    /// The line is busy: tried again.
    pub busy: Expected,
    /// Nobody picks up: tried again.
    pub no_answer: Expected,
    /// The number cannot be reached.
    pub failed: Expected,
}

/// The kinds of a call, in the order of [`Expectations::each`].
pub(super) const KINDS: usize = 5;
const ANSWERED: usize = 0;
const VOICEMAIL: usize = 1;
const BUSY: usize = 2;
const NO_ANSWER: usize = 3;
const FAILED: usize = 4;

/// Without any call to go by, the usual expectations count like so many calls.
const USUAL_WEIGH: f64 = 20.0;
/// By which part a forecast without any call to go by may be wrong, and how much of that always stays.
const DOUBT: f64 = 0.25;
const LASTING_DOUBT: f64 = 0.03;

impl Default for Expectations {
    /// A small business in opening hours: about half of the calls reach somebody.
    fn default() -> Self {
        let expected = |share, seconds, minutes| Expected { share, seconds, minutes };
        Self {
            answered: expected(0.5, 90.0, 1.8),
            voicemail: expected(0.2, 30.0, 1.0),
            busy: expected(0.03, 5.0, 0.0),
            no_answer: expected(0.22, 32.0, 0.0),
            failed: expected(0.05, 3.0, 0.0),
        }
    }
}

impl Expectations {
    /// Answered, voicemail, busy, no answer, failed.
    pub(super) fn each(&self) -> [Expected; KINDS] {
        [self.answered, self.voicemail, self.busy, self.no_answer, self.failed]
    }

    fn of([answered, voicemail, busy, no_answer, failed]: [Expected; KINDS]) -> Self {
        Self { answered, voicemail, busy, no_answer, failed }
    }

    /// The same if everything takes this much longer and as many more calls are missed. Below 1: if it goes better.
    pub(super) fn times(&self, factor: f64) -> Self {
        let each = self.each();
        let again = each[BUSY].share + each[NO_ANSWER].share;
        let others = 1.0 - again;
        // What is missed more is answered less, and never all of it.
        let more = (again * factor).min((again + 1.0) / 2.0);
        Self::of(std::array::from_fn(|kind| {
            let Expected { share, seconds, minutes } = each[kind];
            let share = match is_redialled(kind) {
                true if again > 0.0 => share * more / again,
                false if others > 0.0 => share * (1.0 - more) / others,
                _ => share,
            };
            Expected { share, seconds: seconds * factor, minutes: minutes * factor }
        }))
    }
}

/// Whether a gym is called again after a call of this kind.
pub(super) const fn is_redialled(kind: usize) -> bool {
    matches!(kind, BUSY | NO_ANSWER)
}

/// What was seen of calls that are over.
#[derive(Debug, Clone, Default)]
pub struct Experience {
    kinds: [Seen; KINDS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    calls: u64,
    seconds: f64,
    minutes: f64,
}

impl Experience {
    /// Takes in every call of a job that is over. None of them may last longer than `longest`: then its end was
    /// only found out late.
    pub fn add(&mut self, job: &CallJob, longest: SignedDuration) {
        for attempt in job.attempts() {
            let is_last = job.attempts().last() == Some(attempt);
            let outcome = job.outcome().filter(|_| is_last);
            let Some((kind, ended_at)) = kind(attempt, outcome).zip(attempt.ended_at) else { continue };
            let lasted = ended_at.duration_since(attempt.begun_at).clamp(SignedDuration::ZERO, longest);
            let seen = &mut self.kinds[kind];
            seen.calls += 1;
            seen.seconds += lasted.as_secs_f64();
            seen.minutes += minutes(attempt);
        }
    }

    /// How many calls were seen.
    pub fn calls(&self) -> u64 {
        self.kinds.iter().map(|seen| seen.calls).sum()
    }

    /// What is to be expected after that.
    pub fn expectations(&self) -> Expectations {
        let usual = Expectations::default().each();
        let calls = self.calls() as f64;
        Expectations::of(std::array::from_fn(|kind| {
            let Expected { share, seconds, minutes } = usual[kind];
            let (seen, weigh) = (self.kinds[kind], USUAL_WEIGH * share);
            let count = seen.calls as f64;
            Expected {
                share: (count + weigh) / (calls + USUAL_WEIGH),
                seconds: (seen.seconds + weigh * seconds) / (count + weigh),
                minutes: (seen.minutes + weigh * minutes) / (count + weigh),
            }
        }))
    }

    /// By which part a forecast made of it may be wrong.
    pub(super) fn doubt(&self) -> f64 {
        LASTING_DOUBT + DOUBT * (USUAL_WEIGH / (self.calls() as f64 + USUAL_WEIGH)).sqrt()
    }
}

/// What kind of call it was; none while it goes on, and for one that never was a try.
fn kind(attempt: &Attempt, outcome: Option<&Outcome>) -> Option<usize> {
    if attempt.ended_at.is_none() || !attempt.counts {
        return None;
    }
    let disposition = match outcome {
        Some(Outcome::Answered(report)) => Some(report.disposition),
        Some(Outcome::GaveUp(miss)) => Some(miss.disposition),
        _ => None,
    };
    Some(match attempt.status {
        Some(CallStatus::Busy) => BUSY,
        Some(CallStatus::NoAnswer) => NO_ANSWER,
        _ if attempt.started_at.is_none() => FAILED,
        _ if disposition == Some(Disposition::Voicemail) => VOICEMAIL,
        _ if attempt.answered_by.is_some_and(AnsweredBy::is_machine) => VOICEMAIL,
        _ => ANSWERED,
    })
}

/// The begun minutes of an attempt, as it is charged for.
fn minutes(attempt: &Attempt) -> f64 {
    let Some((started, ended)) = attempt.started_at.zip(attempt.ended_at) else { return 0.0 };
    let seconds = attempt.duration_s.map_or_else(|| ended.duration_since(started).as_secs_f64(), f64::from);
    (seconds / 60.0).ceil().max(1.0)
}
