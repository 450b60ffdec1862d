//! Every recording there is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Recording;

/// The account's recordings, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct Book {
    recordings: Mutex<Vec<Arc<Recording>>>,
}

impl Book {
    pub(super) fn enter(&self, recording: Arc<Recording>) {
        self.lock().push(recording);
    }

    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Recording>> {
        self.lock().iter().find(|recording| recording.sid == sid).cloned()
    }

    /// All of them, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Recording>> {
        self.lock().iter().rev().cloned().collect()
    }

    /// Those of one call, the newest first.
    pub(crate) fn of_call(&self, call_sid: &str) -> Vec<Arc<Recording>> {
        self.lock().iter().rev().filter(|recording| recording.call_sid == call_sid).cloned().collect()
    }

    /// Forgets a recording; false if there is none.
    pub(crate) fn delete(&self, sid: &str) -> bool {
        let mut recordings = self.lock();
        let before = recordings.len();
        recordings.retain(|recording| recording.sid != sid);
        recordings.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Recording>>> {
        self.recordings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
