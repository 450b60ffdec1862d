//! From a CSV to gyms: every row accounted for.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod chunks;
mod encoding;
mod messy;
mod phone;
mod table;
