//! Twilio's wire language, tested with raw bytes on both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs, reason = "tests")]

mod ask;
mod callback;
mod peer;
mod place;
mod signature;
mod stream;
mod twiml;
