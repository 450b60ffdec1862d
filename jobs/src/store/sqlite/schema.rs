//! The tables, and how an older file becomes a current one.
//!
//! - A row of `jobs` is the record and, in its indexed columns, the queue (`ready_at`), the lock
//!   (`holds_number`), the set of lines in use (`line_until`) and the sweep's list (`deadline`).
//! - Each job belongs to a batch: an import, a run's later additions, or the single calls. Only
//!   batches in state 1 are visible, and every question starts from visible batches: the rows of
//!   an import that is still coming in are never even looked at.
//! - `counts` and `tallies` are kept in the transaction that moves a job, so they are right at any moment.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::OpenError;

/// The file in the data folder.
pub(super) const FILE: &str = "gymcall.sqlite3";

/// Each entry brings a file from its position to the next. Entries are never changed, only added.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE campaigns (
        no INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        running INTEGER NOT NULL,
        pace REAL,
        lines INTEGER,
        record TEXT NOT NULL
    );
    CREATE TABLE runs (
        no INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        campaign INTEGER NOT NULL REFERENCES campaigns (no)
    );
    -- run 0 and no campaign: the single calls. No import: jobs that were added one by one.
    CREATE TABLE batches (
        no INTEGER PRIMARY KEY,
        import TEXT UNIQUE,
        campaign INTEGER REFERENCES campaigns (no),
        run INTEGER NOT NULL,
        state INTEGER NOT NULL,
        rows INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX batches_run ON batches (run);
    CREATE INDEX batches_campaign ON batches (campaign);
    INSERT INTO batches (no, run, state) VALUES (1, 0, 1);
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        batch INTEGER NOT NULL REFERENCES batches (no),
        campaign INTEGER,
        run INTEGER NOT NULL,
        phone TEXT NOT NULL,
        status INTEGER NOT NULL,
        version INTEGER NOT NULL,
        ready_at INTEGER,
        deadline INTEGER,
        line_until INTEGER,
        holds_number INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX jobs_batch ON jobs (batch);
    CREATE INDEX jobs_status ON jobs (batch, status);
    CREATE INDEX jobs_number ON jobs (run, phone);
    CREATE INDEX jobs_due ON jobs (batch, ready_at) WHERE ready_at IS NOT NULL;
    CREATE INDEX jobs_deadline ON jobs (deadline) WHERE deadline IS NOT NULL;
    CREATE INDEX jobs_live ON jobs (seq) WHERE status BETWEEN 1 AND 5;
    CREATE INDEX jobs_line ON jobs (line_until) WHERE line_until IS NOT NULL;
    CREATE INDEX jobs_campaign_line ON jobs (campaign, line_until) WHERE line_until IS NOT NULL;
    -- The number lock. It has no life of its own: it ends with the row's attempt.
    CREATE UNIQUE INDEX jobs_lock ON jobs (phone) WHERE holds_number = 1;
    CREATE TABLE counts (
        run INTEGER NOT NULL,
        status INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (run, status)
    ) WITHOUT ROWID;
    CREATE INDEX counts_waiting ON counts (run) WHERE status = 0 AND n > 0;
    CREATE TABLE entries (
        job INTEGER NOT NULL,
        number INTEGER NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (job, number)
    ) WITHOUT ROWID;
    CREATE TABLE suppressions (phone TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE replies (key TEXT PRIMARY KEY, at INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX replies_age ON replies (at);
    -- The latest grants of each scope: 0 is the account, others are campaigns.
    CREATE TABLE pace (
        scope INTEGER NOT NULL,
        k INTEGER NOT NULL,
        at INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        PRIMARY KEY (scope, k)
    ) WITHOUT ROWID;
",
    "
    -- The campaign's present run. Jobs of its earlier ones are not dialled any more.
    ALTER TABLE campaigns ADD COLUMN run TEXT NOT NULL DEFAULT '';
    UPDATE campaigns SET run = json_extract(record, '$.run');
",
    "
    -- The calls of a run's jobs and what they cost, as it is in the jobs' records.
    CREATE TABLE tallies (
        run INTEGER PRIMARY KEY,
        calls INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        connected INTEGER NOT NULL,
        cost INTEGER NOT NULL,
        reserved INTEGER NOT NULL
    );
",
    "
    -- A run's record, once it has begun: which of its campaign's it is, and whether it has ended.
    ALTER TABLE runs ADD COLUMN number INTEGER;
    ALTER TABLE runs ADD COLUMN ended INTEGER;
    ALTER TABLE runs ADD COLUMN record TEXT;
    CREATE INDEX runs_campaign ON runs (campaign, number) WHERE number IS NOT NULL;
    CREATE INDEX runs_open ON runs (no) WHERE ended = 0;
    -- When a campaign's next run is to begin.
    ALTER TABLE campaigns ADD COLUMN fires_at INTEGER;
    CREATE INDEX campaigns_fire ON campaigns (fires_at) WHERE fires_at IS NOT NULL;
",
    "
    -- How the latest calls of a campaign ended, a bit each, and how many began on a day.
    CREATE TABLE endings (campaign INTEGER PRIMARY KEY, bits INTEGER NOT NULL);
    CREATE TABLE days (
        campaign INTEGER NOT NULL,
        day INTEGER NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (campaign, day)
    ) WITHOUT ROWID;
",
    "
    -- What is told to those who watch. Numbers have no holes, and the oldest rows go first: what is missing can be seen.
    CREATE TABLE announcements (no INTEGER PRIMARY KEY, at INTEGER NOT NULL, record TEXT NOT NULL);
    CREATE TABLE endpoints (id TEXT PRIMARY KEY, version INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
",
];

/// Opens the file for the one connection that writes, and brings it up to date.
pub(super) fn open_writer(folder: &Path) -> Result<Connection, OpenError> {
    let mut db = Connection::open(folder.join(FILE))?;
    // 16 MB: the upper levels of every index of a million jobs.
    prepare(&db, 16_384)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    // A commit reaches the disk before anybody hears of it; checkpoints run on a thread of their own.
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;")?;
    migrate(&mut db)?;
    Ok(db)
}

/// Opens a further connection: for readers, and for checkpoints.
pub(super) fn open_further(folder: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(folder.join(FILE), flags)?;
    // What they remember is void after the next commit, which on a busy day is at once.
    prepare(&db, 2_048)?;
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
    Ok(db)
}

fn prepare(db: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(128);
    // One plan per statement: otherwise SQLite plans anew whenever a bound value might matter to
    // it, which costs more than running most of ours.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.execute_batch(&format!("PRAGMA cache_size = -{cache_kib};"))
}

fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(OpenError::TooNew { found, known });
    }
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        // The number is set in the same transaction: a migration is done or it never began.
        let step = db.transaction()?;
        step.execute_batch(sql)?;
        step.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
        step.commit()?;
    }
    Ok(())
}
