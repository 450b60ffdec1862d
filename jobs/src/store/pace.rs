//! How fast calls may begin: evenly, and never more in any second than allowed.
//!
//! Each grant belongs to a slot, and slots are one interval apart. A grant that comes a little
//! after its slot, because timers and threads are late, does not push back the slots after it:
//! otherwise each lateness would be lost for good, a twentieth of the pace at 50 calls a second.
//! What that would allow too much is cut by the log of grants: of any so many in a row, as many
//! as a second allows, the next one is at least that second after the first.
//!
//! Only the arithmetic is here, in whole microseconds. Keepers hold the log of grants.

/// A second in microseconds, and a little: calls travel to Twilio at slightly different speeds,
/// and must not arrive more than allowed in a second either.
const SECOND: f64 = 1_004_000.0;
/// How much lateness a later slot makes up for.
pub(super) const LATENESS: i64 = 10_000;
/// The longest log that is looked at.
pub(super) const LOG: i64 = 1_000;

/// A pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meter {
    pub(super) interval: i64,
    /// So many grants …
    pub(super) log: i64,
    /// … never take less than this.
    pub(super) span: i64,
}

/// A grant as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// When it was given.
    pub(super) at: i64,
    /// The slot that it took.
    pub(super) slot: i64,
}

/// When the next call of a scope may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    /// The slot that it takes.
    pub(super) slot: i64,
    /// Not before this.
    pub(super) at: i64,
    interval: i64,
    log: i64,
}

impl Meter {
    /// None for a pace that is too fast to be measured.
    pub(super) fn new(per_second: f64) -> Option<Self> {
        let interval = SECOND / per_second.max(1e-6);
        if interval < 2.0 {
            return None;
        }
        // A fast pace has no log: its intervals are shorter than the lateness that one would mend.
        let log = if per_second > LOG as f64 { 1 } else { (per_second.floor() as i64).max(1) };
        Some(Self { interval: interval.ceil() as i64, log, span: (interval * log as f64).ceil() as i64 })
    }

    /// When the next grant may be: `last` is the one before it, `first` the time of the one that is
    /// `log` grants before it, as far as there were so many.
    pub(super) fn next(self, last: Option<Grant>, first: Option<i64>, now: i64) -> Next {
        let Self { interval, log, span } = self;
        let at_once = Next { slot: now, at: now, interval, log };
        let Some(last) = last else { return at_once };
        if last.at > now {
            // The clock was set back. Waiting for the old time to come again could take hours.
            return at_once;
        }
        let slot = last.slot.max(last.at - LATENESS) + interval;
        let at = first.filter(|first| *first <= now).map_or(slot, |first| slot.max(first + span));
        Next { slot, at, interval, log }
    }
}

impl Next {
    /// How many could be granted at this moment, one after the other.
    pub(super) fn available(&self, now: i64) -> usize {
        let late = now - self.at;
        if late < 0 {
            return 0;
        }
        let made_up = late.min(LATENESS) / self.interval;
        usize::try_from((1 + made_up).min(self.log)).unwrap_or(1)
    }
}
