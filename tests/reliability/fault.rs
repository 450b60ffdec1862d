//! The twelve faults: what is done at the moment in which a process stands at a point.

use std::time::Duration;

use super::keeper::Keeper;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    F1,
    F2,
    F3,
    F4,
    F5,
    F6,
    F7,
    F8,
    F9,
    F10,
    F11,
    F12,
}

pub const FAULTS: [Fault; 12] = [
    Fault::F1,
    Fault::F2,
    Fault::F3,
    Fault::F4,
    Fault::F5,
    Fault::F6,
    Fault::F7,
    Fault::F8,
    Fault::F9,
    Fault::F10,
    Fault::F11,
    Fault::F12,
];

impl Fault {
    pub fn what(self, keeper: Keeper) -> &'static str {
        match (self, keeper) {
            (Self::F1, _) => "SIGKILL",
            (Self::F2, _) => "SIGSTOP for longer than the dial deadline, then SIGCONT",
            (Self::F3, _) => "SIGKILL of Redis, which starts again",
            (Self::F4, _) => "SIGSTOP of Redis for 5 s",
            (Self::F5, _) => "all connections are reset: to Twilio, from it, from users, to Redis",
            (Self::F6, _) => "on all wires requests are delivered and replies swallowed",
            (Self::F7, _) => "all wires are slow (0.2 to 3 s a piece) and slice",
            (Self::F8, Keeper::Embedded) => "the disk is full",
            (Self::F8, Keeper::Redis) => "Redis is out of memory and refuses writes",
            (Self::F9, _) => "Redis cannot write its append-only file",
            (Self::F10, Keeper::Embedded) => "power loss: SIGKILL, and a torn write at the end of the WAL",
            (Self::F10, Keeper::Redis) => "power loss: SIGKILL of Redis, and a torn write at the end of its file",
            (Self::F11, _) => "the clock of one worker is 10 minutes off",
            (Self::F12, _) => "SIGKILL of the process and of Redis",
        }
    }

    /// Why this fault cannot be had on this store, if it cannot.
    pub fn impossible(self, keeper: Keeper) -> Option<&'static str> {
        match (self, keeper) {
            (Self::F3 | Self::F4 | Self::F9 | Self::F12, Keeper::Embedded) => {
                Some("there is no Redis beside the embedded store")
            }
            (Self::F11, Keeper::Embedded) => Some("one process has one clock, and it is the store's"),
            (Self::F11, Keeper::Redis) => {
                Some("needs a library that lies about the time; every time here is Redis's own")
            }
            _ => None,
        }
    }

    /// How long the fault lasts once the process goes on.
    pub fn lasts(self) -> Duration {
        match self {
            Self::F5 | Self::F6 => Duration::from_millis(500),
            Self::F3 | Self::F10 => Duration::from_secs(1),
            Self::F4 => Duration::from_secs(5),
            Self::F7 => Duration::from_secs(4),
            Self::F8 => Duration::from_secs(2),
            _ => Duration::ZERO,
        }
    }
}
