//! Whole stories, as users and Twilio live them: a real server, a local Twilio, real sockets between.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

#[macro_use]
mod desk;

mod balancer;
mod busy;
mod callbacks;
mod cancel;
mod changes;
mod command;
mod conflict;
mod credentials;
mod do_not_call;
mod endpoints;
mod forecast;
mod forgotten;
mod gather;
mod greeting;
mod hours;
mod http;
mod import;
mod input;
mod key;
mod keyed;
mod limits;
mod look_up;
mod lost_reply;
mod metrics;
mod nights;
mod openapi;
mod outcome;
mod pace;
mod patch;
mod pause;
mod price;
mod proxy;
mod receiver;
mod recording;
mod redial;
#[allow(dead_code, reason = "no user of it needs all of it")]
#[path = "../../jobs/tests/support/redis_server.rs"]
mod redis_server;
mod restart;
mod results;
mod rotation;
mod shared;
mod signature;
mod signed;
mod single;
mod stream;
mod suppress;
mod test_call;
mod unclear;
mod upload;
mod watch;
