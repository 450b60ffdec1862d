//! Runs: what begins, what has ended, and what is left of those that were replaced.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::jobs::{campaign_no, run_no};
use super::rows::{code, decode, encode};
use crate::id::{CampaignId, JobId};
use crate::job::Status;
use crate::run::Run;
use crate::store::kept::{cursor, id, micros, page, page_size, timestamp};
use crate::store::{Fires, Page, StoreError, pass_over};

/// A run that begins, ready for the writer.
pub(super) struct Begin {
    id: String,
    number: u32,
    record: String,
}

impl Begin {
    pub(super) fn new(run: Run) -> Result<Self, StoreError> {
        Ok(Self { record: encode(&run)?, id: run.id.to_string(), number: run.number })
    }
}

/// Writes the run that begins with its campaign's record.
pub(super) fn begin(db: &Connection, campaign: &str, begin: &Begin) -> rusqlite::Result<()> {
    let Some(campaign) = campaign_no(db, campaign)? else { return Ok(()) };
    let run = run_no(db, &begin.id, campaign)?;
    let sql = "UPDATE runs SET number = ?, ended = 0, record = ? WHERE no = ?";
    db.prepare_cached(sql)?.execute(params![begin.number, begin.record, run]).map(drop)
}

/// A run that has ended, ready for the writer.
pub(super) struct End {
    id: String,
    pub(super) campaign: CampaignId,
    record: String,
}

impl End {
    pub(super) fn new(run: Run) -> Result<Self, StoreError> {
        Ok(Self { record: encode(&run)?, id: run.id.to_string(), campaign: run.campaign })
    }
}

/// Finds out whether a run may end, and writes nothing. The open statuses are the first ones: see `kept::is_open`.
pub(super) fn check_end(db: &Connection, end: &End) -> Result<(), Trouble> {
    let sql = "SELECT ended OR EXISTS (SELECT 1 FROM counts WHERE run = runs.no AND status <= ?2 AND n > 0)
        FROM runs WHERE id = ?1 AND ended IS NOT NULL";
    let last_open = code(Status::Closing);
    match db.prepare_cached(sql)?.query_row(params![end.id, last_open], |row| row.get::<_, bool>(0)).optional()? {
        None => Err(StoreError::Missing("run").into()),
        Some(true) => Err(StoreError::Conflict.into()),
        Some(false) => Ok(()),
    }
}

/// Writes the end of a run that [`check_end`] has passed.
pub(super) fn end(db: &Connection, end: &End) -> rusqlite::Result<()> {
    let sql = "UPDATE runs SET ended = 1, record = ? WHERE id = ?";
    db.prepare_cached(sql)?.execute([&end.record, &end.id]).map(drop)
}

/// A run that had ended is open again, because a job of it is.
pub(super) fn reopen(db: &Connection, run: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET ended = 0 WHERE no = ? AND ended = 1")?.execute([run]).map(drop)
}

/// One run that has begun.
pub(super) fn one(db: &Connection, id: &str) -> Result<Option<Run>, Trouble> {
    let sql = "SELECT record, ended FROM runs WHERE id = ? AND record IS NOT NULL";
    let found: Option<(String, bool)> =
        db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(record, ended)| known(&record, ended)).transpose()?)
}

/// A run as it stands: one that was opened again has no end, whatever its record says.
fn known(record: &str, ended: bool) -> Result<Run, StoreError> {
    let run: Run = decode(record)?;
    Ok(Run { ended_at: run.ended_at.filter(|_| ended), ..run })
}

/// The runs of a campaign, the latest first.
pub(super) fn list(db: &Connection, campaign: &str, after: Option<&str>, limit: u32) -> Result<Page<Run>, Trouble> {
    let sql = "SELECT number, record, ended FROM runs
        WHERE campaign = (SELECT no FROM campaigns WHERE id = ?) AND number IS NOT NULL AND number < ?
        ORDER BY number DESC LIMIT ?";
    let (before, size) = (cursor(after)?.unwrap_or(i64::MAX), page_size(limit));
    let mut statement = db.prepare_cached(sql)?;
    read(statement.query(params![campaign, before, size + 1])?, size)
}

/// Runs that have begun and not ended.
pub(super) fn open(db: &Connection, after: Option<&str>, limit: u32) -> Result<Page<Run>, Trouble> {
    let sql = "SELECT no, record, ended FROM runs WHERE ended = 0 AND no > ? ORDER BY no LIMIT ?";
    let (after, size) = (cursor(after)?.unwrap_or(0), page_size(limit));
    let mut statement = db.prepare_cached(sql)?;
    read(statement.query(params![after, size + 1])?, size)
}

fn read(mut rows: rusqlite::Rows<'_>, size: u32) -> Result<Page<Run>, Trouble> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (place, record, ended): (i64, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.push((place.to_string(), pass_over(format_args!("run {place}"), known(&record, ended))?));
    }
    Ok(page(found, size))
}

/// Campaigns whose next run is due.
pub(super) fn fires(db: &Connection, limit: u32, now: Timestamp) -> Result<Fires, Trouble> {
    let sql = "SELECT id FROM campaigns WHERE fires_at <= ? ORDER BY fires_at LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![micros(now), limit])?;
    let mut campaigns = Vec::new();
    while let Some(row) = rows.next()? {
        campaigns.push(id(&row.get::<_, String>(0)?)?);
    }
    let sql = "SELECT MIN(fires_at) FROM campaigns WHERE fires_at > ?";
    let next: Option<i64> = db.prepare_cached(sql)?.query_row([micros(now)], |row| row.get(0))?;
    Ok(Fires { campaigns, again_at: next.map(timestamp) })
}

/// Waiting jobs of runs that are not their campaign's present one. The way leads through the counts of waiting
/// jobs: runs of last year, where nobody waits, cost nothing.
pub(super) fn superseded(db: &Connection, limit: u32) -> Result<Vec<JobId>, Trouble> {
    let sql = "SELECT j.id FROM counts w CROSS JOIN runs r ON r.no = w.run CROSS JOIN campaigns c ON c.no = r.campaign
        CROSS JOIN batches b ON b.run = r.no CROSS JOIN jobs j ON j.batch = b.no
        WHERE w.status = 0 AND w.n > 0 AND r.id <> c.run AND b.state = 1 AND j.status = 0 LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([limit])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(id(&row.get::<_, String>(0)?)?);
    }
    Ok(jobs)
}
