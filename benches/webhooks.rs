//! What a signed webhook costs on its way to durable state and a 2xx: ours, beside a bare axum handler that runs one script
//! and does nothing else, and beside peers that check the signature and store as much.
//!
//! Every call gets three: initiated, ringing, no-answer. Each changes a record, and is kept in its history.

mod bare;
mod post;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::Effort;
use crate::life::own;
use crate::process::server::Server;
use crate::stand::contestant::Program;
use crate::stand::far::Far;
use crate::stand::figures::{Ratio, median, spread};
use crate::stand::gymcall::{gymcall, roster, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::{cpu, folder, free_port, machine, place};

pub use bare::bare;
use post::{Call, TOKEN};

/// What each is compared by: its name, and how many times the CPU time of ours it takes at least.
const GOALS: [(&str, f64); 3] = [("bare axum", 0.6), ("FastAPI", 20.0), ("Fastify", 4.0)];
/// How many times the bare handler's p99 ours may be, at the same rate.
const P99: f64 = 2.0;

/// What one run came to.
struct Run {
    /// CPU microseconds for a webhook, Redis included, and Redis' part of it.
    cpu_us: f64,
    redis_us: f64,
    per_second: f64,
    /// At half of the rate that ours reached in this round, in milliseconds.
    p99_ms: f64,
}

pub fn measure(effort: Effort) -> Vec<String> {
    let calls = effort.of(6_000, 2_400);
    let rounds = effort.of(5, 3);
    println!("\nWebhooks: three for each of {calls} calls, {} connections, {rounds} rounds in turn", post::CONNECTIONS);
    let mut failures = Vec::new();
    let names: Vec<&str> = ["ours"].into_iter().chain(GOALS.map(|(name, _)| name)).collect();
    let mut runs: Vec<Vec<Run>> = names.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        eprintln!("  round {round} of {rounds}, load {}", machine::load());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (calls, run) = match runtime.block_on(ours(calls)) {
            Ok(done) => done,
            Err(why) => {
                failures.push(why);
                continue;
            }
        };
        let rate = run.per_second / 2.0;
        runs[0].push(run);
        for (name, runs) in names.iter().zip(&mut runs).skip(1) {
            match theirs(name, &calls, rate) {
                Ok(run) => runs.push(run),
                Err(why) => failures.push(why),
            }
        }
    }
    print(&names, &runs, rounds, &mut failures);
    failures
}

fn print(names: &[&str], runs: &[Vec<Run>], rounds: usize, failures: &mut Vec<String>) {
    println!(
        "{:<12}{:>26}{:>14}{:>26}{:>26}  (median, least-most)",
        "", "CPU us a webhook", "of it Redis", "webhooks/s", "p99 ms at half of ours"
    );
    for (name, runs) in names.iter().zip(runs) {
        let all = |figure: fn(&Run) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        println!(
            "{name:<12}{:>26}{:>14.1}{:>26}{:>26}",
            spread(&all(|run| run.cpu_us), 1),
            median(&all(|run| run.redis_us)),
            spread(&all(|run| run.per_second), 0),
            spread(&all(|run| run.p99_ms), 2),
        );
    }
    let all = |at: usize, figure: fn(&Run) -> f64| -> Option<Vec<f64>> {
        (runs[at].len() == rounds).then(|| runs[at].iter().map(figure).collect())
    };
    let mut tell = |name: String, ratio: Ratio, goal: f64, met: bool| {
        println!("  {name:<34}{ratio}   goal {goal}: {}", if met { "met" } else { "NOT met" });
        if !met {
            failures.push(format!("webhooks: {name} is {ratio}, the goal is {goal}"));
        }
    };
    for (at, (name, goal)) in GOALS.iter().enumerate() {
        if let (Some(theirs), Some(ours)) = (all(at + 1, |run| run.cpu_us), all(0, |run| run.cpu_us)) {
            let ratio = Ratio::of(&theirs, &ours);
            tell(format!("CPU: {name} / ours"), ratio, *goal, ratio.median >= *goal);
        }
    }
    if let (Some(bare), Some(ours)) = (all(1, |run| run.p99_ms), all(0, |run| run.p99_ms)) {
        let ratio = Ratio::of(&ours, &bare);
        tell("p99: ours / bare axum".to_owned(), ratio, P99, ratio.median <= P99);
    }
}

/// Ours, with calls that it has placed; answers them, because others get the same webhooks.
async fn ours(number: usize) -> Result<(Vec<Call>, Run), String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let far = Far::start();
    let port = free_port();
    let server =
        Server::start(sharing(gymcall(&["serve"], folder.path(), &far.url(), 1_000), redis.port(), port)).await;
    let campaign = server.api.campaign(survey(), roster(number)).await;
    server.api.start(&campaign).await;
    let path = format!("/v1/campaigns/{campaign}");
    let placed = |campaign: &serde_json::Value| campaign["counters"]["by_status"]["placed"] == json!(number);
    server.api.until(&path, Duration::from_secs(50), placed).await;
    let calls: Vec<Call> = far.arrivals().iter().map(Call::of).collect();
    let run = tokio::task::block_in_place(|| drive(port, &calls, server.id(), &redis, None))?;
    let campaign = server.api.get(&path).await;
    if campaign["counters"]["failed"] != json!(number) {
        return Err(format!("ours: of {number} calls that nobody answered it knows {}", campaign["counters"]));
    }
    Ok((calls, run))
}

fn theirs(name: &str, calls: &[Call], rate: f64) -> Result<Run, String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let port = free_port();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/webhooks.py");
    let (name, mut command): (&'static str, Command) = match name {
        "bare axum" => ("bare axum", own(["bare".to_owned(), port.to_string(), redis.port().to_string()])),
        "FastAPI" => ("FastAPI", program(place().join("python/bin/python"), python)),
        _ => ("Fastify", program("node".into(), place().join("bullmq/webhooks.js"))),
    };
    command.env("PORT", port.to_string()).env("REDIS_PORT", redis.port().to_string()).env("AUTH_TOKEN", TOKEN);
    let server = Program::start(name, command)?;
    post::await_server(port).map_err(|why| format!("{name}: {why}"))?;
    let run = drive(port, calls, server.id(), &redis, Some(rate)).map_err(|why| format!("{name}: {why}"))?;
    // A record and a history for each call.
    match redis.keys() {
        keys if keys == 2 * calls.len() as i64 => Ok(run),
        keys => Err(format!("{name}: {keys} keys for {} calls", calls.len())),
    }
}

fn program(interpreter: std::path::PathBuf, program: std::path::PathBuf) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(program);
    command
}

/// First as fast as it goes, with two thirds of the calls; then with the others at a given rate, or half of what came out.
fn drive(port: u16, calls: &[Call], server: u32, redis: &Redis, rate: Option<f64>) -> Result<Run, String> {
    let (fast, paced) = calls.split_at(calls.len() * 2 / 3);
    let (own, by_redis) = (cpu::of_tree(server), redis.cpu());
    let took = post::saturate(port, fast)?;
    let (own, by_redis) = (cpu::of_tree(server) - own, redis.cpu() - by_redis);
    let posts = (fast.len() * post::EACH) as f64;
    let per_second = posts / took.as_secs_f64();
    let mut latencies = post::paced(port, paced, rate.unwrap_or(per_second / 2.0))?;
    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100];
    let us = |time: Duration| time.as_secs_f64() * 1e6 / posts;
    Ok(Run { cpu_us: us(own + by_redis), redis_us: us(by_redis), per_second, p99_ms: p99.as_secs_f64() * 1e3 })
}
