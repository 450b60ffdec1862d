//! The streams of all calls: what the REST API and `<Stop>` know of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::sender::Direction;

/// One stream from its order on.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) sid: String,
    pub(crate) call_sid: String,
    /// As ordered; the SID if it was given none.
    pub(crate) name: String,
    pub(crate) direction: Direction,
    standing: watch::Sender<(Standing, Timestamp)>,
}

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    InProgress,
    /// Somebody has asked for its end.
    Stopping,
    Stopped,
}

/// Why a one-way stream is not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the call is not in progress")]
    NotInProgress,
    #[error("a call has at most 4 tracks for one-way streams")]
    TooMany,
    #[error("the call has a stream named {0} already")]
    NameTaken(String),
    #[error("{0:?} is no track")]
    Track(String),
}

impl StartError {
    /// Twilio's code for it, or 0.
    pub(crate) fn code(&self) -> u32 {
        match self {
            StartError::Track(_) => 31941,
            StartError::NotInProgress | StartError::TooMany | StartError::NameTaken(_) => 0,
        }
    }
}

/// Tracks of one-way streams that a call has at most.
const MOST_TRACKS: usize = 4;

/// All streams there have been, by call.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<HashMap<String, Vec<Arc<Entry>>>>);

impl Entry {
    pub(super) fn new(sid: String, call_sid: &str, name: Option<&str>, direction: Direction) -> Entry {
        let name = name.unwrap_or(&sid).to_owned();
        let standing = watch::Sender::new((Standing::InProgress, Timestamp::now()));
        Entry { sid, call_sid: call_sid.to_owned(), name, direction, standing }
    }

    /// Where it stands, and since when.
    pub(crate) fn standing(&self) -> (Standing, Timestamp) {
        *self.standing.borrow()
    }

    /// Only these can be stopped from outside.
    pub(crate) fn is_one_way(&self) -> bool {
        self.direction != Direction::TwoWay
    }

    /// Asks for its end; nothing happens if it has ended already.
    pub(crate) fn stop(&self) {
        self.standing.send_if_modified(|standing| {
            let runs = standing.0 == Standing::InProgress;
            if runs {
                *standing = (Standing::Stopping, Timestamp::now());
            }
            runs
        });
    }

    pub(super) fn ended(&self) {
        self.standing.send_replace((Standing::Stopped, Timestamp::now()));
    }

    /// Waits until it is asked to end.
    pub(super) async fn stopping(&self) {
        // It holds the sender, so this cannot fail.
        let _ = self.standing.subscribe().wait_for(|standing| standing.0 != Standing::InProgress).await;
    }

    async fn over(&self) {
        let _ = self.standing.subscribe().wait_for(|standing| standing.0 == Standing::Stopped).await;
    }
}

impl Book {
    /// The streams of a call, in the order of their start.
    pub(crate) fn of(&self, call_sid: &str) -> Vec<Arc<Entry>> {
        self.lock().get(call_sid).cloned().unwrap_or_default()
    }

    /// A stream of a call by its SID, or by its name.
    pub(crate) fn find(&self, call_sid: &str, sid_or_name: &str) -> Option<Arc<Entry>> {
        let entries = self.lock();
        let mut newest_first = entries.get(call_sid)?.iter().rev();
        newest_first.find(|entry| entry.sid == sid_or_name || entry.name == sid_or_name).cloned()
    }

    /// Enters a stream, unless its call has too many.
    pub(super) fn enter(&self, entry: Entry) -> Result<Arc<Entry>, StartError> {
        let mut entries = self.lock();
        let entries = entries.entry(entry.call_sid.clone()).or_default();
        if entry.is_one_way() {
            let open = || entries.iter().filter(|other| other.is_one_way() && other.standing().0 != Standing::Stopped);
            if open().any(|other| other.name == entry.name) {
                return Err(StartError::NameTaken(entry.name));
            }
            let tracks: usize = open().map(|other| other.direction.tracks()).sum();
            if tracks + entry.direction.tracks() > MOST_TRACKS {
                return Err(StartError::TooMany);
            }
        }
        let entry = Arc::new(entry);
        entries.push(Arc::clone(&entry));
        Ok(entry)
    }

    /// Ends the one-way streams of a call, and waits until they have said goodbye.
    pub(crate) async fn end(&self, call_sid: &str) {
        let open: Vec<_> = self.of(call_sid).into_iter().filter(|entry| entry.is_one_way()).collect();
        for entry in &open {
            entry.stop();
        }
        for entry in open {
            entry.over().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Entry>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
