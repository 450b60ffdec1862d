//! Moves what the log holds into the database file, away from the writer's path.
//!
//! A passive checkpoint waits for nobody and nobody waits for it. But while writes never pause
//! it never quite catches up, and the log, which starts over only when all of it was moved, would
//! grow without end. So once it is long, the writer itself does the short last stretch.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::{OpenError, schema};

/// Written operations and rows after which a checkpoint is worth its cost: some 10 MB of log.
const OFTEN: usize = 1_000;
/// Pages of log after which the writer does the last stretch: 32 MB.
const LONG: i64 = 8_192;

/// What writer and checkpoints know of each other.
pub(super) struct Checkpoints {
    written: AtomicUsize,
    state: Mutex<Call>,
    bell: Condvar,
    long: AtomicBool,
}

#[derive(Default)]
struct Call {
    wanted: bool,
    closed: bool,
}

impl Checkpoints {
    /// Starts the thread.
    pub(super) fn start(folder: &Path) -> Result<(Arc<Self>, JoinHandle<()>), OpenError> {
        let db = schema::open_further(folder)?;
        let checkpoints = Arc::new(Self {
            written: AtomicUsize::new(0),
            state: Mutex::default(),
            bell: Condvar::new(),
            long: AtomicBool::new(false),
        });
        let shared = checkpoints.clone();
        let thread = std::thread::Builder::new().name("gymcall-checkpoint".into()).spawn(move || shared.work(&db));
        let thread = thread.map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        Ok((checkpoints, thread))
    }

    /// The writer's part, between two transactions.
    pub(super) fn last_stretch(&self, db: &Connection) {
        if self.long.swap(false, Ordering::Relaxed)
            && let Err(error) = passive(db)
        {
            tracing::warn!(%error, "a checkpoint failed");
        }
    }

    /// So much was written.
    pub(super) fn written(&self, rows: usize) {
        if self.written.fetch_add(rows, Ordering::Relaxed) + rows >= OFTEN {
            self.written.store(0, Ordering::Relaxed);
            self.call().wanted = true;
            self.bell.notify_one();
        }
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.call().closed = true;
        self.bell.notify_one();
    }

    fn call(&self) -> MutexGuard<'_, Call> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, db: &Connection) {
        loop {
            let mut call = self.call();
            while !call.wanted && !call.closed {
                call = self.bell.wait(call).unwrap_or_else(PoisonError::into_inner);
            }
            if call.closed {
                return;
            }
            call.wanted = false;
            drop(call);
            match passive(db) {
                Ok(pages) => self.long.store(pages >= LONG, Ordering::Relaxed),
                // The log keeps everything: the next one may go better.
                Err(error) => tracing::warn!(%error, "a checkpoint failed"),
            }
        }
    }
}

/// Answers how many pages the log holds.
fn passive(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}
