//! The laws of the state machine, on histories that nobody would think of.
//!
//! Each test promises one thing about *every* history: the events come from small pools, so
//! that secrets, calls and phases collide, and the clocks jump. The examples that explain the
//! machine one row at a time are in `step_table.rs`.

mod cancel;
pub(crate) mod cast;
mod dialling;
mod ending;
mod history;
mod money;
mod order;
mod record;
mod trial;
