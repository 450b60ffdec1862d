//! The server's clock, as seen from this process.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

/// What the server's clock showed when it was last read. In between this process's steady clock goes on
/// from there, so a wall clock that is set wrong here, or set anew, moves nothing.
#[derive(Debug)]
pub(super) struct ServerTime {
    read: Mutex<(Instant, i64)>,
}

impl ServerTime {
    /// This machine's own time, until the server's is read.
    pub(super) fn new() -> Self {
        Self { read: Mutex::new((Instant::now(), Timestamp::now().as_microsecond())) }
    }

    /// The server said `micros` in answer to a question that was sent at `asked`.
    pub(super) fn was(&self, asked: Instant, micros: i64) {
        // Half of the way there and back, as far as anybody can tell.
        let read = asked + asked.elapsed() / 2;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = (read, micros);
    }

    /// The server's time, within what the way to it takes.
    pub(super) fn now(&self) -> Timestamp {
        let (read, micros) = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let since = i64::try_from(read.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_microsecond(micros.saturating_add(since)).unwrap_or(Timestamp::MAX)
    }
}
