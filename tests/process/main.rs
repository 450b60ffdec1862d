//! Whole gymcall processes, tested as a user, a shell and a power cut meet them.
//!
//! [`program`] is one process; [`local_twilio`] and [`server`] are `gymcall simulator` and
//! `gymcall serve` as such, and [`stand`] is the two of them together.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]
// `tests/reliability` shares some of the modules, and uses other parts of them.
#![allow(dead_code, reason = "shared modules")]

mod api;
mod callee_table;
mod calls;
mod campaigns;
mod command_line;
mod demo;
mod doctor;
mod front;
mod lists;
mod local_twilio;
mod outcome;
mod program;
#[allow(dead_code, reason = "no user of it needs all of it")]
#[path = "../../jobs/tests/support/redis_server.rs"]
mod redis_server;
mod rivals;
mod roles;
mod server;
mod settings;
mod simulator_page;
mod stand;
mod stop;
