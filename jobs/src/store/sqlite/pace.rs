//! How fast calls may begin: evenly, and never more in any second than allowed.
//!
//! Each grant belongs to a slot, and slots are one interval apart. A grant that comes a little
//! after its slot, because timers and threads are late, does not push back the slots after it:
//! otherwise each lateness would be lost for good, a twentieth of the pace at 50 calls a second.
//! What that would allow too much is cut by the log of grants: of any so many in a row, as many
//! as a second allows, the next one is at least that second after the first.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::micros;

/// The account's scope; campaigns have their numbers, which begin with 1.
pub(super) const ACCOUNT: i64 = 0;
/// A second in microseconds, and a little: calls travel to Twilio at slightly different speeds,
/// and must not arrive more than allowed in a second either.
const SECOND: f64 = 1_004_000.0;
/// How much lateness a later slot makes up for.
const LATENESS: i64 = 10_000;
/// The longest log that is looked at.
const LOG: i64 = 1_000;

/// A pace in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meter {
    interval: i64,
    /// So many grants …
    log: i64,
    /// … never take less than this.
    span: i64,
}

/// When the next call of a scope may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    k: i64,
    slot: i64,
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

    /// When the next grant may be, as things stand.
    pub(super) fn next(self, db: &Connection, scope: i64, now: Timestamp) -> rusqlite::Result<Next> {
        let now = micros(now);
        let last: Option<(i64, i64, i64)> = db
            .prepare_cached("SELECT k, at, slot FROM pace WHERE scope = ? ORDER BY k DESC LIMIT 1")?
            .query_row([scope], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Self { interval, log, span } = self;
        let Some((k, last, slot)) = last else {
            return Ok(Next { k: 1, slot: now, at: now, interval, log });
        };
        if last > now {
            // The clock was set back. Waiting for the old time to come again could take hours.
            return Ok(Next { k: k + 1, slot: now, at: now, interval, log });
        }
        let slot = slot.max(last - LATENESS) + interval;
        let first: Option<i64> = db
            .prepare_cached("SELECT at FROM pace WHERE scope = ? AND k = ?")?
            .query_row([scope, k + 1 - log], |row| row.get(0))
            .optional()?;
        let at = first.filter(|first| *first <= now).map_or(slot, |first| slot.max(first + span));
        Ok(Next { k: k + 1, slot, at, interval, log })
    }
}

impl Next {
    /// How many could be granted at this moment, one after the other.
    pub(super) fn available(&self, now: Timestamp) -> usize {
        let late = micros(now) - self.at;
        if late < 0 {
            return 0;
        }
        let made_up = late.min(LATENESS) / self.interval;
        usize::try_from((1 + made_up).min(self.log)).unwrap_or(1)
    }

    /// Writes a grant down.
    pub(super) fn take(&self, db: &Connection, scope: i64, now: Timestamp) -> rusqlite::Result<()> {
        let sql = "INSERT INTO pace (scope, k, at, slot) VALUES (?, ?, ?, ?)";
        db.prepare_cached(sql)?.execute(params![scope, self.k, micros(now), self.slot])?;
        let sql = "DELETE FROM pace WHERE scope = ? AND k <= ?";
        db.prepare_cached(sql)?.execute([scope, self.k - LOG])?;
        Ok(())
    }
}
