//! The peers, as `benches/peers/install` has installed them.

use std::path::Path;
use std::process::Command;

use super::{AT_ONCE, peer};
use crate::Effort;
use crate::stand::contestant::{Contestant, Start};

/// How many times the CPU time of ours they take, if the goals are met.
pub const GOALS: [(&str, f64); 4] = [("BullMQ", 2.0), ("apalis-redis", 2.0), ("Celery", 15.0), ("RQ", 15.0)];

/// Those that are there. Those that are not are failures.
pub fn installed(effort: Effort, failures: &mut Vec<String>) -> Vec<Contestant> {
    let mut there = Vec::new();
    let mut add = |name, path: &str, jobs, command: Box<Start>| {
        if peer(path).exists() {
            there.push(Contestant { name, jobs, with_redis: true, command, check: Box::new(|_, _| Ok(())) });
        } else {
            failures.push(format!("{name} is not installed: `benches/peers/install` says why"));
        }
    };
    add(
        "BullMQ",
        "bullmq-installed",
        effort.of(4_000, 1_000),
        Box::new(|port, _, jobs| {
            let mut command = Command::new("node");
            command.arg(peer("bullmq/life.js")).args([port.to_string(), jobs.to_string(), AT_ONCE.to_string()]);
            command
        }),
    );
    add(
        "apalis-redis",
        "apalis-installed",
        effort.of(4_000, 1_000),
        Box::new(|port, _, jobs| {
            let mut command = Command::new(peer("apalis/release/gymcall-peer-apalis"));
            command.args([port.to_string(), jobs.to_string(), AT_ONCE.to_string()]);
            command
        }),
    );
    for (name, system) in [("Celery", "celery"), ("RQ", "rq")] {
        add(
            name,
            "python/installed",
            effort.of(400, 100),
            Box::new(move |port, _, jobs| {
                let mut command = Command::new(peer("python/bin/python"));
                let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/life.py");
                command.arg(program).args([system.to_owned(), port.to_string(), jobs.to_string()]);
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }),
        );
    }
    there
}
