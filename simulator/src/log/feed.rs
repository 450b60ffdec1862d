//! Following the log.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Entry, Event, Log};

/// Every entry of a log in order, the old ones first. None is ever left out.
#[derive(Debug)]
pub struct Feed {
    log: Log,
    length: watch::Receiver<usize>,
    next: usize,
}

impl Feed {
    pub(super) fn new(log: Log, length: watch::Receiver<usize>) -> Feed {
        Feed { log, length, next: 0 }
    }

    /// The next entry, waiting for it if need be.
    pub async fn next(&mut self) -> Arc<Entry> {
        loop {
            if let Some(entry) = self.log.get(self.next) {
                self.next += 1;
                return entry;
            }
            // The feed holds the log, and with it the sender: this cannot fail.
            let _ = self.length.changed().await;
        }
    }

    /// The next entry for which `wanted` holds; those before it are passed over.
    pub async fn wait_for(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> Arc<Entry> {
        loop {
            let entry = self.next().await;
            if wanted(&entry.what) {
                return entry;
            }
        }
    }
}
