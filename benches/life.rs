//! What the durable life of one job costs: ours, its limit, and what others take for as much.
//!
//! One life is nine durable changes: accepted, dial begun, created, initiated, ringing, in progress, one answer,
//! the report, completed. `ours` makes them for 64 jobs at once through the ledger, which reads, decides and
//! compares-and-sets. `worker` is the same, but the jobs are found by the worker as in the program, with apalis.
//! Of peers the same is asked: enqueued, taken, six states stored on the way, the result. Their taking counts as
//! the begun dial, although it keeps nobody from calling the same number twice; they keep no pace, no lines and no
//! history of what happened.

mod limit;
mod ours;
mod peers;
mod record;

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use record::Recording;

use crate::Effort;
use crate::stand::contestant::{Contestant, Run};
use crate::stand::figures::{Ratio, spread};
use crate::stand::redis::Redis;
use crate::stand::{machine, place};

pub use ours::{Kind, step};

/// Jobs that live at the same time.
pub const AT_ONCE: usize = 64;

/// What a child of this program does: see [`crate::stand::contestant`].
pub fn contest(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["ready-made", port, rows, commands] => crate::imports::replay(port, rows, commands),
        ["bare", port, redis] => crate::webhooks::bare(port.parse().unwrap(), redis.parse().unwrap()),
        ["limit-sqlite", folder, jobs, each] => {
            limit::rows(Path::new(folder), jobs.parse().unwrap(), each.parse().unwrap());
        }
        ["limit-redis", port, jobs, recording] => {
            limit::replay(port.parse().unwrap(), jobs.parse().unwrap(), Path::new(recording));
        }
        [kind, place, jobs] => ours::contest(kind.parse().unwrap(), place, jobs.parse().unwrap()),
        _ => panic!("no such contestant: {words:?}"),
    }
}

/// This program, as a contestant.
pub fn own(words: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("contestant").args(words);
    command
}

/// Measures, prints, and returns what failed.
pub fn measure(effort: Effort) -> Vec<String> {
    let rounds = effort.of(7, 2);
    let jobs = effort.of(4_000, 1_000);
    println!("\nLife of a job: 9 durable changes, {AT_ONCE} at once, {rounds} rounds in turn");
    let mut failures = Vec::new();
    let mut contestants = vec![
        ours::contestant("ours, SQLite", Kind::LedgerSqlite, jobs),
        ours::contestant("worker, SQLite", Kind::WorkerSqlite, jobs),
        limit::sqlite("limit, SQLite", 64, 5 * jobs),
    ];
    let keys = Rc::new(Cell::new(0));
    contestants.push(ours::contestant("ours, Redis", Kind::LedgerRedis, jobs));
    contestants.last_mut().unwrap().check = Box::new({
        let keys = Rc::clone(&keys);
        move |redis, _| {
            keys.set(redis.map_or(0, Redis::keys));
            Ok(())
        }
    });
    contestants.push(ours::contestant("worker, Redis", Kind::WorkerRedis, jobs));
    match Recording::make() {
        Ok(recording) => {
            println!("One life on Redis is {} commands: {}", recording.life.len(), recording.summary());
            let path = place().join("life.recording");
            recording.write(&path);
            contestants.push(limit::redis("limit, Redis", path, jobs, keys));
        }
        Err(why) => failures.push(why),
    }
    contestants.extend(peers::installed(effort, &mut failures));
    let mut runs: Vec<Vec<Run>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        eprintln!("  round {round} of {rounds}, load {}", machine::load());
        for (contestant, runs) in contestants.iter().zip(&mut runs) {
            match contestant.run() {
                Ok(run) => runs.push(run),
                Err(why) => failures.push(why),
            }
        }
    }
    print(&contestants, &runs, rounds);
    failures
}

fn print(contestants: &[Contestant], runs: &[Vec<Run>], rounds: usize) {
    println!(
        "{:<16}{:>26}{:>14}{:>24}{:>12}  (median, least-most)",
        "", "CPU us a job", "of it Redis", "jobs/s", "AOF B/job"
    );
    for (contestant, runs) in contestants.iter().zip(runs) {
        let all = |figure: fn(&Run) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        println!(
            "{:<16}{:>26}{:>14}{:>24}{:>12}",
            contestant.name,
            spread(&all(Run::cpu_us), 0),
            format!("{:.0}", crate::stand::figures::median(&all(Run::redis_us))),
            spread(&all(Run::per_second), 0),
            format!("{:.0}", crate::stand::figures::median(&all(Run::written_per_job))),
        );
    }
    let of = |name: &str| -> Option<Vec<f64>> {
        let at = contestants.iter().position(|contestant| contestant.name == name)?;
        // A void run has no partner to be compared with.
        (runs[at].len() == rounds).then(|| runs[at].iter().map(Run::cpu_us).collect())
    };
    println!("In CPU a job, median of the rounds [95 % interval]; a goal is met if the worse end meets it:");
    for store in ["SQLite", "Redis"] {
        let Some(ours) = of(&format!("ours, {store}")) else { continue };
        if let Some(limit) = of(&format!("limit, {store}")) {
            let ratio = Ratio::of(&limit, &ours);
            let goal = if store == "Redis" { verdict(ratio, 0.6) } else { String::new() };
            println!("  limit / ours, {store:<8}{ratio}{goal}");
        }
        let Some(worker) = of(&format!("worker, {store}")) else { continue };
        for (peer, goal) in peers::GOALS {
            if let Some(theirs) = of(peer) {
                let ratio = Ratio::of(&theirs, &worker);
                println!("  {peer} / worker, {store:<8}{ratio}{}", verdict(ratio, goal));
            }
        }
    }
}

fn verdict(ratio: Ratio, goal: f64) -> String {
    format!("   goal {goal}: {}", if ratio.reaches(goal) { "met" } else { "NOT met" })
}

/// The folder of an installed peer.
fn peer(path: &str) -> std::path::PathBuf {
    place().join(path)
}
