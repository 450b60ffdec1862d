//! What the simulator did, in order: the judge of what the product promises.
//!
//! Entries are kept in memory and, if a path is given, appended to a file as JSON lines. The entry of
//! a created call is on the disk before the client hears of the call, so a process killed at any
//! moment leaves no call without a line.

mod entry;
mod feed;
mod history;
mod tally;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

pub use entry::{Entry, Event};
pub use feed::Feed;
pub use tally::{Asked, Created, Tally};

/// The log of one simulator. Clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept {
    entries: Mutex<Vec<Arc<Entry>>>,
    file: Option<File>,
    length: watch::Sender<usize>,
}

impl Log {
    /// A log in memory, and in the file at `path` if there is one: created if missing, else appended to.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Log> {
        let file = path.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
        Ok(Log { kept: Arc::new(Kept { entries: Mutex::default(), file, length: watch::Sender::new(0) }) })
    }

    /// Reads a log file. A last line cut short by a crash is left out.
    pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
        let text = std::fs::read_to_string(path)?;
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        whole.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }

    /// Everything so far, oldest first.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().clone()
    }

    /// Follows the log from its first entry on.
    pub fn subscribe(&self) -> Feed {
        Feed::new(self.clone(), self.kept.length.subscribe())
    }

    /// Counts over everything so far.
    pub fn tally(&self) -> Tally {
        Tally::of(self.lock().iter().map(Arc::as_ref))
    }

    /// What happened, in a normal form: two runs with one seed and the same requests have the same
    /// history, although times and SIDs differ, and so does what came first in different calls.
    pub fn history(entries: &[Entry]) -> String {
        history::of(entries)
    }

    /// The calls that were created, in order.
    pub fn creates(&self) -> Vec<Created> {
        self.tally().created
    }

    /// Adds an entry. A full disk must not change what calls do, so a failed write is only reported.
    pub(crate) fn add(&self, what: Event) {
        if let Err(error) = self.append(what) {
            tracing::error!(%error, "the log could not be written");
        }
    }

    /// Adds an entry and returns when it is on the disk.
    pub(crate) async fn add_synced(&self, what: Event) -> io::Result<()> {
        self.append(what)?;
        if self.kept.file.is_none() {
            return Ok(());
        }
        let kept = Arc::clone(&self.kept);
        let synced = tokio::task::spawn_blocking(move || match &kept.file {
            Some(file) => file.sync_data(),
            None => Ok(()),
        });
        synced.await.map_err(io::Error::other)?
    }

    fn append(&self, what: Event) -> io::Result<()> {
        let mut entries = self.lock();
        // The time is taken inside the lock, so that times never run backwards in the file.
        let entry = Entry { at_ms: Timestamp::now().as_millisecond(), what };
        tracing::debug!(entry = ?entry.what, "simulator");
        let written = match &self.kept.file {
            Some(file) => {
                let mut line = serde_json::to_vec(&entry)?;
                line.push(b'\n');
                // One write call: lines of two simulators on one file do not mix.
                let mut file: &File = file;
                file.write_all(&line)
            }
            None => Ok(()),
        };
        entries.push(Arc::new(entry));
        self.kept.length.send_replace(entries.len());
        written
    }

    fn get(&self, index: usize) -> Option<Arc<Entry>> {
        self.lock().get(index).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.kept.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
