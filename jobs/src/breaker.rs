//! The circuit breaker: a campaign whose calls fail stops calling by itself.
//!
//! Stores keep how the latest calls of each campaign ended, since it last began to run, in the writes that end them.

use crate::attempt::CallStatus;
use crate::job::CallJob;
use crate::outcome::{EndedReason, Outcome};

/// How a call ended, as far as it tells whether calling works at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was put through: also to a busy line, to nobody, to a machine.
    Fine,
    /// It failed at Twilio, or its conversation broke.
    Failed,
}

/// How the latest calls of a campaign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Endings {
    /// A bit for each, set where it failed; the latest is the lowest.
    bits: u32,
}

impl Endings {
    /// So many are kept.
    pub const LATEST: u32 = 20;
    /// So many of them that failed open the breaker.
    pub const MOST_FAILED: u32 = Self::LATEST / 2;

    /// The endings from their bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self { bits: bits & ((1 << Self::LATEST) - 1) }
    }

    /// A bit for each, set where it failed; the latest is the lowest.
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// These and a later one.
    #[must_use]
    pub const fn and(self, ending: Ending) -> Self {
        Self::from_bits((self.bits << 1) | matches!(ending, Ending::Failed) as u32)
    }

    /// How many failed.
    pub const fn failed(self) -> u32 {
        self.bits.count_ones()
    }

    /// Whether half or more of the latest failed. Before there were as many, as many as that half must have.
    pub const fn is_tripped(self) -> bool {
        self.failed() >= Self::MOST_FAILED
    }
}

/// The ending that a move brought, if it ended a call.
pub fn ending(before: &CallJob, after: &CallJob) -> Option<Ending> {
    let number = before.open_attempt()?.number;
    if after.open_attempt().is_some_and(|open| open.number == number) {
        return None;
    }
    let attempt = after.attempts().iter().find(|attempt| attempt.number == number)?;
    // Without an end: its request made no call, and is made again.
    attempt.ended_at?;
    let reason = match after.outcome() {
        Some(Outcome::Answered(report)) => Some(report.ended_reason),
        Some(Outcome::GaveUp(miss)) => Some(miss.ended_reason),
        Some(Outcome::Skipped(_) | Outcome::Cancelled) | None => None,
    };
    let failed = attempt.status == Some(CallStatus::Failed)
        || matches!(
            reason,
            Some(
                EndedReason::DialFailed
                    | EndedReason::ErrorStream
                    | EndedReason::ErrorAgent
                    | EndedReason::ErrorUnknown
            )
        );
    match attempt.call {
        Some(_) if failed => Some(Ending::Failed),
        Some(_) => Some(Ending::Fine),
        // Twilio never took it. A number that it refuses says nothing about the others; neither does a person's word.
        None => (reason == Some(EndedReason::DialFailed)).then_some(Ending::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_latest_twenty_open_it() {
        let mut endings = Endings::default();
        for _ in 0..9 {
            endings = endings.and(Ending::Failed);
            assert!(!endings.is_tripped());
        }
        assert!(endings.and(Ending::Failed).is_tripped());
        for _ in 0..12 {
            endings = endings.and(Ending::Fine);
        }
        // The first of the nine is forgotten with the twenty-first ending.
        assert_eq!(endings.and(Ending::Fine).failed(), 8 - 1);
        assert!(!endings.and(Ending::Failed).is_tripped());
    }
}
