//! Work for the writer: what runs, what it makes known, and who waits for the answer.

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::error::Trouble;
use crate::store::{Change, StoreError};

/// What one operation did to the open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// It did its part.
    Fine,
    /// It was refused and wrote nothing.
    Refused,
    /// It was refused after it had written: what it wrote may not be committed.
    Spoilt,
}

/// A live operation. It may be run again, from scratch, after its transaction was rolled back.
pub(super) trait Operation: Send {
    /// Does it, in the open transaction.
    fn run(&mut self, db: &Connection) -> rusqlite::Result<Ran>;
    /// It failed.
    fn fail(&mut self, error: StoreError);
    /// Tells everybody and its caller. Called after the commit, never before.
    fn tell(self: Box<Self>, feed: &broadcast::Sender<Change>);
}

/// An operation made of a closure.
pub(super) struct Task<T, F> {
    work: F,
    changes: Vec<Change>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task<T, F>
where
    F: FnMut(&Connection, &mut Vec<Change>) -> Result<T, Trouble> + Send,
    T: Send,
{
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        (Self { work, changes: Vec::new(), result: None, answer }, answered)
    }
}

impl<T, F> Operation for Task<T, F>
where
    F: FnMut(&Connection, &mut Vec<Change>) -> Result<T, Trouble> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) -> rusqlite::Result<Ran> {
        self.changes.clear();
        let before = db.total_changes();
        match (self.work)(db, &mut self.changes) {
            Ok(value) => {
                self.result = Some(Ok(value));
                Ok(Ran::Fine)
            }
            Err(Trouble::Refused(error)) => {
                self.result = Some(Err(error));
                self.changes.clear();
                Ok(if db.total_changes() == before { Ran::Refused } else { Ran::Spoilt })
            }
            Err(Trouble::Database(error)) => Err(error),
        }
    }

    fn fail(&mut self, error: StoreError) {
        self.changes.clear();
        self.result = Some(Err(error));
    }

    fn tell(self: Box<Self>, feed: &broadcast::Sender<Change>) {
        for change in self.changes {
            // Nobody listening is no failure.
            let _ = feed.send(change);
        }
        if let Some(result) = self.result {
            // A caller that went away does not undo what was committed.
            let _ = self.answer.send(result);
        }
    }
}

/// Work of many rows that is done chunk by chunk behind the live operations.
pub(super) trait Quiet: Send {
    /// Handles at most so many rows in the open transaction, and says whether they were the last.
    fn chunk(&mut self, db: &Connection, rows: usize) -> Result<bool, Trouble>;
    /// The chunk is committed.
    fn committed(&mut self) {}
    /// All chunks are committed, or one failed.
    fn finish(self: Box<Self>, result: Result<(), StoreError>);
}
