//! Imports: rows come in behind the live work, unseen, and are shown by changing one row.

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::campaigns::{self, CampaignChange};
use super::error::Trouble;
use super::jobs::{InTheWay, campaign_no, count, forget, in_the_way, insert, run_no};
use super::rows::{JobRow, code};
use super::task::Quiet;
use super::{replies, runs};
use crate::job::Status;
use crate::store::kept::id;
use crate::store::{Change, ReplyWrite, StoreError};

/// The states of a batch.
const OPEN: i64 = 0;
const SHOWN: i64 = 1;
pub(super) const DROPPED: i64 = 2;

/// An import that is open.
struct Import {
    batch: i64,
    campaign: i64,
    run: i64,
    membership: (String, String),
    rows: i64,
}

fn find_open(db: &Connection, import: &str) -> Result<Import, Trouble> {
    let sql = "SELECT b.no, b.campaign, b.run, c.id, r.id, b.rows FROM batches b
        JOIN campaigns c ON c.no = b.campaign JOIN runs r ON r.no = b.run WHERE b.import = ? AND b.state = ?";
    let found = db.prepare_cached(sql)?.query_row(params![import, OPEN], |row| {
        Ok(Import {
            batch: row.get(0)?,
            campaign: row.get(1)?,
            run: row.get(2)?,
            membership: (row.get(3)?, row.get(4)?),
            rows: row.get(5)?,
        })
    });
    Ok(found.optional()?.ok_or(StoreError::Missing("import"))?)
}

/// Begins an import.
pub(super) fn open(db: &Connection, import: &str, campaign: &str, run: &str) -> Result<(), Trouble> {
    let Some(campaign_no) = campaign_no(db, campaign)? else {
        return Err(StoreError::Missing("campaign").into());
    };
    let sql = "SELECT 1 FROM batches WHERE campaign = ? AND state = ?";
    if db.prepare_cached(sql)?.exists([campaign_no, OPEN])? {
        return Err(StoreError::Busy("another import into this campaign is under way".into()).into());
    }
    if db.prepare_cached("SELECT 1 FROM batches WHERE import = ?")?.exists([import])? {
        return Err(StoreError::Conflict.into());
    }
    let run = run_no(db, run, campaign_no)?;
    let sql = "INSERT INTO batches (import, campaign, run, state) VALUES (?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![import, campaign_no, run, OPEN])?;
    Ok(())
}

/// Shows an import: one row flips, and its jobs are counted. The campaign changes with it.
pub(super) fn publish(
    db: &Connection,
    name: &str,
    reply: Option<&ReplyWrite>,
    campaign: Option<&CampaignChange>,
    now: i64,
    changes: &mut Vec<Change>,
) -> Result<(), Trouble> {
    if let Some(reply) = reply {
        replies::check(db, reply, now)?;
    }
    let import = find_open(db, name)?;
    let imported_into = id(&import.membership.0)?;
    if let Some(campaign) = campaign {
        campaigns::check(db, campaign)?;
        campaigns::write(db, campaign)?;
    }
    db.prepare_cached("UPDATE batches SET state = ? WHERE no = ?")?.execute([SHOWN, import.batch])?;
    count(db, import.run, code(Status::Waiting), import.rows)?;
    if import.rows > 0 {
        runs::reopen(db, import.run)?;
    }
    if let Some(reply) = reply {
        replies::write(db, reply, now)?;
    }
    changes.push(Change::Campaign(imported_into));
    Ok(())
}

/// Forgets an import: at once for everybody who looks; [`Clearing`] removes its rows.
pub(super) fn drop_open(db: &Connection, name: &str) -> Result<i64, Trouble> {
    let import = find_open(db, name)?;
    let sql = "UPDATE batches SET state = ?, import = NULL WHERE no = ?";
    db.prepare_cached(sql)?.execute([DROPPED, import.batch])?;
    Ok(import.batch)
}

/// Drops what a process that died had left open, and answers all batches that wait to be cleared.
pub(super) fn drop_left_over(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    db.execute("UPDATE batches SET state = ?, import = NULL WHERE state = ?", [DROPPED, OPEN])?;
    let mut statement = db.prepare("SELECT no FROM batches WHERE state = ?")?;
    let batches = statement.query_map([DROPPED], |row| row.get(0))?;
    batches.collect()
}

/// Rows on their way into an import.
pub(super) struct Staging {
    import: String,
    rows: Vec<JobRow>,
    taken: Vec<bool>,
    committed: usize,
    answer: oneshot::Sender<Result<Vec<bool>, StoreError>>,
}

impl Staging {
    pub(super) fn new(import: String, rows: Vec<JobRow>) -> (Self, oneshot::Receiver<Result<Vec<bool>, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        (Self { import, taken: Vec::with_capacity(rows.len()), rows, committed: 0, answer }, answered)
    }
}

impl Quiet for Staging {
    fn chunk(&mut self, db: &Connection, rows: usize) -> Result<bool, Trouble> {
        let import = find_open(db, &self.import)?;
        self.taken.truncate(self.committed);
        let until = self.rows.len().min(self.committed + rows);
        let mut new = 0;
        for row in &self.rows[self.committed..until] {
            let taken = stage(db, &import, row)?;
            new += i64::from(taken);
            self.taken.push(taken);
        }
        let sql = "UPDATE batches SET rows = rows + ? WHERE no = ?";
        db.prepare_cached(sql)?.execute([new, import.batch])?;
        Ok(until == self.rows.len())
    }

    fn committed(&mut self) {
        self.committed = self.taken.len();
    }

    fn finish(self: Box<Self>, result: Result<(), StoreError>) {
        let taken = self.taken;
        let _ = self.answer.send(result.map(|()| taken));
    }
}

/// One row; false if the run has its number already.
fn stage(db: &Connection, import: &Import, row: &JobRow) -> Result<bool, Trouble> {
    if row.status != Status::Waiting || row.membership.as_ref() != Some(&import.membership) {
        return Err(StoreError::Failed("only waiting jobs of its own run can be imported".into()).into());
    }
    let sql = "SELECT 1 FROM jobs j JOIN batches b ON b.no = j.batch
        WHERE j.run = ? AND j.phone = ? AND (b.state = 1 OR b.no = ?)";
    if db.prepare_cached(sql)?.exists(params![import.run, row.phone, import.batch])? {
        return Ok(false);
    }
    match in_the_way(db, &row.id)? {
        InTheWay::Nothing => {}
        InTheWay::Dropped(seq) => forget(db, seq)?,
        InTheWay::Taken => return Err(StoreError::Conflict.into()),
    }
    insert(db, row, import.batch, Some(import.campaign), import.run)?;
    Ok(true)
}

/// Removes the rows of a dropped import, chunk by chunk.
pub(super) struct Clearing(pub(super) i64);

impl Quiet for Clearing {
    fn chunk(&mut self, db: &Connection, rows: usize) -> Result<bool, Trouble> {
        let sql = "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE batch = ? LIMIT ?)";
        let limit = i64::try_from(rows).unwrap_or(i64::MAX);
        let gone = db.prepare_cached(sql)?.execute([self.0, limit])?;
        if gone < rows {
            db.prepare_cached("DELETE FROM batches WHERE no = ?")?.execute([self.0])?;
        }
        Ok(gone < rows)
    }

    fn finish(self: Box<Self>, result: Result<(), StoreError>) {
        if let Err(error) = result {
            // Nobody sees these rows. The next start tries again.
            tracing::warn!(%error, "the rows of a dropped import could not be removed");
        }
    }
}
