//! gymcall measured beside its limit and its peers.
//!
//! `make bench` runs all parts; `cargo bench --bench measure -- life pace` runs some. `--quick` makes fewer and
//! shorter rounds, which shows that everything works and little else.
//!
//! - `life`: what the durable life of one job costs;
//! - `pace`: how well several workers keep one pace together;
//! - `imports`: what a CSV of a million gyms costs on its way to durable jobs;
//! - `webhooks`: what a signed webhook costs on its way to durable state;
//! - `stored`: whether pages cost the same with a million jobs stored as with ten thousand;
//! - `recovery`: what a killed worker and a killed Redis cost;
//! - `idle`: what 100,000 waiting jobs cost a worker that has nothing to do.
//!
//! Absolute figures mean little on a shared machine. Everything is compared in the same run, in turn, with the same
//! durability, and each run is checked: one that lost or doubled a job does not count.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark is a program for people"
)]

mod idle;
mod imports;
/// How the local Twilio's log is read.
#[allow(dead_code, reason = "the trials use more of it")]
#[path = "../tests/reliability/judge.rs"]
mod judge;
mod life;
/// What the tests of whole processes stand on.
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/process"]
mod process {
    pub mod api;
    pub mod local_twilio;
    pub mod program;
    pub mod server;
}
mod pace;
mod recovery;
mod stand;
mod stored;
mod webhooks;

use std::process::ExitCode;

/// What was asked for on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    quick: bool,
}

impl Effort {
    /// This much, or that much if it is to be quick.
    pub fn of<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == "contestant") {
        life::contest(&words[1..]);
        return ExitCode::SUCCESS;
    }
    let asked = words.len();
    words.retain(|word| word != "--quick");
    let effort = Effort { quick: words.len() < asked };
    if words.is_empty() {
        words.extend(["life", "pace", "imports", "webhooks", "stored", "recovery", "idle"].map(str::to_owned));
    }
    stand::machine::print();
    let mut failures = Vec::new();
    for part in words {
        failures.extend(match part.as_str() {
            "life" => life::measure(effort),
            "pace" => pace::measure(effort),
            "recovery" => recovery::measure(effort),
            "idle" => idle::measure(effort),
            "imports" => imports::measure(effort),
            "webhooks" => webhooks::measure(effort),
            "stored" => stored::measure(effort),
            other => vec![format!("there is no part {other}")],
        });
    }
    for failure in &failures {
        println!("FAILED  {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
