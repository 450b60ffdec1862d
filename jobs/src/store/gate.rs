//! The gate before a dial: what must hold, all at once, in the instant the intent is stored.

use jiff::{SignedDuration, Timestamp};

use super::JobWrite;
use crate::announcement::Announcement;
use crate::id::{CampaignId, JobId};
use crate::retry::later;
use crate::spend::Amount;

/// A dial that asks to begin.
#[derive(Debug, Clone)]
pub struct BeginDial {
    /// The job as it is once begun: [`crate::job::Phase::Dialing`], with the version it was read at
    /// while it was still waiting.
    pub job: JobWrite,
    /// When it may be dialled at the earliest: [`crate::job::CallJob::due`] of the waiting job.
    pub due: Timestamp,
    /// When it may not be dialled any more, where hours are kept.
    pub closes: Option<Timestamp>,
    /// The limits.
    pub gate: Gate,
    /// What others are to hear of it if it begins.
    pub announce: Vec<Announcement>,
}

/// The limits that a dial must pass. The keeper checks, in this order and by its own clock:
/// version, doubt, due, window, campaign running, run present, number not suppressed, number not held, a line, a token, the breaker
/// shut, a call left of the day's, money left for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The account's.
    pub account: Capacity,
    /// The campaign's own, for jobs of a campaign.
    pub campaign: Option<(CampaignId, CampaignCapacity)>,
}

/// What the account can do at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Calls begun per second, more than 0. Begun dials are spread evenly, and no second, wherever
    /// it begins, holds more of them. A dial that begins some ms late does not delay the next.
    pub calls_per_second: f64,
    /// Calls at once.
    pub lines: u32,
}

/// What a campaign allows itself; none means no limit beyond the account's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CampaignCapacity {
    /// Calls begun per second.
    pub calls_per_second: Option<f64>,
    /// Calls at once.
    pub lines: Option<u32>,
    /// The day that this call is one of; none for a call that is one already.
    pub day: Option<DayOfCalls>,
    /// What the run may cost, what may still come of calls under way included: this call and all others.
    pub spend_cap: Option<Amount>,
}

/// A day on which calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayOfCalls {
    /// Its name: [`crate::calling_day::CallingDay::number`].
    pub number: i64,
    /// The calls that may begin on it; none means that they are only counted.
    pub calls: Option<u32>,
}

/// Whether a dial may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The intent is stored; number, line and token are taken. Exactly one caller gets this for a version.
    Go,
    /// Nothing was taken. For the refusals that pass by themselves, the store has noted when the job
    /// is due again, so that nobody asks in vain before.
    Refused(Refusal),
}

/// Why a dial may not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The job is not what the caller read.
    Changed,
    /// It is not due before this.
    NotDue(Timestamp),
    /// Its hours are over.
    WindowClosed,
    /// Its window is not the one that its campaign's hours give: they have changed.
    HoursChanged,
    /// Its campaign is not running.
    NotRunning,
    /// Its run is not its campaign's present one.
    Superseded,
    /// Its number is on the suppression list.
    Suppressed,
    /// This job's open attempt holds the number. Due again in some seconds.
    NumberHeld(JobId),
    /// All lines are taken, the account's or the campaign's. Due again in a second.
    NoLine,
    /// The next token is there at this time. Due again then.
    Pace(Timestamp),
    /// Too many of the campaign's latest calls failed. Due again in a second, as with all limits that pause a campaign.
    CircuitBreaker,
    /// The campaign has made its calls of the day.
    DailyLimit,
    /// With this call the campaign's run could cost more than it may.
    Budget,
    /// The store may have forgotten calls: nothing is dialled until they were looked up. Due again in a second.
    InDoubt,
}

/// When a job whose number is held is due again.
pub(super) const HELD: SignedDuration = SignedDuration::from_secs(5);
/// When a job is due again that only somebody else's doing can help.
pub(super) const REST: SignedDuration = SignedDuration::from_secs(1);

impl Refusal {
    /// When a refused job is due again, where that is a matter of time alone.
    pub(super) fn due_again(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Refusal::NotDue(at) | Refusal::Pace(at) => Some(*at),
            Refusal::NumberHeld(_) => Some(later(now, HELD)),
            Refusal::NoLine | Refusal::InDoubt | Refusal::CircuitBreaker | Refusal::DailyLimit | Refusal::Budget => {
                Some(later(now, REST))
            }
            Refusal::Changed
            | Refusal::WindowClosed
            | Refusal::NotRunning
            | Refusal::Superseded
            | Refusal::HoursChanged
            | Refusal::Suppressed => None,
        }
    }
}
