//! The log of grants, by which the pace is kept.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::kept::micros;
use crate::store::pace::{Grant, LOG, Meter, Next};

/// The account's scope; campaigns have their numbers, which begin with 1.
pub(super) const ACCOUNT: i64 = 0;

/// When the next grant of a scope may be, as things stand.
pub(super) fn next(meter: Meter, db: &Connection, scope: i64, now: Timestamp) -> rusqlite::Result<Next> {
    let last: Option<(i64, Grant)> = db
        .prepare_cached("SELECT k, at, slot FROM pace WHERE scope = ? ORDER BY k DESC LIMIT 1")?
        .query_row([scope], |row| Ok((row.get(0)?, Grant { at: row.get(1)?, slot: row.get(2)? })))
        .optional()?;
    let first = match last {
        None => None,
        Some((k, _)) => db
            .prepare_cached("SELECT at FROM pace WHERE scope = ? AND k = ?")?
            .query_row([scope, k + 1 - meter.log], |row| row.get(0))
            .optional()?,
    };
    Ok(meter.next(last.map(|(_, grant)| grant), first, micros(now)))
}

/// Writes a grant down.
pub(super) fn take(next: &Next, db: &Connection, scope: i64, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO pace (scope, k, at, slot)
        VALUES (?1, (SELECT COALESCE(MAX(k), 0) + 1 FROM pace WHERE scope = ?1), ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![scope, micros(now), next.slot])?;
    let sql = "DELETE FROM pace WHERE scope = ?1 AND k <= (SELECT MAX(k) FROM pace WHERE scope = ?1) - ?2";
    db.prepare_cached(sql)?.execute([scope, LOG])?;
    Ok(())
}
