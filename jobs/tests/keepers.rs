//! What the keepers of a store promise: the contract on each, what is special to one, and long walks beside a model.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs, reason = "tests")]

mod contract;
#[path = "support/hand_clock.rs"]
mod hand_clock;
mod model;
mod redis_keeper;
#[path = "support/redis_server.rs"]
mod redis_server;
mod redis_shared;
mod redis_store;
mod sqlite;
mod sqlite_store;
