//! Campaigns and the counts of their runs.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::limits;
use super::rows::{encode, stored};
use super::runs;
use crate::campaign::{Campaign, CampaignState, Counts};
use crate::id::{CampaignId, RunId};
use crate::store::kept::{cursor, micros, page, page_size, status};
use crate::store::{CampaignWrite, Page, StoreError, Stored, pass_over};
use crate::tally::Tally;

/// A changed or new campaign, ready for the writer.
pub(super) struct CampaignChange {
    pub(super) id: CampaignId,
    pub(super) from: Option<u64>,
    running: bool,
    run: RunId,
    fires_at: Option<i64>,
    begins: Option<runs::Begin>,
    pace: Option<f64>,
    lines: Option<u32>,
    record: String,
}

impl CampaignChange {
    pub(super) fn new(write: CampaignWrite) -> Result<Self, StoreError> {
        let campaign = write.campaign;
        Ok(Self {
            record: encode(&campaign)?,
            from: write.from,
            running: campaign.state == CampaignState::Running,
            pace: campaign.policy.calls_per_second,
            lines: campaign.policy.max_concurrent_calls,
            fires_at: campaign.fires_at().map(micros),
            begins: write.begins.map(runs::Begin::new).transpose()?,
            run: campaign.run,
            id: campaign.id,
        })
    }
}

/// Finds out whether a campaign may be written, and writes nothing.
pub(super) fn check(db: &Connection, change: &CampaignChange) -> Result<(), Trouble> {
    let sql = "SELECT version FROM campaigns WHERE id = ?";
    let version: Option<i64> = db.prepare_cached(sql)?.query_row([change.id.as_str()], |row| row.get(0)).optional()?;
    match (change.from, version.map(i64::unsigned_abs)) {
        (None, None) => Ok(()),
        (Some(from), Some(version)) if from == version => Ok(()),
        (Some(_), None) => Err(StoreError::Missing("campaign").into()),
        _ => Err(StoreError::Conflict.into()),
    }
}

/// Writes a campaign that [`check`] has passed.
pub(super) fn write(db: &Connection, change: &CampaignChange) -> rusqlite::Result<()> {
    if change.running {
        limits::forget_endings(db, change.id.as_str(), change.begins.is_some())?;
    }
    let sql = "INSERT INTO campaigns (id, version, running, run, fires_at, pace, lines, record)
        VALUES (?, 1, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET version = version + 1, running = excluded.running, run = excluded.run,
        fires_at = excluded.fires_at, pace = excluded.pace, lines = excluded.lines, record = excluded.record";
    let CampaignChange { id, running, run, fires_at, begins, pace, lines, record, .. } = change;
    db.prepare_cached(sql)?.execute(params![id.as_str(), running, run.as_str(), fires_at, pace, lines, record])?;
    if let Some(run) = begins {
        runs::begin(db, id.as_str(), run)?;
    }
    Ok(())
}

/// One campaign.
pub(super) fn one(db: &Connection, id: &str) -> Result<Option<Stored<Campaign>>, Trouble> {
    let sql = "SELECT record, version FROM campaigns WHERE id = ?";
    let found: Option<(String, i64)> =
        db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(record, version)| stored(&record, version)).transpose()?)
}

/// Campaigns, the newest first.
pub(super) fn list(db: &Connection, after: Option<&str>, limit: u32) -> Result<Page<Stored<Campaign>>, Trouble> {
    let before = cursor(after)?.unwrap_or(i64::MAX);
    let size = page_size(limit);
    let sql = "SELECT no, record, version FROM campaigns WHERE no < ? ORDER BY no DESC LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![before, size + 1])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (no, record, version): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.push((no.to_string(), pass_over(format_args!("campaign {no}"), stored(&record, version))?));
    }
    Ok(page(found, size))
}

/// How many jobs of a run stand where, and their tally.
pub(super) fn counts(db: &Connection, run: &str) -> Result<Counts, Trouble> {
    let sql = "SELECT status, n FROM counts WHERE run = (SELECT no FROM runs WHERE id = ?)";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([run])?;
    let mut pairs = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, n): (u8, i64) = (row.get(0)?, row.get(1)?);
        let status = status(number).ok_or_else(|| StoreError::Corrupt(format!("status {number}")))?;
        pairs.push((status, u64::try_from(n).unwrap_or(0)));
    }
    let run = db.prepare_cached("SELECT no FROM runs WHERE id = ?")?.query_row([run], |row| row.get(0)).optional()?;
    let tally = run.map_or(Ok(Tally::default()), |run| tally(db, run))?;
    Ok(Counts::from_pairs(pairs).with_tally(tally))
}

/// What the calls of a run come to.
pub(super) fn tally(db: &Connection, run: i64) -> rusqlite::Result<Tally> {
    let sql = "SELECT calls, ended, connected, cost, reserved FROM tallies WHERE run = ?";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Tally::from_parts([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
    };
    Ok(db.prepare_cached(sql)?.query_row([run], read).optional()?.unwrap_or_default())
}
