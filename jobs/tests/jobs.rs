//! What a job, a list and a night come to. One binary for all of it: to link one for each takes longer than they run.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs, reason = "tests")]

#[path = "support/hand_clock.rs"]
mod hand_clock;
mod histories;
mod laws;
mod night;
mod roster;
mod simulation;
mod spoken_steps;
mod step_table;
