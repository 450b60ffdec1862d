//! What a killed worker and a killed Redis cost at full load.
//!
//! The far side is the simulator: its log is the witness. Nobody picks up, replies to requests for calls take a second,
//! and half of the calls' news is late, so that a killed worker leaves dials behind that nobody finishes. Full load
//! is the pace: four workers are faster than it.

use std::time::{Duration, Instant};

use gymcall_simulator::Entry;
use jiff::Timestamp;
use serde_json::Value;

use crate::Effort;
use crate::judge::{Call, judge};
use crate::process::api::Api;
use crate::process::local_twilio::LocalTwilio;
use crate::process::program::Program;
use crate::process::server::Server;
use crate::stand::gymcall::{gymcall, roster, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::{folder, free_port};

const PACE: u32 = 50;
const WORKERS: usize = 4;
/// How long after its intent a dial may take, in seconds.
const DIAL_DEADLINE: i64 = 3;
/// The goals: how late the killed worker's jobs may move, and how long after loading Redis the rate may be back.
const JOBS_MOVE_WITHIN: f64 = 3.0;
const RATE_BACK_WITHIN: f64 = 2.0;

const NOBODY_PICKS_UP: &str = "[default]\ncalls = [{ end = \"no_answer\", after_ms = 500 }]\n";
const FAULTS: &str = "[[fault]]\ncreate_delay_ms = 1000\n[[fault]]\nrate = 0.5\nlate_ms = 8000\n";

pub fn measure(effort: Effort) -> Vec<String> {
    // A list of jobs has at most a thousand.
    let gyms = effort.of(1_000, 900);
    println!("\nRecovery: {WORKERS} workers, one server, one Redis, {PACE} calls a second, {gyms} gyms");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(kills(gyms))
}

async fn kills(gyms: usize) -> Vec<String> {
    let folder = folder();
    let mut redis = Redis::start(folder.path());
    let twilio = LocalTwilio::start(folder.path(), NOBODY_PICKS_UP, FAULTS, 1_000).await;
    let bind = free_port();
    let shared = redis.port();
    let role = |role: &[&str]| {
        let mut command = sharing(gymcall(role, folder.path(), &twilio.url, PACE), shared, bind);
        command.env("GYMCALL_DIAL_DEADLINE", format!("{DIAL_DEADLINE}s")).env("GYMCALL_LOOK_UP_WAITS", "1s,2s,4s,8s");
        command
    };
    let server = Server::start(role(&["serve", "--no-worker"])).await;
    let mut workers: Vec<Program> = (0..WORKERS).map(|_| Program::start(role(&["worker"]))).collect();
    let csv = roster(gyms);
    let numbers: Vec<String> = csv.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_owned()).collect();
    let campaign = server.api.campaign(survey(), csv).await;
    server.api.start(&campaign).await;

    let at_call = |nth: usize| {
        let twilio = &twilio;
        async move {
            let begun = Instant::now();
            while calls(&twilio.log()).len() < nth {
                assert!(begun.elapsed() < Duration::from_secs(60), "the calls do not go on");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    at_call(gyms * 3 / 10).await;
    let worker_killed = now_ms();
    workers.remove(0).kill();
    // Far enough from the first kill that the dead worker is not among those whose word is waited for.
    at_call(gyms * 7 / 10).await;
    let redis_killed = now_ms();
    redis.kill();
    let loading = redis.restart();
    server.api.completed(&campaign, Duration::from_secs(120)).await;

    let log = twilio.log();
    let jobs = server.api.jobs(&campaign).await;
    let verdict = judge(&log, &numbers, &jobs);
    let times: Vec<i64> = calls(&log).iter().map(|call| call.at_ms).collect();
    let mut failures = Vec::new();
    let mut tell = |what: &str, figure: f64, goal: f64| {
        let met = figure <= goal;
        println!("  {what:<64}{figure:>7.2} s   goal {goal:.2}: {}", if met { "met" } else { "NOT met" });
        if !met {
            failures.push(format!("{what}: {figure:.2} s"));
        }
    };
    tell("worker killed: until 95 % of the rate", back(&times, worker_killed), JOBS_MOVE_WITHIN);
    let late = lateness(&server.api, &jobs, worker_killed).await;
    let worst = late.iter().copied().fold(0.0, f64::max);
    tell(&format!("its {} open dials: the last moved past its deadline by", late.len()), worst, JOBS_MOVE_WITHIN);
    let loaded = loading.as_secs_f64();
    let goal = loaded + RATE_BACK_WITHIN;
    tell(&format!("Redis killed, loaded in {loaded:.2} s: until 95 % of the rate"), back(&times, redis_killed), goal);
    println!(
        "  {} jobs, {} calls, lost {}, doubled {}, quarantined {}",
        jobs.len(),
        verdict.calls.len(),
        verdict.lost.len(),
        verdict.doubled.len(),
        verdict.quarantined.len()
    );
    if late.is_empty() {
        failures.push("the killed worker left no open dial: nothing was shown".to_owned());
    }
    failures.extend(verdict.lost);
    failures.extend(verdict.doubled);
    failures
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn calls(log: &[Entry]) -> Vec<Call> {
    log.iter().filter_map(Call::of).collect()
}

/// Seconds from a kill until a second begins that has 95 % of the calls that one had before it.
fn back(times: &[i64], killed: i64) -> f64 {
    let within = |from: i64| times.iter().filter(|time| (from..from + 1_000).contains(*time)).count();
    let before = within(killed - 3_000) + within(killed - 2_000) + within(killed - 1_000);
    let wanted = before as f64 / 3.0 * 0.95;
    let last = times.last().copied().unwrap_or_default();
    let found = (killed..last - 1_000).step_by(10).find(|from| within(*from) as f64 >= wanted);
    found.map_or(f64::INFINITY, |from| (from - killed) as f64 / 1e3)
}

/// For each dial that the kill left open: seconds from its deadline until its job moved, none below zero.
async fn lateness(api: &Api, jobs: &[Value], killed: i64) -> Vec<f64> {
    let mut late = Vec::new();
    for job in jobs {
        let events = api.events(job["id"].as_str().unwrap()).await;
        let at = |event: &Value| event["at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
        let mut moves = events.iter().filter(|event| event["ignored"].is_null());
        let Some(begun) = moves.by_ref().find(|event| event["event"] == "dial_begun").map(at) else { continue };
        let Some(moved) = moves.next() else { continue };
        // Nobody told what came of it: only its deadline moved it on.
        if begun < killed && killed < at(moved) && (moved["event"] == "tick" || moved["event"] == "dialer_died") {
            late.push(((at(moved) - begun) as f64 / 1e3 - DIAL_DEADLINE as f64).max(0.0));
        }
    }
    late
}
