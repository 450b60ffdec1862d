//! Whole stories, as users and Twilio live them: a real server, a local Twilio, real sockets between.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod busy;
mod callbacks;
mod cancel;
mod conflict;
mod credentials;
mod desk;
mod do_not_call;
mod http;
mod import;
mod input;
mod key;
mod pace;
mod pause;
mod redial;
mod restart;
mod results;
mod signature;
mod signed;
mod single;
mod stream;
mod unclear;
