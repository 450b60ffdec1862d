//! Where the store's time comes from.

use jiff::Timestamp;

/// A clock. The store asks it inside each atomic step, so a test that turns it by hand decides
/// what every gate sees.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
