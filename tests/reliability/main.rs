//! The promise under everything that can be done to processes, wires and stores.
//!
//! [`judge`] decides by the local Twilio's log. [`site`] is what a trial runs on, [`proxy`] the wires of it, and
//! [`crowd`] who is called, [`attendant`] who looks after it. [`matrix`] crosses points with faults, one [`trial`] for each cell; [`kill`] kills
//! processes at work again and again, [`chaos`] does everything at once, [`forgotten`] takes a Redis its memory, and
//! [`crowded`] is about many.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]
// The modules that are shared with `tests/process` are used in part.
#![allow(dead_code, reason = "shared modules")]

#[path = "../process/api.rs"]
mod api;
#[path = "../process/local_twilio.rs"]
mod local_twilio;
#[path = "../process/program.rs"]
mod program;
#[path = "../process/server.rs"]
mod server;

mod attendant;
mod chaos;
mod crowd;
mod crowded;
mod disk;
mod fault;
mod forgotten;
mod judge;
mod keeper;
mod kill;
#[cfg(feature = "failpoints")]
mod matrix;
mod proxy;
mod redis;
mod report;
mod site;
mod trial;
mod troupe;
#[cfg(feature = "failpoints")]
mod unheard;

#[cfg(not(feature = "failpoints"))]
#[test]
#[ignore = "the crash matrix needs --features failpoints: run `make test`"]
fn at_each_of_21_points_a_fault_loses_no_job_and_doubles_no_call() {}
