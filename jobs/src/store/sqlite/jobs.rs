//! Writing a job: its row, its history and the counts of its run, together.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Trouble;
use super::rows::{JobChange, JobRow, Known, code, known};
use super::{limits, runs};
use crate::store::StoreError;
use crate::store::kept::is_open;
use crate::tally::Tally;

/// The batch of the single calls: see the schema.
const SINGLES: i64 = 1;
/// What stands for their run.
const SINGLE_CALLS: i64 = 0;

/// What a write of a job will do, once everything else was found to be in order.
pub(super) enum Place {
    /// A row that is there.
    Old(Known),
    /// A new row.
    New {
        /// Of the campaign with this number.
        campaign: Option<i64>,
        /// In place of this row, which nobody can see.
        dropped: Option<i64>,
    },
}

/// Finds out whether a job may be written, and writes nothing.
pub(super) fn check(db: &Connection, change: &JobChange, new_campaign: bool) -> Result<Place, Trouble> {
    let row = &change.row;
    let place = match (change.from, known(db, &row.id)?) {
        (Some(from), Some(known)) if known.version == from => Place::Old(known),
        (Some(_), None) => return Err(StoreError::Missing("job").into()),
        (Some(_) | None, Some(_)) => return Err(StoreError::Conflict.into()),
        (None, None) => {
            let dropped = match in_the_way(db, &row.id)? {
                InTheWay::Nothing => None,
                InTheWay::Dropped(seq) => Some(seq),
                InTheWay::Taken => return Err(StoreError::Conflict.into()),
            };
            let campaign = match &row.membership {
                None => None,
                Some((campaign, _)) => match campaign_no(db, campaign)? {
                    // The same write brings the campaign.
                    None if new_campaign => None,
                    None => return Err(StoreError::Missing("campaign").into()),
                    found => found,
                },
            };
            Place::New { campaign, dropped }
        }
    };
    if row.holds_number
        && let Some(holder) = holder(db, &row.phone)?
        && holder != row.id
    {
        return Err(StoreError::Busy(format!("the number is held by {holder}")).into());
    }
    Ok(place)
}

/// Writes a job that [`check`] has passed.
pub(super) fn write(db: &Connection, change: &JobChange, place: Place) -> Result<(), Trouble> {
    let row = &change.row;
    let (seq, run) = match place {
        Place::Old(known) => {
            update(db, row, &known)?;
            if let (Some(campaign), Some(ending)) = (known.campaign, change.ending) {
                limits::add_ending(db, campaign, known.run, ending)?;
            }
            (known.seq, known.run)
        }
        Place::New { campaign, dropped } => {
            if let Some(dropped) = dropped {
                forget(db, dropped)?;
            }
            let (batch, campaign, run) = match &row.membership {
                None => (SINGLES, None, SINGLE_CALLS),
                Some((id, run)) => {
                    let campaign = match campaign {
                        Some(no) => no,
                        None => campaign_no(db, id)?.ok_or(StoreError::Missing("campaign"))?,
                    };
                    let run = run_no(db, run, campaign)?;
                    (additions(db, campaign, run)?, Some(campaign), run)
                }
            };
            count(db, run, code(row.status), 1)?;
            if is_open(code(row.status)) {
                runs::reopen(db, run)?;
            }
            (insert(db, row, batch, campaign, run)?, run)
        }
    };
    tally(db, run, change.tally)?;
    add_entries(db, seq, &change.entries)?;
    Ok(())
}

/// Changes a row, its version and the counts.
///
/// Only columns that differ are named: SQLite writes every index anew that a named column is part of,
/// whether the value differs or not, and most news of a call moves its deadline at most.
pub(super) fn update(db: &Connection, row: &JobRow, known: &Known) -> rusqlite::Result<()> {
    let status = code(row.status);
    let columns = [
        (status != known.status, ", status = ?3"),
        (row.ready_at != known.ready_at, ", ready_at = ?4"),
        (row.deadline != known.deadline, ", deadline = ?5"),
        (row.line_until != known.line_until, ", line_until = ?6"),
        (row.holds_number != known.holds_number, ", holds_number = ?7"),
    ];
    let mut sql = String::with_capacity(160);
    sql.push_str("UPDATE jobs SET version = version + 1, record = ?2");
    sql.extend(columns.iter().filter(|(differs, _)| *differs).map(|(_, column)| *column));
    // The last place is always taken, so that all of these have as many.
    sql.push_str(" WHERE seq = ?1 AND ?8");
    db.prepare_cached(&sql)?.execute(params![
        known.seq,
        row.record,
        status,
        row.ready_at,
        row.deadline,
        row.line_until,
        row.holds_number,
        true
    ])?;
    if status != known.status {
        count(db, known.run, known.status, -1)?;
        count(db, known.run, status, 1)?;
        if is_open(status) && !is_open(known.status) {
            runs::reopen(db, known.run)?;
        }
    }
    Ok(())
}

