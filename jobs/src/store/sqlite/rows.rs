//! How records become columns and back.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::de::DeserializeOwned;

use crate::breaker::Ending;
use crate::job::{CallJob, Status};
use crate::store::kept::{self, micros};
use crate::store::{JobWrite, StoreError, Stored};
use crate::tally::Tally;

/// The number of a status in the file, which the schema's partial indexes know.
pub(super) const fn code(status: Status) -> i64 {
    kept::code(status) as i64
}

/// A job as its row.
pub(super) struct JobRow {
    pub(super) id: String,
    /// Campaign and run.
    pub(super) membership: Option<(String, String)>,
    pub(super) phone: String,
    pub(super) status: Status,
    pub(super) ready_at: Option<i64>,
    pub(super) deadline: Option<i64>,
    pub(super) line_until: Option<i64>,
    pub(super) holds_number: bool,
    pub(super) record: String,
}

impl JobRow {
    /// Written by its caller's thread: the writer's time is everybody's.
    pub(super) fn new(
        job: &CallJob,
        deadline: Option<Timestamp>,
        line_until: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let membership = job.membership().map(|m| (m.campaign.to_string(), m.run.to_string()));
        Ok(Self {
            id: job.id().to_string(),
            membership,
            phone: job.gym().phone.as_str().to_owned(),
            status: job.status(),
            ready_at: job.due().map(micros),
            deadline: deadline.map(micros),
            line_until: line_until.map(micros),
            holds_number: job.holds_number(),
            record: encode(job)?,
        })
    }
}

/// A changed or new job with its entries, ready for the writer.
pub(super) struct JobChange {
    pub(super) job: Arc<CallJob>,
    pub(super) row: JobRow,
    pub(super) from: Option<u64>,
    pub(super) tally: Tally,
    pub(super) ending: Option<Ending>,
    pub(super) entries: Vec<String>,
}

impl JobChange {
    pub(super) fn new(write: JobWrite) -> Result<Self, StoreError> {
        let row = JobRow::new(&write.job, write.deadline, write.line_until)?;
        Ok(Self {
            row,
            from: write.from,
            tally: write.tally,
            ending: write.ending,
            entries: encode_all(&write.entries)?,
            job: write.job,
        })
    }
}

pub(super) fn encode_all<T: serde::Serialize>(records: &[T]) -> Result<Vec<String>, StoreError> {
    records.iter().map(encode).collect()
}

pub(super) fn encode<T: serde::Serialize>(record: &T) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::Failed(format!("a record cannot be written: {error}")))
}

pub(super) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    kept::decode(text.as_bytes())
}

/// The columns `record, version` as a stored record.
pub(super) fn stored<T: DeserializeOwned>(record: &str, version: i64) -> Result<Stored<T>, StoreError> {
    Ok(Stored { record: decode(record)?, version: version.unsigned_abs() })
}

/// A job that can be seen, as far as a writer must know it.
pub(super) struct Known {
    pub(super) seq: i64,
    pub(super) version: u64,
    pub(super) status: i64,
    pub(super) run: i64,
    pub(super) campaign: Option<i64>,
    pub(super) ready_at: Option<i64>,
    pub(super) deadline: Option<i64>,
    pub(super) line_until: Option<i64>,
    pub(super) holds_number: bool,
}

impl Known {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let version: i64 = row.get(1)?;
        Ok(Self {
            seq: row.get(0)?,
            version: version.unsigned_abs(),
            status: row.get(2)?,
            run: row.get(3)?,
            campaign: row.get(4)?,
            ready_at: row.get(5)?,
            deadline: row.get(6)?,
            line_until: row.get(7)?,
            holds_number: row.get(8)?,
        })
    }
}

/// Looks a job up. Those of imports that are not published do not exist.
pub(super) fn known(db: &Connection, id: &str) -> rusqlite::Result<Option<Known>> {
    let sql =
        "SELECT j.seq, j.version, j.status, j.run, j.campaign, j.ready_at, j.deadline, j.line_until, j.holds_number
        FROM jobs j JOIN batches b ON b.no = j.batch WHERE j.id = ? AND b.state = 1";
    db.prepare_cached(sql)?.query_row([id], Known::read).optional()
}
