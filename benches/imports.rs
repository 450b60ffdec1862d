//! What a CSV of gyms costs on its way to durable jobs: ours, through the server as its users run it; the limit, which is
//! `redis-cli --pipe` of ready-made commands that leave the same records, sets and queues; and peers.
//!
//! Every row's number is read and checked, and no number is taken twice. All are equally durable.

mod ours;
mod ready_made;

use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::Effort;
use crate::stand::contestant::{Contestant, Run};
use crate::stand::figures::{Ratio, median, spread};
use crate::stand::{machine, place};

pub use ours::upload;
pub use ready_made::replay;

/// By how much the server may grow, in bytes.
const MEMORY: u64 = 64 << 20;
/// How many times the CPU time of ours the cheapest peer takes, if the goal is met.
const PEERS: f64 = 5.0;
/// How much of the limit's rows per CPU second ours comes to, if the goal is met.
const LIMIT: f64 = 0.5;

/// One of those that are compared.
struct Side {
    name: &'static str,
    run: Box<dyn Fn() -> Result<Run, String>>,
    runs: Vec<Run>,
}

pub fn measure(effort: Effort) -> Vec<String> {
    let rows = effort.of(1_000_000, 50_000);
    let rounds = effort.of(3, 3);
    println!(
        "\nImport: {rows} rows of 8 columns, {rounds} rounds in turn; the server may grow by {} MiB",
        MEMORY >> 20
    );
    let file = roster(rows);
    let mut failures = Vec::new();
    let commands = place().join("imports.commands");
    let _ = std::fs::remove_file(&commands);
    let mut sides: Vec<Side> = Vec::new();
    let mut add = |name, run: Box<dyn Fn() -> Result<Run, String>>| sides.push(Side { name, run, runs: Vec::new() });
    let (ours_file, ours_commands) = (file.clone(), commands.clone());
    add("ours, Redis", Box::new(move || ours::on_redis(rows, &ours_file, &ours_commands)));
    let ours_file = file.clone();
    add("ours, SQLite", Box::new(move || ours::on_sqlite(rows, &ours_file)));
    let limit = ready_made::contestant(rows, commands.clone());
    add("redis-cli --pipe", Box::new(move || limit.run()));
    for peer in peers(rows, &file, &mut failures) {
        add(peer.name, Box::new(move || peer.run()));
    }
    for round in 1..=rounds {
        eprintln!("  round {round} of {rounds}, load {}", machine::load());
        for side in &mut sides {
            match (side.run)() {
                Ok(run) => side.runs.push(run),
                Err(why) => failures.push(why),
            }
        }
    }
    let _ = std::fs::remove_file(commands);
    print(&sides, rounds, &mut failures);
    failures
}

fn print(sides: &[Side], rounds: usize, failures: &mut Vec<String>) {
    println!(
        "{:<18}{:>24}{:>14}{:>18}{:>12}  (median, least-most)",
        "", "CPU us a row", "of it Redis", "rows/CPU s", "grew by"
    );
    for side in sides {
        let all = |figure: fn(&Run) -> f64| side.runs.iter().map(figure).collect::<Vec<_>>();
        let cpu = all(Run::cpu_us);
        let grew = side.runs.iter().map(|run| run.grew).max().unwrap_or_default();
        println!(
            "{:<18}{:>24}{:>14.2}{:>18.0}{:>12}",
            side.name,
            spread(&cpu, 2),
            median(&all(Run::redis_us)),
            1e6 / median(&cpu),
            if grew > 0 { format!("{} MiB", grew >> 20) } else { "-".to_owned() },
        );
        if grew > MEMORY {
            failures.push(format!("{} grew by {} MiB while it imported", side.name, grew >> 20));
        }
    }
    let of = |name: &str| -> Option<Vec<f64>> {
        let side = sides.iter().find(|side| side.name == name)?;
        // A void run has no partner to be compared with.
        (side.runs.len() == rounds).then(|| side.runs.iter().map(Run::cpu_us).collect())
    };
    let Some(ours) = of("ours, Redis") else { return };
    let mut tell = |name: &str, ratio: Ratio, goal: f64| {
        let met = ratio.median >= goal;
        println!("  {name:<34}{ratio}   goal {goal}: {}", if met { "met" } else { "NOT met" });
        if !met {
            failures.push(format!("import: {name} is {ratio}, the goal is {goal}"));
        }
    };
    if let Some(limit) = of("redis-cli --pipe") {
        tell("redis-cli --pipe / ours, Redis", Ratio::of(&limit, &ours), LIMIT);
    }
    if let Some(sqlite) = of("ours, SQLite") {
        tell("ours, Redis / ours, SQLite", Ratio::of(&ours, &sqlite), 1.0);
    }
    for peer in [PYTHON, NODE] {
        if let Some(theirs) = of(peer) {
            tell(&format!("{peer} / ours, Redis"), Ratio::of(&theirs, &ours), PEERS);
        }
    }
}

