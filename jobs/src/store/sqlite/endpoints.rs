//! Endpoints that announcements are delivered to.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::{encode, stored};
use crate::endpoint::Endpoint;
use crate::store::{EndpointWrite, StoreError, Stored, pass_over};

/// A write of an endpoint, ready for the writer.
pub(super) enum EndpointChange {
    Put { id: String, from: Option<u64>, record: String },
    Remove(String),
}

impl EndpointChange {
    pub(super) fn new(write: EndpointWrite) -> Result<Self, StoreError> {
        Ok(match write {
            EndpointWrite::Put { endpoint, from } => {
                Self::Put { id: endpoint.id.to_string(), from, record: encode(&endpoint)? }
            }
            EndpointWrite::Remove(id) => Self::Remove(id.to_string()),
        })
    }

    /// Whether the list of endpoints is another one after it: how far each has got is no news.
    pub(super) const fn is_news(&self) -> bool {
        matches!(self, Self::Put { from: None, .. } | Self::Remove(_))
    }
}

/// Finds out whether an endpoint may be written, and writes nothing.
pub(super) fn check(db: &Connection, change: &EndpointChange) -> Result<(), Trouble> {
    let (EndpointChange::Put { id, .. } | EndpointChange::Remove(id)) = change;
    let sql = "SELECT version FROM endpoints WHERE id = ?";
    let version: Option<i64> = db.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    match (change, version.map(i64::unsigned_abs)) {
        (EndpointChange::Put { from: None, .. }, None) | (EndpointChange::Remove(_), Some(_)) => Ok(()),
        (EndpointChange::Put { from: Some(from), .. }, Some(version)) if *from == version => Ok(()),
        (_, None) => Err(StoreError::Missing("webhook").into()),
        _ => Err(StoreError::Conflict.into()),
    }
}

/// Writes an endpoint that [`check`] has passed.
pub(super) fn write(db: &Connection, change: &EndpointChange) -> rusqlite::Result<()> {
    match change {
        EndpointChange::Put { id, record, .. } => {
            let sql = "INSERT INTO endpoints (id, version, record) VALUES (?, 1, ?)
                ON CONFLICT (id) DO UPDATE SET version = version + 1, record = excluded.record";
            db.prepare_cached(sql)?.execute(params![id, record]).map(drop)
        }
        EndpointChange::Remove(id) => db.prepare_cached("DELETE FROM endpoints WHERE id = ?")?.execute([id]).map(drop),
    }
}

/// One endpoint.
pub(super) fn one(db: &Connection, id: &str) -> Result<Option<Stored<Endpoint>>, Trouble> {
    let sql = "SELECT record, version FROM endpoints WHERE id = ?";
    let found: Option<(String, i64)> =
        db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(record, version)| stored(&record, version)).transpose()?)
}

/// All of them, the oldest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Stored<Endpoint>>, Trouble> {
    let mut statement = db.prepare_cached("SELECT id, record, version FROM endpoints ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, record, version): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.extend(pass_over(id, stored(&record, version))?);
    }
    Ok(found)
}
