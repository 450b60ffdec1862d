//! What a campaign's limits are compared with: how its latest calls ended, and how many began on a day.

use rusqlite::{Connection, OptionalExtension, params};

use crate::breaker::{Ending, Endings};

/// Days, which are numbers such as 20261231, are forgotten a year later: a zone that changes must find its own again, also
/// at the turn of a year.
const KEPT_DAYS: i64 = 10_000;

/// How the latest calls of a campaign ended.
pub(super) fn endings(db: &Connection, campaign: i64) -> rusqlite::Result<Endings> {
    let sql = "SELECT bits FROM endings WHERE campaign = ?";
    let bits = db.prepare_cached(sql)?.query_row([campaign], |row| row.get(0)).optional()?;
    Ok(Endings::from_bits(bits.unwrap_or(0)))
}

/// The same by the campaign's id.
pub(super) fn endings_by_id(db: &Connection, campaign: &str) -> rusqlite::Result<Endings> {
    let no = super::jobs::campaign_no(db, campaign)?;
    no.map_or(Ok(Endings::default()), |no| endings(db, no))
}

/// Writes down how a call ended. Those of a run that was replaced tell nothing of the present one.
pub(super) fn add_ending(db: &Connection, campaign: i64, run: i64, ending: Ending) -> rusqlite::Result<()> {
    let sql = "SELECT 1 FROM campaigns c JOIN runs r ON r.id = c.run WHERE c.no = ? AND r.no = ?";
    if !db.prepare_cached(sql)?.exists([campaign, run])? {
        return Ok(());
    }
    let bits = endings(db, campaign)?.and(ending).bits();
    let sql = "INSERT INTO endings (campaign, bits) VALUES (?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits";
    db.prepare_cached(sql)?.execute(params![campaign, bits]).map(drop)
}

/// Forgets how a campaign's calls ended before it begins to run: because it was not running, or with a run of its own.
pub(super) fn forget_endings(db: &Connection, campaign: &str, run_begins: bool) -> rusqlite::Result<()> {
    let sql = "DELETE FROM endings WHERE campaign = (SELECT no FROM campaigns WHERE id = ? AND (running = 0 OR ?))";
    db.prepare_cached(sql)?.execute(params![campaign, run_begins]).map(drop)
}

/// How many calls of a campaign began on a day.
pub(super) fn calls_of(db: &Connection, campaign: i64, day: i64) -> rusqlite::Result<u32> {
    let sql = "SELECT calls FROM days WHERE campaign = ? AND day = ?";
    Ok(db.prepare_cached(sql)?.query_row([campaign, day], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Counts a call of a day.
pub(super) fn count_call(db: &Connection, campaign: i64, day: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO days (campaign, day, calls) VALUES (?, ?, 1)
        ON CONFLICT DO UPDATE SET calls = calls + 1 RETURNING calls";
    let calls: i64 = db.prepare_cached(sql)?.query_row([campaign, day], |row| row.get(0))?;
    if calls == 1 {
        let sql = "DELETE FROM days WHERE campaign = ? AND day < ?";
        db.prepare_cached(sql)?.execute([campaign, day - KEPT_DAYS])?;
    }
    Ok(())
}