const PYTHON: &str = "Python";
const NODE: &str = "Node, BullMQ";

/// Those that are there. Those that are not are failures.
fn peers(rows: usize, file: &Path, failures: &mut Vec<String>) -> Vec<Contestant> {
    let mut there = Vec::new();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/imports.py");
    for (name, stamp, interpreter, program) in [
        (PYTHON, "python/installed", place().join("python/bin/python"), python),
        (NODE, "bullmq-installed", "node".into(), place().join("bullmq/imports.js")),
    ] {
        if !place().join(stamp).exists() {
            failures.push(format!("{name} is not installed: `benches/peers/install` says why"));
            continue;
        }
        let file = file.to_owned();
        let command = move |port: u16, _: &Path, _: usize| {
            let mut command = Command::new(&interpreter);
            command.arg(&program).arg(port.to_string()).arg(&file).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        there.push(Contestant {
            name,
            jobs: rows,
            with_redis: true,
            command: Box::new(command),
            check: Box::new(|_, _| Ok(())),
        });
    }
    there
}

/// Area codes, with the state and a city of each.
const AREAS: [(u32, &str, &str); 16] = [
    (201, "NJ", "Newark"),
    (206, "WA", "Seattle"),
    (212, "NY", "New York"),
    (213, "CA", "Los Angeles"),
    (303, "CO", "Denver"),
    (305, "FL", "Miami"),
    (312, "IL", "Chicago"),
    (404, "GA", "Atlanta"),
    (415, "CA", "San Francisco"),
    (503, "OR", "Portland"),
    (512, "TX", "Austin"),
    (602, "AZ", "Phoenix"),
    (615, "TN", "Nashville"),
    (617, "MA", "Boston"),
    (702, "NV", "Las Vegas"),
    (713, "TX", "Houston"),
];

/// A file of so many gyms, their numbers in no order and written in three ways.
pub fn roster(rows: usize) -> PathBuf {
    let path = place().join(format!("gyms-{rows}.csv"));
    let mut dice = StdRng::seed_from_u64(7);
    let mut seen = std::collections::HashSet::new();
    let mut csv = "gym_name,phone_number,country,state,city,preferred_language,external_id,website\n".to_owned();
    while seen.len() < rows {
        let (area, state, city) = AREAS[dice.random_range(0..AREAS.len())];
        let (exchange, line): (u32, u32) = (dice.random_range(200..1_000), dice.random_range(0..10_000));
        // Emergency and premium exchanges.
        if exchange % 100 == 11 || exchange == 976 || !seen.insert((area, exchange, line)) {
            continue;
        }
        let gym = seen.len();
        let phone = match gym % 4 {
            0 => format!("({area}) {exchange}-{line:04}"),
            1 => format!("{area}-{exchange}-{line:04}"),
            _ => format!("+1{area}{exchange}{line:04}"),
        };
        csv += &format!("Iron Temple {gym},{phone},US,{state},{city},en-US,crm-{gym},https://gym{gym}.example.com\n");
    }
    std::fs::write(&path, csv).unwrap();
    path
}
