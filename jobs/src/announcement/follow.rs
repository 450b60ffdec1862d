//! Reading announcements as they come.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{AnnouncementId, Announcements};
use crate::store::{Change, Store, StoreError};

/// How often a follower looks.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// At most once in this time, however much happens.
    pub rest: Duration,
    /// At least once in this time, so that news which was lost is only late.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rest: Duration::from_millis(100), patience: Duration::from_secs(15) }
    }
}

/// Reads the list from a place on. It holds one page at a time, however far behind it is.
pub struct Follower {
    store: Arc<dyn Store>,
    changes: broadcast::Receiver<Change>,
    after: AnnouncementId,
    pace: Pace,
    looked_at: Option<Instant>,
}

impl Follower {
    /// One that tells what comes after `after`.
    pub fn new(store: Arc<dyn Store>, after: AnnouncementId, pace: Pace) -> Self {
        // Before the first look, so that nothing falls between a look and the wait that follows.
        let changes = store.changes();
        Self { store, changes, after, pace, looked_at: None }
    }

    /// Up to where it has read.
    pub const fn position(&self) -> AnnouncementId {
        self.after
    }

    /// The next part of the list, at most `limit` long, as soon as there is one. A part may be empty
    /// where there is nothing to tell but a gap.
    pub async fn next(&mut self, limit: u32) -> Result<Announcements, StoreError> {
        loop {
            if let Some(found) = self.look(limit).await? {
                return Ok(found);
            }
            self.something_changed().await;
        }
    }

    /// The next part of the list as it is now, if there is one.
    pub async fn look(&mut self, limit: u32) -> Result<Option<Announcements>, StoreError> {
        self.looked_at = Some(Instant::now());
        let found = self.store.announcements(self.after, limit).await?;
        match found.items.last() {
            Some(last) => self.after = last.id,
            // A place behind the end is another store's: what that one told is not known here.
            None if found.gap => self.after = self.store.last_announcement().await?,
            None => return Ok(None),
        }
        Ok(Some(found))
    }

    async fn something_changed(&mut self) {
        let now = Instant::now();
        let _ = timeout_at(now + self.pace.patience, async {
            match self.changes.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                // The store is closing: there will be no more to read.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        })
        .await;
        if let Some(looked_at) = self.looked_at {
            sleep_until(looked_at + self.pace.rest).await;
        }
        // What happened up to now is seen by the look that follows.
        while !matches!(
            self.changes.try_recv(),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed)
        ) {}
    }
}
