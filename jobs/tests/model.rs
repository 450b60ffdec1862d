//! The keeper against a model of the contract that fits on a page: random operations, and after each the
//! same answer; after some, everything that can be seen is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs, reason = "tests")]

// Not all of what the contract's tests have at hand is needed here.
#[path = "contract/fixtures.rs"]
#[allow(dead_code, reason = "shared with the contract suite")]
mod fixtures;
#[path = "model/plain.rs"]
mod plain;
#[path = "model/walk.rs"]
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gymcall_jobs::store::clock::Clock;
use gymcall_jobs::store::sqlite::SqliteStore;
use jiff::Timestamp;

use crate::walk::walk;

/// A clock that is turned by hand.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(fixtures::start().as_microsecond())))
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

const WALKS: u64 = 60;
const STEPS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_keeper_does_as_the_model_does() {
    for seed in 0..WALKS {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock::new();
        let store = SqliteStore::open(folder.path(), clock.clone()).unwrap();
        walk(&store, &clock, seed, STEPS).await;
        store.close().await;
    }
}
