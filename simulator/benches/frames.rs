//! 500 calls at once on one core: does each stream's frame come when it should?
//!
//! `cargo bench -p gymcall-simulator --bench frames`, or `make bench`; `-- --quick` is shorter. Needs two cores and
//! `taskset`.
//!
//! The simulator is a process of its own, held on one core. The app is this process, held on another: it answers
//! the voice webhooks, takes the streams, and notes when each frame comes. Every stream's frames are held against
//! its own schedule: the time of one frame, taken when all streams are open, and 20 ms for each one after it. How
//! late or early a frame is by that includes the lateness of the frame that the schedule began with.
//!
//! Beside it, in the same run and against the same app, the limit: a bare loop on that core that writes as many
//! bytes to as many sockets at the same times, and does nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark is a program for people"
)]

#[path = "frames/app.rs"]
mod app;
#[path = "frames/far.rs"]
mod far;
#[path = "frames/figures.rs"]
mod figures;

use std::process::ExitCode;
use std::time::Duration;

/// Streams at one time.
const STREAMS: usize = 500;
/// What is promised of the frames of a thousand that come worst but one.
const GOAL_MS: f64 = 10.0;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("simulator") => return far::simulator(),
        Some("loop") => return far::bare_loop(&words[1]),
        _ => {}
    }
    let time = Duration::from_secs(if words.iter().any(|word| word == "--quick") { 3 } else { 20 });
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        println!("frames: left out, it needs two cores");
        return ExitCode::SUCCESS;
    }
    // Every thread that is started from here on is held there too.
    far::hold_this_process_on(1);
    println!("{STREAMS} streams on one core, {} s each; milliseconds off each stream's schedule", time.as_secs());
    println!("{:<44}{:>7}{:>7}{:>8}{:>8}{:>8}{:>9}", "", "p50", "p99", "p99.9", "max", "frames", "core");
    let mut failures = Vec::new();
    for (name, promised, measured) in [
        ("the limit: a bare loop", false, app::measure_loop(time)),
        ("the simulator, callees silent after a greeting", true, app::measure(time, app::Load::Quiet)),
        ("the simulator, the app talks all the time", true, app::measure(time, app::Load::Talking)),
        ("the limit, once more", false, app::measure_loop(time)),
    ] {
        match measured {
            Ok(figures) => {
                println!("{name:<44}{figures}");
                if promised && figures.p999 > GOAL_MS {
                    failures.push(format!("{name}: p99.9 is {:.1} ms, more than {GOAL_MS} ms", figures.p999));
                }
                if figures.missing > 0 {
                    failures.push(format!("{name}: {} frames did not come", figures.missing));
                }
            }
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    for failure in &failures {
        println!("FAILED  {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
