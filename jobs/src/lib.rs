//! What a call job is, and how it is kept.
#![forbid(unsafe_code)]

pub mod answer;
pub mod id;
pub mod outcome;
pub mod question;
