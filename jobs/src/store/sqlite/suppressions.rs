//! Numbers that may not be called.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::decode;
use crate::store::kept::{page, page_size};
use crate::store::{Page, StoreError, Suppression};

/// The entry of a number.
pub(super) fn one(db: &Connection, phone: &str) -> Result<Option<Suppression>, Trouble> {
    let sql = "SELECT record FROM suppressions WHERE phone = ?";
    let found: Option<String> = db.prepare_cached(sql)?.query_row([phone], |row| row.get(0)).optional()?;
    Ok(found.map(|record| decode(&record)).transpose()?)
}

/// Whether a number is listed.
pub(super) fn listed(db: &Connection, phone: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM suppressions WHERE phone = ?")?.exists([phone])
}

/// The list by number. The cursor is the last number of the page before.
pub(super) fn list(db: &Connection, after: Option<&str>, limit: u32) -> Result<Page<Suppression>, Trouble> {
    if after.is_some_and(|after| !after.starts_with('+')) {
        return Err(StoreError::BadCursor.into());
    }
    let size = page_size(limit);
    let sql = "SELECT phone, record FROM suppressions WHERE phone > ? ORDER BY phone LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![after.unwrap_or(""), size + 1])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (phone, record): (String, String) = (row.get(0)?, row.get(1)?);
        found.push((phone, decode(&record)?));
    }
    Ok(page(found, size))
}
