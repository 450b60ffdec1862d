//! Whether what people look at costs the same with a million jobs stored as with ten thousand: pages of jobs, one job, the
//! campaign with its counts.

use std::time::{Duration, Instant};

use crate::Effort;
use crate::imports::{roster, upload};
use crate::process::server::Server;
use crate::stand::figures::{Ratio, median};
use crate::stand::gymcall::{gymcall, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::{folder, free_port, machine};

/// How many times the p99 with few jobs that with many may be.
const GOAL: f64 = 1.5;

pub fn measure(effort: Effort) -> Vec<String> {
    let (few, many) = (10_000, effort.of(1_000_000, 100_000));
    println!("\nStored: p99 in ms of what people look at, with {many} jobs and with {few}; goal: within {GOAL} times");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut failures = Vec::new();
    for on_redis in [false, true] {
        let keeper = if on_redis { "Redis" } else { "SQLite" };
        match runtime.block_on(async {
            let (few, many) = (Site::with(few, on_redis).await?, Site::with(many, on_redis).await?);
            compare(keeper, &few, &many, effort).await
        }) {
            Ok(missed) => failures.extend(missed),
            Err(why) => failures.push(format!("{keeper}: {why}")),
        }
    }
    failures
}

/// A server with its jobs.
struct Site {
    server: Server,
    /// What is looked at: its name and its path.
    pages: Vec<(&'static str, String)>,
    _redis: Option<Redis>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn with(jobs: usize, on_redis: bool) -> Result<Self, String> {
        let folder = folder();
        let redis = on_redis.then(|| Redis::start(folder.path()));
        let mut command = gymcall(&["serve"], folder.path(), "http://127.0.0.1:9", 1);
        if let Some(redis) = &redis {
            command = sharing(command, redis.port(), free_port());
        }
        let server = Server::start(command).await;
        let campaign = server.api.post("/v1/campaigns", survey()).await["id"].as_str().unwrap().to_owned();
        let report = upload(server.api.url(), &campaign, &roster(jobs)).await?;
        if report["accepted"] != serde_json::json!(jobs) {
            return Err(format!("{jobs} jobs were not taken: {report}"));
        }
        let path = format!("/v1/campaigns/{campaign}");
        // As far in as people and programs ever page.
        let (mut cursor, mut job) = (String::new(), String::new());
        for _ in 0..(jobs / 2_000).min(50) {
            let page = server.api.get(&format!("{path}/jobs?limit=1000{cursor}")).await;
            cursor = format!("&cursor={}", page["next_cursor"].as_str().ok_or("the list ends early")?);
            job = page["items"][999]["id"].as_str().ok_or("a job without an id")?.to_owned();
        }
        let pages = vec![
            ("first page of 50", format!("{path}/jobs?limit=50")),
            ("page of 50 further in", format!("{path}/jobs?limit=50{cursor}")),
            ("page of 50 waiting", format!("{path}/jobs?limit=50&status=waiting")),
            ("one job", format!("/v1/jobs/{job}")),
            ("campaign and counts", path),
            ("campaigns", "/v1/campaigns".to_owned()),
        ];
        Ok(Self { server, pages, _redis: redis, _folder: folder })
    }

    /// Looks at a page once, and rests: a server takes 500 requests a second from its users and no more.
    async fn took(&self, page: usize) -> Duration {
        let begun = Instant::now();
        self.server.api.get(&self.pages[page].1).await;
        let took = begun.elapsed();
        tokio::time::sleep(Duration::from_millis(3)).await;
        took
    }
}

async fn compare(keeper: &str, few: &Site, many: &Site, effort: Effort) -> Result<Vec<String>, String> {
    let (rounds, each) = (5, effort.of(500, 300));
    let mut missed = Vec::new();
    println!("  load {}", machine::load());
    for (page, (name, _)) in few.pages.iter().enumerate() {
        let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            // In turn, so that whatever else the machine does meets both.
            for _ in 0..each {
                one.push(few.took(page).await);
                other.push(many.took(page).await);
            }
            with_few.push(p99(one));
            with_many.push(p99(other));
        }
        let ratio = Ratio::of(&with_many, &with_few);
        let met = ratio.median <= GOAL;
        println!(
            "  {keeper:<8}{name:<24}{:>8.2} many{:>8.2} few   {ratio}   {}",
            median(&with_many),
            median(&with_few),
            if met { "met" } else { "NOT met" }
        );
        if !met {
            missed.push(format!("stored: {keeper}, {name}: {ratio} times, the goal is {GOAL}"));
        }
    }
    Ok(missed)
}

/// In milliseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1e3
}
