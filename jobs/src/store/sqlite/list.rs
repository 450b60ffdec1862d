//! Lists of jobs. The cursor is the number of the last row, which no write ever changes.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::error::Trouble;
use super::rows::{code, decode, stored};
use crate::job::CallJob;
use crate::store::kept::{cursor, page, page_size};
use crate::store::{Entry, JobQuery, Page, Stored, pass_over};

type Found = Vec<(String, Option<Stored<CallJob>>)>;

/// One job.
pub(super) fn one(db: &Connection, id: &str) -> Result<Option<Stored<CallJob>>, Trouble> {
    let sql = "SELECT j.record, j.version FROM jobs j JOIN batches b ON b.no = j.batch
        WHERE j.id = ? AND b.state = 1";
    let found: Option<(String, i64)> =
        db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(record, version)| stored(&record, version)).transpose()?)
}

/// Jobs in the order they were accepted.
///
/// Each visible batch is a sorted list of rows, and the page is cut from all of them merged. Read
/// this way, a page costs the same however many rows there are: neither those before the cursor
/// nor those that may not be seen are ever walked over.
pub(super) fn jobs(db: &Connection, query: &JobQuery) -> Result<Page<Stored<CallJob>>, Trouble> {
    let after = cursor(query.cursor.as_deref())?.unwrap_or(0);
    let size = page_size(query.limit);
    let status = query.status.map(code);
    let mut heads: Vec<(i64, i64)> = Vec::new();
    for batch in batches(db, query)? {
        heads.extend(head(db, batch, status, after)?.map(|seq| (seq, batch)));
    }
    let mut found = Found::new();
    let enough = usize::try_from(size).unwrap_or(usize::MAX) + 1;
    while found.len() < enough {
        // The batch whose next row comes first gives rows until another batch's turn.
        heads.sort_unstable();
        let Some(&(from, batch)) = heads.first() else { break };
        let until = heads.get(1).map_or(i64::MAX, |(seq, _)| *seq);
        let last = stretch(db, batch, status, from..until, enough - found.len(), &mut found)?;
        match head(db, batch, status, last)? {
            Some(next) => heads[0].0 = next,
            None => drop(heads.swap_remove(0)),
        }
    }
    Ok(page(found, size))
}

/// The batches that a query is about.
fn batches(db: &Connection, query: &JobQuery) -> rusqlite::Result<Vec<i64>> {
    let mut sql = String::from("SELECT no FROM batches WHERE state = 1");
    let mut values: Vec<Value> = Vec::new();
    if let Some(run) = &query.run {
        sql.push_str(" AND run = (SELECT no FROM runs WHERE id = ?)");
        values.push(run.to_string().into());
    }
    if let Some(campaign) = &query.campaign {
        sql.push_str(" AND campaign = (SELECT no FROM campaigns WHERE id = ?)");
        values.push(campaign.to_string().into());
    }
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    rows.collect()
}

/// The first row of a batch after the one numbered `after`.
fn head(db: &Connection, batch: i64, status: Option<i64>, after: i64) -> rusqlite::Result<Option<i64>> {
    match status {
        None => {
            let sql = "SELECT seq FROM jobs INDEXED BY jobs_batch WHERE batch = ? AND seq > ? ORDER BY seq LIMIT 1";
            db.prepare_cached(sql)?.query_row([batch, after], |row| row.get(0)).optional()
        }
        Some(status) => {
            let sql = "SELECT seq FROM jobs INDEXED BY jobs_status
                WHERE batch = ? AND status = ? AND seq > ? ORDER BY seq LIMIT 1";
            db.prepare_cached(sql)?.query_row([batch, status, after], |row| row.get(0)).optional()
        }
    }
}

/// Reads the rows of a batch within a range; answers the number of the last.
fn stretch(
    db: &Connection,
    batch: i64,
    status: Option<i64>,
    range: std::ops::Range<i64>,
    at_most: usize,
    found: &mut Found,
) -> Result<i64, Trouble> {
    let (sql, values) = match status {
        None => (
            "SELECT seq, record, version FROM jobs INDEXED BY jobs_batch
                WHERE batch = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
            vec![batch, range.start, range.end],
        ),
        Some(status) => (
            "SELECT seq, record, version FROM jobs INDEXED BY jobs_status
                WHERE batch = ? AND status = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
            vec![batch, status, range.start, range.end],
        ),
    };
    let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values.into_iter().chain([limit])))?;
    let mut last = range.start;
    while let Some(row) = rows.next()? {
        let (record, version): (String, i64) = (row.get(1)?, row.get(2)?);
        last = row.get(0)?;
        found.push((last.to_string(), pass_over(format_args!("row {last}"), stored(&record, version))?));
    }
    Ok(last)
}

/// Jobs that are neither waiting nor final nor quarantined.
pub(super) fn open_jobs(db: &Connection, after: Option<&str>, limit: u32) -> Result<Page<Stored<CallJob>>, Trouble> {
    let after = cursor(after)?.unwrap_or(0);
    let size = page_size(limit);
    let sql = "SELECT seq, record, version FROM jobs INDEXED BY jobs_live
        WHERE status BETWEEN 1 AND 5 AND seq > ? ORDER BY seq LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, size + 1])?;
    let mut found = Found::new();
    while let Some(row) = rows.next()? {
        let (seq, record, version): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.push((seq.to_string(), pass_over(format_args!("row {seq}"), stored(&record, version))?));
    }
    Ok(page(found, size))
}

/// The history of a job.
pub(super) fn entries(db: &Connection, job: &str, after: u64, limit: u32) -> Result<Vec<Entry>, Trouble> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let sql = "SELECT number, entry FROM entries
        WHERE job = (SELECT seq FROM jobs WHERE id = ?) AND number > ? ORDER BY number LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![job, after, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, entry): (i64, String) = (row.get(0)?, row.get(1)?);
        found.push(Entry { number: number.unsigned_abs(), entry: decode(&entry)? });
    }
    Ok(found)
}
