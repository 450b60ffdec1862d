//! Replies kept for idempotency keys.

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::{decode, encode};
use crate::store::kept::micros;
use crate::store::{ReplyWrite, SavedReply, StoreError};

/// How long a reply is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A time before which a reply, in microseconds, is too old.
fn too_old(now: i64) -> i64 {
    now.saturating_sub(i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX))
}

/// The reply under a key, unless it is too old.
pub(super) fn one(db: &Connection, key: &str, now: i64) -> Result<Option<SavedReply>, Trouble> {
    let sql = "SELECT record FROM replies WHERE key = ? AND at > ?";
    let found: Option<String> =
        db.prepare_cached(sql)?.query_row(params![key, too_old(now)], |row| row.get(0)).optional()?;
    Ok(found.map(|record| decode(&record)).transpose()?)
}

/// Finds out whether a key may be written, and writes nothing.
pub(super) fn check(db: &Connection, write: &ReplyWrite, now: i64) -> Result<(), Trouble> {
    match write {
        ReplyWrite::Complete(_) => Ok(()),
        ReplyWrite::Claim(claim) => match one(db, &claim.key, now)? {
            Some(known) => Err(StoreError::KeyTaken(Box::new(known)).into()),
            None => Ok(()),
        },
    }
}

/// Writes a reply that [`check`] has passed.
pub(super) fn write(db: &Connection, write: &ReplyWrite, now: i64) -> Result<(), Trouble> {
    let (ReplyWrite::Claim(reply) | ReplyWrite::Complete(reply)) = write;
    let sql = "INSERT INTO replies (key, at, record) VALUES (?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET at = excluded.at, record = excluded.record";
    db.prepare_cached(sql)?.execute(params![reply.key, micros(reply.at), encode(reply)?])?;
    // Each write takes a few old ones with it: the table stays as long as a day's requests are,
    // and no single write has to clear it.
    let sql = "DELETE FROM replies WHERE key IN (SELECT key FROM replies WHERE at <= ? ORDER BY at LIMIT 4)";
    db.prepare_cached(sql)?.execute([too_old(now)])?;
    Ok(())
}
