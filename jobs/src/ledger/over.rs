//! How many jobs came to an end by this process, for those who watch over it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Ledger;
use crate::job::CallJob;
use crate::outcome::Ending;

/// A counter for each way to end, in the order of [`Ending::ALL`].
#[derive(Debug, Default)]
pub(super) struct Over([AtomicU64; Ending::ALL.len()]);

impl Over {
    /// Counts the job, if it is over by this move.
    pub(super) fn count(&self, before: &CallJob, after: &CallJob) {
        if let (None, Some(outcome)) = (before.outcome(), after.outcome()) {
            self.0[outcome.ending() as usize].fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Ledger {
    /// How many jobs came to an end by moves of this ledger and its clones, and how.
    pub fn over(&self) -> impl Iterator<Item = (Ending, u64)> {
        let Over(counters) = &*self.over;
        Ending::ALL.iter().copied().zip(counters.iter().map(|counter| counter.load(Ordering::Relaxed)))
    }
}
