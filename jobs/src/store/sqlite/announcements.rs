//! What is told to those who watch: the list, and its end that is kept.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::decode;
use crate::announcement::{Announced, AnnouncementId, Announcements, KEPT};
use crate::store::kept::page_size;
use crate::store::pass_over;

/// How often old rows are removed: so many at once cost one write well below a millisecond.
const TRIM_EVERY: i64 = 256;

/// Adds announcements in the open transaction.
pub(super) fn write(db: &Connection, records: &[String], now: i64) -> rusqlite::Result<()> {
    for record in records {
        let sql = "INSERT INTO announcements (at, record) VALUES (?, ?)";
        let no = db.prepare_cached(sql)?.insert(params![now, record])?;
        if no % TRIM_EVERY == 0 {
            let sql = "DELETE FROM announcements WHERE no <= ?";
            db.prepare_cached(sql)?.execute([no - i64::from(KEPT)])?;
        }
    }
    Ok(())
}

/// What was announced after an id. A row's number orders it; its time tells it from one of an older copy of this file.
pub(super) fn list(db: &Connection, after: AnnouncementId, limit: u32) -> Result<Announcements, Trouble> {
    let number = i64::try_from(after.major).unwrap_or(i64::MAX);
    let size = usize::try_from(page_size(limit)).unwrap_or(usize::MAX);
    let sql = "SELECT no, at, record FROM announcements WHERE no > ? ORDER BY no";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([number])?;
    let mut items = Vec::new();
    // On past those that cannot be read, however many: a part that is empty would be taken for the end.
    while items.len() < size
        && let Some(row) = rows.next()?
    {
        let (no, at, record): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = id(no, at);
        items.extend(pass_over(id, decode(&record))?.map(|announcement| Announced { id, announcement }));
    }
    Ok(Announcements { gap: !follows(db, after, number)?, items })
}

/// Whether nothing is missing between an id and the first row after it.
fn follows(db: &Connection, after: AnnouncementId, number: i64) -> Result<bool, Trouble> {
    if after == AnnouncementId::START {
        let first: Option<i64> =
            db.prepare_cached("SELECT MIN(no) FROM announcements")?.query_row([], |row| row.get(0))?;
        return Ok(first.is_none_or(|first| first == 1));
    }
    let at = i64::try_from(after.minor).unwrap_or(i64::MAX);
    let sql = "SELECT 1 FROM announcements WHERE no = ? AND at = ?";
    Ok(db.prepare_cached(sql)?.exists([number, at])?)
}

/// The latest.
pub(super) fn last(db: &Connection) -> Result<AnnouncementId, Trouble> {
    let sql = "SELECT no, at FROM announcements ORDER BY no DESC LIMIT 1";
    let found: Option<(i64, i64)> =
        db.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map_or(AnnouncementId::START, |(no, at)| id(no, at)))
}

const fn id(no: i64, at: i64) -> AnnouncementId {
    AnnouncementId { major: no.unsigned_abs(), minor: at.unsigned_abs() }
}
