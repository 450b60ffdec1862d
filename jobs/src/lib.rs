//! What a call job is, and how it is kept.
#![forbid(unsafe_code)]

pub mod answer;
pub mod attempt;
pub mod campaign;
pub mod due;
pub mod event;
pub mod gym;
pub mod id;
pub mod job;
pub mod ledger;
pub mod outcome;
pub mod phone;
pub mod question;
pub mod retry;
pub mod roster;
pub mod rules;
pub mod step;
pub mod store;
pub mod sweep;
