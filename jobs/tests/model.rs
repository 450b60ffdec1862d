//! The keepers against a model of the contract that fits on a page: random operations, and after each the
//! same answer; after some, everything that can be seen is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs, reason = "tests")]

// Not all of what the contract's tests have at hand is needed here.
#[path = "contract/fixtures.rs"]
#[allow(dead_code, reason = "shared with the contract suite")]
mod fixtures;
#[path = "support/hand_clock.rs"]
mod hand_clock;
#[path = "model/plain.rs"]
mod plain;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "model/walk.rs"]
mod walk;

use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::sqlite::SqliteStore;

use crate::hand_clock::HandClock;
use crate::redis_server::RedisServer;
use crate::walk::walk;

const WALKS: u64 = 60;
const STEPS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_keeper_does_as_the_model_does() {
    for seed in 0..WALKS {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock::new(fixtures::start());
        let store = SqliteStore::open(folder.path(), clock.clone()).unwrap();
        walk(&store, &clock, seed, STEPS).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shared_keeper_does_as_the_model_does() {
    let server = RedisServer::start();
    for seed in 0..WALKS {
        server.say("FLUSHALL");
        let clock = HandClock::new(fixtures::start());
        let store = RedisStore::with_clock(&server.url(), Durability::Strict, Some(clock.clone())).await.unwrap();
        walk(&store, &clock, seed, STEPS).await;
        store.close().await;
    }
}
