//! When frames came, and what that adds up to.

use std::fmt;
use std::time::{Duration, Instant};

const PERIOD_US: i64 = 20_000;

/// What a run came to: milliseconds off the schedule.
pub(crate) struct Figures {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
    pub(crate) frames: usize,
    /// Frames that were due and did not come.
    pub(crate) missing: i64,
    /// Share of its core that the far side used.
    pub(crate) core: f64,
}

impl Figures {
    /// `arrivals` of each stream, of which those from `from` to `until` count. `used` is the far side's CPU time.
    pub(crate) fn of(arrivals: &[Vec<Instant>], from: Instant, until: Instant, used: Duration) -> Figures {
        let mut off = Vec::new();
        let mut missing = 0;
        for stream in arrivals {
            let counted: Vec<Instant> = stream.iter().copied().filter(|at| (from..until).contains(at)).collect();
            let Some(first) = counted.first() else {
                missing += (until - from).as_micros() as i64 / PERIOD_US;
                continue;
            };
            for (n, at) in counted.iter().enumerate() {
                let due = n as i64 * PERIOD_US;
                off.push(((*at - *first).as_micros() as i64 - due).unsigned_abs());
            }
            let due = (until - *first).as_micros() as i64 / PERIOD_US;
            // One may be on its way at the end.
            missing += (due - counted.len() as i64 - 1).max(0);
        }
        off.sort_unstable();
        let at =
            |share: f64| off.get(((off.len() as f64 - 1.0) * share) as usize).map_or(f64::NAN, |us| *us as f64 / 1e3);
        Figures {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
            frames: off.len(),
            missing,
            core: used.as_secs_f64() / (until - from).as_secs_f64(),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { p50, p99, p999, max, frames, core, .. } = self;
        write!(f, "{p50:>7.2}{p99:>7.2}{p999:>8.2}{max:>8.2}{frames:>8}{:>7.0} %", core * 100.0)
    }
}
