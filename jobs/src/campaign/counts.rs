//! How a run stands, in numbers.

use crate::job::Status;
use crate::tally::Tally;

/// How many jobs of a run stand where, and what its calls came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    by_status: [u64; Status::ALL.len()],
    tally: Tally,
}

impl Counts {
    /// The counts from pairs; a status that is not named has none.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Status, u64)>) -> Self {
        let mut counts = Self::default();
        for (status, number) in pairs {
            counts.by_status[status as usize] += number;
        }
        counts
    }

    /// The same counts with the tally of the run's jobs.
    #[must_use]
    pub fn with_tally(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }

    /// The calls of the run's jobs, and what they cost.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Which part of the calls that are over was answered by a person; none before the first is over.
    pub fn pick_up_rate(&self) -> Option<f64> {
        (self.tally.ended > 0).then(|| self.tally.connected as f64 / self.tally.ended as f64)
    }

    /// How many stand at this status.
    pub fn of(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// All jobs.
    pub fn total(&self) -> u64 {
        self.by_status.iter().sum()
    }

    /// Jobs with a call under way, or with one that may be.
    pub fn live(&self) -> u64 {
        self.sum(Status::is_live)
    }

    /// Jobs that are waiting or live: those that time alone will still move.
    pub fn open(&self) -> u64 {
        self.sum(|status| !status.is_final())
    }

    fn sum(&self, which: impl Fn(Status) -> bool) -> u64 {
        Status::ALL.iter().filter(|status| which(**status)).map(|status| self.of(*status)).sum()
    }
}
