//! A seeded simulation of everything that decides whether a gym is called twice or forgotten.
//!
//! The state machine, its deadlines, its retry rules, the ledger and the sweep are the real ones. Store,
//! Twilio, network, processes and clock are queues in one thread: one seed is one history, and the same
//! history every time. See `simulation/plan.rs` for what may go wrong and `simulation/judge.rs` for what
//! must hold all the same.

mod callback;
pub(crate) mod chance;
mod door;
pub(crate) mod history;
mod judge;
mod keeper;
mod person;
mod plan;
mod process;
mod reconcile;
mod recorder;
mod server;
pub(crate) mod stored;
mod tally;
mod twilio;
mod worker;
mod world;

pub(crate) use self::tally::Tally;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::history::{Detail, tell};

const IN_TEST: u64 = 10_000;
const IN_SOAK: u64 = 1_000_000;

/// A setting of these tests alone, for whoever soaks or replays.
// The settings of the program are read in one place; these are not the program's.
#[allow(clippy::disallowed_methods)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn no_gym_is_called_twice_and_no_job_is_lost_in_any_history() {
    if let Some(seed) = setting("GYMCALL_SEED") {
        let seed = seed.parse().expect("GYMCALL_SEED is a number");
        let told = tell(seed, Detail::Words);
        println!("{}", told.words.join("\n"));
        println!("{}", told.tally);
        assert_eq!(told.violation, None, "seed {seed}");
        return;
    }
    let histories = if setting("GYMCALL_SOAK").as_deref() == Some("1") { IN_SOAK } else { IN_TEST };
    let (next, broken) = (AtomicU64::new(0), AtomicU64::new(0));
    let found = Mutex::new((Tally::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= histories {
                        break;
                    }
                    let told = tell(seed, Detail::Counts);
                    tally.add(&told.tally);
                    if let Some(violation) = told.violation {
                        found.lock().expect("nobody panics").1.push((seed, violation));
                        // Enough is known: the rest would only take time.
                        if broken.fetch_add(1, Ordering::Relaxed) > 10 {
                            next.store(histories, Ordering::Relaxed);
                        }
                    }
                }
                found.lock().expect("nobody panics").0.add(&tally);
            });
        }
    });
    let (tally, mut violations) = found.into_inner().expect("nobody panics");
    println!("{tally}");
    for (what, many) in &tally.seen {
        println!("{many:>10}  {what}");
    }
    violations.sort();
    let shown: Vec<String> = violations.iter().take(10).map(|(seed, why)| format!("seed {seed}: {why}")).collect();
    assert!(
        violations.is_empty(),
        "{} of {} histories break the promise:\n{}\nreplay one with\n  GYMCALL_SEED={} cargo test -p gymcall-jobs --test jobs simulation -- --nocapture",
        violations.len(),
        tally.histories,
        shown.join("\n"),
        violations[0].0,
    );
    let unseen: Vec<_> = EVERYTHING.iter().filter(|what| !tally.seen.contains_key(**what)).collect();
    assert!(unseen.is_empty(), "none of the histories came to {unseen:?}");
}

/// What the histories must come to, all together: a promise that nothing ever touched would hold for nothing.
const EVERYTHING: [&str; 79] = [
    "Twilio: queued for a day",
    "Twilio: queued for minutes",
    "callback: given up after its retries",
    "callback: its request is lost",
    "callback: lost by Twilio",
    "callback: our answer is lost",
    "callbacks: before the reply",
    "callbacks: clean",
    "callbacks: doubled and out of order",
    "callbacks: every second lost",
    "callbacks: lost but the last",
    "callbacks: none",
    "callbacks: up to days late",
    "cancel",
    "cancel a campaign",
    "cancelled",
    "closing",
    "completed",
    "dialing",
    "failed",
    "in_progress",
    "killed at any time",
    "killed before it begins to dial",
    "killed before the request",
    "killed with an order",
    "killed with the intent stored",
    "killed with the reply read",
    "killed with the reply recorded",
    "order: fetch",
    "order: hang up",
    "order: look up",
    "order: take back",
    "pause",
    "placed",
    "quarantine: resolved by a late callback",
    "quarantined",
    "question: lost",
    "question: the answer is lost",
    "redial",
    "refused: changed",
    "refused: no line",
    "refused: not due",
    "refused: not running",
    "refused: number held",
    "refused: pace",
    "refused: suppressed",
    "request: 429",
    "request: a 5xx, not created",
    "request: a bad account",
    "request: a bad number",
    "request: a reset, not created",
    "request: arrived after its deadline",
    "request: created",
    "request: created, no reply",
    "request: created, the reply 30 s late",
    "request: created, then a 5xx",
    "request: created, then a reset",
    "request: no connection",
    "request: no reply, not created",
    "request: too late to be sent",
    "resolve",
    "resume",
    "skipped",
    "stopped at any time",
    "stopped before it begins to dial",
    "stopped before the request",
    "stopped with an order",
    "stopped with the intent stored",
    "stopped with the reply read",
    "stopped with the reply recorded",
    "store: an outage",
    "store: the reply is lost",
    "store: the request is lost",
    "store: written after its caller gave up",
    "stream: its process died",
    "stream: refused or broken",
    "suppress",
    "unknown",
    "waiting",
];

#[test]
fn one_seed_is_one_history() {
    for seed in 0..20 {
        assert_eq!(tell(seed, Detail::Words).words, tell(seed, Detail::Words).words, "seed {seed}");
    }
}

#[test]
#[ignore = "writes jobs/tests/histories: for a change of behaviour that is wanted"]
fn tell_the_stored_histories_anew() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    for (status, histories) in stored::pick(4_000, 240) {
        let lines: Vec<String> = histories.iter().map(|history| serde_json::to_string(history).unwrap()).collect();
        std::fs::write(folder.join(format!("{status}.jsonl")), lines.join("\n") + "\n").unwrap();
        println!("{} histories of a job that is {status}", lines.len());
    }
}
