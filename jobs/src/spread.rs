//! Spreads what several processes would otherwise do at the same moment.
//!
//! All workers learn the same time of the next token or deadline. Did all of them ask right then, one would
//! get what there is and the others would have asked for nothing.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A source of short waits, different in each process. What it decides is never more than who comes first.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    chance: RandomState,
    drawn: u64,
}

impl Spread {
    /// A wait of less than `limit`, another one each time.
    pub(crate) fn within(&mut self, limit: Duration) -> Duration {
        self.drawn += 1;
        let share = self.chance.hash_one(self.drawn) >> 32;
        limit.mul_f64(share as f64 / 2_f64.powi(32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_short_and_differ() {
        let limit = Duration::from_millis(4);
        let mut spread = Spread::default();
        let mut waits: Vec<Duration> = (0..1_000).map(|_| spread.within(limit)).collect();
        assert!(waits.iter().all(|wait| *wait < limit));
        waits.sort();
        assert!(waits[250] < limit / 2 && limit / 2 < waits[750], "{:?} {:?}", waits[250], waits[750]);
    }
}
