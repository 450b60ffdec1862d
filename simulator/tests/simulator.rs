//! The local Twilio over its sockets, and by what its page says. One binary for all of it: to link one for each file
//! takes longer than they run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod call;
mod callees;
mod detection;
mod dial;
mod document;
mod fault;
mod features;
mod gather;
mod misfortune;
mod page;
mod play;
mod record;
mod recording;
mod rest;
mod rest_account;
mod rest_calls;
mod rest_order;
mod rest_recordings;
mod rest_streams;
mod signing;
mod streams;
mod support;
mod unclear;