/// Adds a row and answers its number. Counting it is the caller's part: staged rows are counted
/// when they are published.
pub(super) fn insert(
    db: &Connection,
    row: &JobRow,
    batch: i64,
    campaign: Option<i64>,
    run: i64,
) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO jobs (id, batch, campaign, run, phone, status, version, ready_at, deadline, line_until,
        holds_number, record) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.insert(params![
        row.id,
        batch,
        campaign,
        run,
        row.phone,
        code(row.status),
        row.ready_at,
        row.deadline,
        row.line_until,
        row.holds_number,
        row.record
    ])
}

/// The job whose open attempt holds a number.
pub(super) fn holder(db: &Connection, phone: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT id FROM jobs WHERE phone = ? AND holds_number = 1";
    db.prepare_cached(sql)?.query_row([phone], |row| row.get(0)).optional()
}

/// Adds to a job's history.
pub(super) fn add_entries(db: &Connection, seq: i64, entries: &[String]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entries (job, number, entry)
        VALUES (?1, (SELECT COALESCE(MAX(number), 0) + 1 FROM entries WHERE job = ?1), ?2)";
    for entry in entries {
        db.prepare_cached(sql)?.execute(params![seq, entry])?;
    }
    Ok(())
}

/// Adds to the number of a run's jobs at a status.
pub(super) fn count(db: &Connection, run: i64, status: i64, by: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO counts (run, status, n) VALUES (?, ?, ?)
        ON CONFLICT (run, status) DO UPDATE SET n = n + excluded.n";
    db.prepare_cached(sql)?.execute([run, status, by]).map(drop)
}

/// Adds to the tally of a run; single calls have none.
pub(super) fn tally(db: &Connection, run: i64, by: Tally) -> rusqlite::Result<()> {
    if run == SINGLE_CALLS || by == Tally::default() {
        return Ok(());
    }
    let [calls, ended, connected, cost, reserved] = by.parts().map(|(_, by)| by);
    let sql = "INSERT INTO tallies (run, calls, ended, connected, cost, reserved) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (run) DO UPDATE SET calls = calls + excluded.calls, ended = ended + excluded.ended,
        connected = connected + excluded.connected, cost = cost + excluded.cost,
        reserved = reserved + excluded.reserved";
    db.prepare_cached(sql)?.execute([run, calls, ended, connected, cost, reserved]).map(drop)
}

/// The number of a campaign.
pub(super) fn campaign_no(db: &Connection, id: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT no FROM campaigns WHERE id = ?")?.query_row([id], |row| row.get(0)).optional()
}

/// The number of a run, which is made known if it is new.
pub(super) fn run_no(db: &Connection, id: &str, campaign: i64) -> rusqlite::Result<i64> {
    let found = db.prepare_cached("SELECT no FROM runs WHERE id = ?")?.query_row([id], |row| row.get(0)).optional()?;
    match found {
        Some(no) => Ok(no),
        None => db.prepare_cached("INSERT INTO runs (id, campaign) VALUES (?, ?)")?.insert(params![id, campaign]),
    }
}

/// The batch of the jobs that a run got one by one.
fn additions(db: &Connection, campaign: i64, run: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT no FROM batches WHERE run = ? AND import IS NULL AND state = 1";
    match db.prepare_cached(sql)?.query_row([run], |row| row.get(0)).optional()? {
        Some(no) => Ok(no),
        None => {
            let sql = "INSERT INTO batches (campaign, run, state) VALUES (?, ?, 1)";
            db.prepare_cached(sql)?.insert([campaign, run])
        }
    }
}

/// A row that stands in the way of a new job with this id.
pub(super) enum InTheWay {
    /// Nothing does.
    Nothing,
    /// This row of a dropped import, which the clearing has not reached yet.
    Dropped(i64),
    /// A job, or a row of an open import.
    Taken,
}

/// Looks for a row with this id, visible or not.
pub(super) fn in_the_way(db: &Connection, id: &str) -> rusqlite::Result<InTheWay> {
    let sql = "SELECT j.seq, b.state FROM jobs j JOIN batches b ON b.no = j.batch WHERE j.id = ?";
    let found: Option<(i64, i64)> =
        db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(match found {
        None => InTheWay::Nothing,
        Some((seq, super::import::DROPPED)) => InTheWay::Dropped(seq),
        Some(_) => InTheWay::Taken,
    })
}

/// Removes a row of a dropped import before its turn.
pub(super) fn forget(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM jobs WHERE seq = ?")?.execute([seq]).map(drop)
}
