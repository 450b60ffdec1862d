//! How well four workers keep one pace together, and how much of it they use while calls are due.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Effort;
use crate::process::program::Program;
use crate::process::server::Server;
use crate::stand::contestant;
use crate::stand::far::{Arrival, Far};
use crate::stand::gymcall::{gymcall, roster, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::resp::Reply;
use crate::stand::{folder, free_port, place};

const WORKERS: usize = 4;

pub fn measure(effort: Effort) -> Vec<String> {
    let mut failures = Vec::new();
    println!("\nPace: {WORKERS} workers on one Redis, a far side that only notes when requests for calls come");
    println!(
        "{:<12}{:>6}{:>8}{:>14}{:>26}{:>26}",
        "", "pace", "calls", "used of it", "most in a second, store", "most in a second, far"
    );
    for (pace, calls) in
        effort.of([(1, 20), (5, 100), (50, 1_000), (500, 6_000)], [(1, 4), (5, 15), (50, 150), (500, 1_500)])
    {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        match runtime.block_on(ours(pace, calls)) {
            Ok(kept) => failures.extend(kept.judge(pace, calls)),
            Err(why) => failures.push(why),
        }
        if !place().join("bullmq-installed").exists() {
            failures.push("BullMQ is not installed: `benches/peers/install` says why".to_owned());
        } else if pace > 1 {
            match theirs(pace, calls) {
                Ok(kept) => kept.print("BullMQ", pace, calls),
                Err(why) => failures.push(why),
            }
        }
    }
    failures
}

/// How a pace was kept.
struct Kept {
    /// When calls were granted, by the store's clock; none where a system does not say.
    granted: Vec<i64>,
    /// When requests came.
    came: Vec<Arrival>,
}

impl Kept {
    /// Of what was allowed between the first and the last, so much was used.
    fn used(&self, pace: u32) -> f64 {
        let took = self.came.last().map_or(0, |last| last.at_us) - self.came.first().map_or(0, |first| first.at_us);
        (self.came.len() - 1) as f64 / (took as f64 / 1e6 * f64::from(pace))
    }

    fn print(&self, name: &str, pace: u32, calls: usize) {
        let came: Vec<i64> = self.came.iter().map(|arrival| arrival.at_us).collect();
        let granted =
            if self.granted.is_empty() { "-".to_owned() } else { most_in_a_second(&self.granted).to_string() };
        println!(
            "{name:<12}{pace:>6}{calls:>8}{:>12.1} %{granted:>26}{:>26}",
            self.used(pace) * 100.0,
            most_in_a_second(&came)
        );
    }

    fn judge(&self, pace: u32, calls: usize) -> Vec<String> {
        self.print("ours", pace, calls);
        let came: Vec<i64> = self.came.iter().map(|arrival| arrival.at_us).collect();
        let mut failures = Vec::new();
        if self.used(pace) < 0.99 {
            failures.push(format!("of a pace of {pace} only {:.1} % was used", self.used(pace) * 100.0));
        }
        if most_in_a_second(&self.granted) > pace as usize {
            failures.push(format!("more than {pace} were granted in a second"));
        }
        if most_in_a_second(&came) > pace as usize + 1 {
            failures.push(format!("more than {pace} + 1 came in a second"));
        }
        failures
    }
}

/// The most of these times, in order, that any second holds.
fn most_in_a_second(times: &[i64]) -> usize {
    let (mut first, mut most) = (0, 0);
    for (last, time) in times.iter().enumerate() {
        while time - times[first] >= 1_000_000 {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// Waits until so many came, and a little longer for what should not come. Looks around now and then.
fn all_came(far: &Far, calls: usize, pace: u32, mut look: impl FnMut()) -> Result<Vec<Arrival>, String> {
    let patience = Duration::from_secs_f64(calls as f64 / f64::from(pace) * 1.5 + 20.0);
    let begun = Instant::now();
    while far.count() < calls {
        if begun.elapsed() > patience {
            return Err(format!("at a pace of {pace} only {} of {calls} calls came in {patience:?}", far.count()));
        }
        std::thread::sleep(Duration::from_millis(200));
        look();
    }
    std::thread::sleep(Duration::from_secs(1));
    look();
    let came = far.arrivals();
    let mut bodies: Vec<&str> = came.iter().map(|arrival| called(&arrival.body)).collect();
    bodies.sort_unstable();
    bodies.dedup();
    if came.len() == calls && bodies.len() == calls {
        Ok(came)
    } else {
        Err(format!("at a pace of {pace} there were {} requests for {} of {calls} numbers", came.len(), bodies.len()))
    }
}

/// The number in a request's form.
fn called(body: &str) -> &str {
    let to = body.split('&').find_map(|field| field.strip_prefix("To="));
    to.unwrap_or_default()
}

async fn ours(pace: u32, calls: usize) -> Result<Kept, String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let far = Far::start();
    let bind = free_port();
    let role = |role: &[&str]| sharing(gymcall(role, folder.path(), &far.url(), pace), redis.port(), bind);
    let server = Server::start(role(&["serve", "--no-worker"])).await;
    let campaign = server.api.campaign(survey(), roster(calls)).await;
    let workers: Vec<Program> = (0..WORKERS).map(|_| Program::start(role(&["worker"]))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.api.start(&campaign).await;
    let mut granted = BTreeSet::new();
    let came = tokio::task::block_in_place(|| all_came(&far, calls, pace, || granted.extend(grants(&redis))))?;
    drop(workers);
    let granted: Vec<i64> = granted.into_iter().collect();
    if granted.len() == calls {
        Ok(Kept { granted, came })
    } else {
        Err(format!("at a pace of {pace} {} grants were seen of {calls}", granted.len()))
    }
}

/// The latest grants, as the keeper has written them down for itself: microseconds of the server's clock.
fn grants(redis: &Redis) -> Vec<i64> {
    let Ok(Reply::Many(grants)) = redis.connect().ask(&["LRANGE", "{gymcall}:pace:account", "0", "-1"]) else {
        return Vec::new();
    };
    grants.iter().filter_map(|grant| grant.text().split(':').next()?.parse().ok()).collect()
}

fn theirs(pace: u32, calls: usize) -> Result<Kept, String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let far = Far::start();
    let program = |role: &str, words: &[String]| {
        let mut command = Command::new("node");
        command.arg(place().join("bullmq/pace.js")).args([role, &redis.port().to_string()]).args(words);
        contestant::Program::start("BullMQ pace", command)
    };
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let mut worker = program("work", &[pace.to_string(), far.port().to_string()])?;
        worker.until("ready")?;
        workers.push(worker);
    }
    program("add", &[calls.to_string()])?.until("done")?;
    Ok(Kept { granted: Vec::new(), came: all_came(&far, calls, pace, || {})? })
}
