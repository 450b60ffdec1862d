//! Many at once: ten thousand gyms on two hundred lines, and fifty thousand jobs that are due in one moment.

use std::time::{Duration, Instant};

use super::crowd;
use super::judge::{judge, most_in_a_second};
use super::keeper::Keeper;
use super::kill::ends;
use super::report::{Report, is_soak};
use super::server::Server;
use super::site::Site;

/// What `gymcall serve` may hold in memory, in MB.
const MOST_MB: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_gyms_on_two_hundred_lines_stay_under_150_mb() {
    let (gyms, lines, pace) = if is_soak() { (10_000, 200, 60) } else { (300, 60, 20) };
    let numbers = crowd::numbers(gyms);
    let site = Site::start(Keeper::Embedded, &crowd::quick_callees(&numbers), "", pace, lines).await.quiet();
    let server = Server::start(site.serve()).await;
    let begun = Instant::now();
    let campaign = server.api.campaign(crowd::survey(), crowd::roster(&numbers)).await;
    server.api.start(&campaign).await;
    server.api.completed(&campaign, Duration::from_secs(1_800)).await;
    let took = begun.elapsed();
    let (most_mb, jobs, log) = (peak_mb(server.program.id()), server.api.jobs(&campaign).await, site.twilio.log());
    let verdict = judge(&log, &numbers, &jobs);
    let mut report = Report::new("memory-embedded");
    report.line(&format!(
        "embedded store, {gyms} gyms on {lines} lines: {:.0} s, {} calls, {} doubled, {} lost, {} quarantined; \
         `gymcall serve` held at most {most_mb} MB; at pace {pace} at most {} requests in a second; {:?}",
        took.as_secs_f64(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
        most_in_a_second(&log),
        ends(&jobs),
    ));
    report.print();
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
    assert!(most_mb < MOST_MB, "{most_mb} MB");
}

/// The most memory that a process has held up to now.
fn peak_mb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1_000
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_jobs_that_are_due_at_once_come_to_an_end_on_the_embedded_store() {
    due_at_once(Keeper::Embedded).await;
}

/// Nobody answers, so that only dialling counts: 50,000 jobs as fast as they go.
async fn due_at_once(keeper: Keeper) {
    let gyms = if is_soak() { 50_000 } else { 500 };
    let numbers = crowd::numbers(gyms);
    let busy = "[default]\ncalls = [{ end = \"busy\", after_ms = 50 }]\n";
    let site = Site::start(keeper, busy, "", 1_000, 1_000).await.quiet();
    let server = Server::start(site.serve()).await;
    let mut survey = crowd::survey();
    survey["policy"]["max_attempts"] = 1.into();
    let campaign = server.api.post("/v1/campaigns", survey).await["id"].as_str().unwrap().to_owned();
    let report = server.api.upload(&campaign, &crowd::roster(&numbers), Duration::ZERO).await.unwrap();
    assert_eq!(report["accepted"], gyms, "{report:#}");
    let begun = Instant::now();
    server.api.start(&campaign).await;
    server.api.completed(&campaign, Duration::from_secs(1_800)).await;
    let took = begun.elapsed();
    let jobs = server.api.jobs(&campaign).await;
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    let mut report = Report::new(&format!("due-at-once-{}", keeper.name()));
    report.line(&format!(
        "{} store, {gyms} jobs due at once: all ended after {:.1} s ({:.0} a second), {} calls, {} doubled, {} lost, \
         {} quarantined; `gymcall serve` held at most {} MB; {:?}",
        keeper.name(),
        took.as_secs_f64(),
        gyms as f64 / took.as_secs_f64(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
        peak_mb(server.program.id()),
        ends(&jobs),
    ));
    report.print();
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
}
