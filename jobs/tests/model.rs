//! The keepers against a model of the contract that fits on a page: random operations, and after each the
//! same answer; after some, everything that can be seen is the same.

mod plain;
mod walk;

use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::sqlite::SqliteStore;

use self::walk::walk;
use crate::contract::fixtures::start;
use crate::hand_clock::HandClock;
use crate::redis_server::RedisServer;

const WALKS: u64 = 60;
const STEPS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_keeper_does_as_the_model_does() {
    for seed in 0..WALKS {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock::new(start());
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
        let clock = HandClock::new(start());
        let store = RedisStore::with_clock(&server.url(), Durability::Strict, Some(clock.clone())).await.unwrap();
        walk(&store, &clock, seed, STEPS).await;
        store.close().await;
    }
}
