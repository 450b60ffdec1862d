//! Numbers that may not be called.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::{decode, encode};
use crate::phone::PhoneNumber;
use crate::store::kept::{id, page, page_size};
use crate::store::{Change, Page, Standing, StoreError, Suppressed, Suppression, pass_over};

/// The entry of a number.
pub(super) fn one(db: &Connection, phone: &str) -> Result<Option<Suppression>, Trouble> {
    let sql = "SELECT record FROM suppressions WHERE phone = ?";
    let found: Option<String> = db.prepare_cached(sql)?.query_row([phone], |row| row.get(0)).optional()?;
    Ok(found.map(|record| decode(&record)).transpose()?)
}

/// A number and its entry, as they are kept.
pub(super) type Row = (String, String);

pub(super) fn row(suppression: &Suppression) -> Result<Row, StoreError> {
    Ok((suppression.phone.as_str().to_owned(), encode(suppression)?))
}

/// Adds a number, if it is new.
pub(super) fn add(db: &Connection, (phone, record): &Row, changes: &mut Vec<Change>) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO suppressions (phone, record) VALUES (?, ?) ON CONFLICT DO NOTHING";
    let new = db.prepare_cached(sql)?.execute(params![phone, record])? > 0;
    changes.extend(new.then_some(Change::Suppression));
    Ok(new)
}

/// Adds many numbers, and answers whose attempts hold them.
pub(super) fn add_all(db: &Connection, rows: &[Row], changes: &mut Vec<Change>) -> Result<Vec<Suppressed>, Trouble> {
    let mut suppressed = Vec::with_capacity(rows.len());
    let sql = "SELECT id FROM jobs WHERE phone = ? AND holds_number = 1";
    let mut holder = db.prepare_cached(sql)?;
    for row in rows {
        let new = add(db, row, changes)?;
        let holder: Option<String> = holder.query_row([&row.0], |row| row.get(0)).optional()?;
        suppressed.push(Suppressed { new, holder: holder.map(|holder| id(&holder)).transpose()? });
    }
    Ok(suppressed)
}

/// How these numbers stand to a run and to the list.
pub(super) fn standings(db: &Connection, run: Option<&str>, phones: &[PhoneNumber]) -> Result<Vec<Standing>, Trouble> {
    let sql = "SELECT 1 FROM jobs j JOIN batches b ON b.no = j.batch
        WHERE j.run = (SELECT no FROM runs WHERE id = ?) AND j.phone = ? AND b.state = 1";
    let mut in_run = db.prepare_cached(sql)?;
    let standing = |phone: &PhoneNumber| {
        let phone = phone.as_str();
        let in_run = match run {
            Some(run) => in_run.exists(params![run, phone])?,
            None => false,
        };
        Ok(Standing { in_run, suppressed: listed(db, phone)? })
    };
    phones.iter().map(standing).collect()
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
        let suppression = pass_over(&phone, decode(&record))?;
        found.push((phone, suppression));
    }
    Ok(page(found, size))
}
