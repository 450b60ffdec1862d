//! What 100,000 waiting jobs cost a worker that has nothing to do: once because their campaign is paused, and once
//! although all of them are due, because the only line is taken.

use std::time::Duration;

use serde_json::json;

use crate::Effort;
use crate::process::api::Api;
use crate::process::program::Program;
use crate::process::server::Server;
use crate::stand::far::Far;
use crate::stand::gymcall::{gymcall, roster, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::{cpu, folder, free_port};

pub fn measure(effort: Effort) -> Vec<String> {
    let gyms = effort.of(100_000, 10_000);
    let over = effort.of(Duration::from_secs(30), Duration::from_secs(5));
    println!("\nIdle: {gyms} waiting jobs, over {over:?}; goal: under 1 % of a core");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut failures = runtime.block_on(on_sqlite(gyms, over));
    failures.extend(runtime.block_on(on_redis(gyms, over)));
    failures
}

/// A server that dials, on its own file.
async fn on_sqlite(gyms: usize, over: Duration) -> Vec<String> {
    let folder = folder();
    let far = Far::start();
    let mut command = gymcall(&["serve"], folder.path(), &far.url(), 50);
    command.env("GYMCALL_MAX_CONCURRENT_CALLS", "1");
    let server = Server::start(command).await;
    let idle = Idle { pids: &[server.id()], over };
    idle.run("SQLite, serve", &server.api, &far, gyms).await
}

/// A worker and its Redis; the server that took the jobs in has its own share.
async fn on_redis(gyms: usize, over: Duration) -> Vec<String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let far = Far::start();
    let bind = free_port();
    let role = |role: &[&str]| {
        let mut command = sharing(gymcall(role, folder.path(), &far.url(), 50), redis.port(), bind);
        command.env("GYMCALL_MAX_CONCURRENT_CALLS", "1");
        command
    };
    let server = Server::start(role(&["serve", "--no-worker"])).await;
    let worker = Program::start(role(&["worker"]));
    let idle = Idle { pids: &[worker.id(), redis.id()], over };
    idle.run("Redis, worker and Redis", &server.api, &far, gyms).await
}

struct Idle<'a> {
    pids: &'a [u32],
    over: Duration,
}

impl Idle<'_> {
    async fn run(&self, what: &str, api: &Api, far: &Far, gyms: usize) -> Vec<String> {
        let csv = roster(gyms);
        let (head, rows) = csv.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().collect();
        let mut campaigns = Vec::new();
        // In pieces: the answer to an import of all of them would be longer in coming than a client waits.
        for rows in rows.chunks(10_000) {
            campaigns.push(api.campaign(survey(), format!("{head}\n{}\n", rows.join("\n"))).await);
        }
        let mut failures = Vec::new();
        for campaign in &campaigns {
            api.start(campaign).await;
        }
        // The far side never says how its calls fare, so the first keeps the line.
        while far.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        failures.extend(self.told(&format!("{what}: due, no line free")).await);
        for campaign in &campaigns {
            api.post(&format!("/v1/campaigns/{campaign}/pause"), json!({})).await;
        }
        failures.extend(self.told(&format!("{what}: paused")).await);
        if far.count() != 1 {
            failures.push(format!("{what}: {} calls on one line", far.count()));
        }
        failures
    }

    async fn told(&self, what: &str) -> Option<String> {
        let share = self.share().await;
        let memory: u64 = self.pids.iter().map(|pid| cpu::memory(*pid)).sum();
        let met = share < 0.01;
        let line = format!("{what:<36}{:>6.2} % of a core, {:>4} MB resident", share * 100.0, memory / 1_000_000);
        println!("  {line}   {}", if met { "met" } else { "NOT met" });
        (!met).then_some(line)
    }

    /// How much of a core they use.
    async fn share(&self) -> f64 {
        // What an import and a start have left to do is not idling.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let used = || self.pids.iter().map(|pid| cpu::of_tree(*pid)).sum::<Duration>();
        let before = used();
        tokio::time::sleep(self.over).await;
        (used() - before).as_secs_f64() / self.over.as_secs_f64()
    }
}
