//! Many at once: ten thousand gyms on two hundred lines, and fifty thousand jobs that are due in one moment.

use std::time::{Duration, Instant};

use super::crowd;
use super::judge::{judge, most_in_a_second};
use super::keeper::Keeper;
use super::kill::ends;
use super::redis::Redis;
use super::report::{Report, is_soak};
use super::site::Site;
use super::troupe::Troupe;

/// What `gymcall serve` may hold in memory, in MB.
const MOST_MB: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_gyms_on_two_hundred_lines_stay_under_150_mb() {
    let (gyms, lines, pace) = if is_soak() { (10_000, 200, 60) } else { (300, 60, 20) };
    let numbers = crowd::numbers(gyms);
    let site = Site::start(Keeper::Embedded, &crowd::quick_callees(&numbers), "", pace, lines).await.quiet();
    let troupe = Troupe::start(&site, 1, 0).await;
    let api = troupe.api();
    let begun = Instant::now();
    let campaign = api.campaign(crowd::survey(), crowd::roster(&numbers)).await;
    api.start(&campaign).await;
    api.completed(&campaign, Duration::from_secs(1_800)).await;
    let took = begun.elapsed();
    let (most_mb, jobs, log) = (troupe.peak_mb(), api.jobs(&campaign).await, site.twilio.log());
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

#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_jobs_that_are_due_at_once_come_to_an_end_on_the_embedded_store() {
    due_at_once(Keeper::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_jobs_that_are_due_at_once_come_to_an_end_on_redis() {
    due_at_once(Keeper::Redis).await;
}

/// Nobody answers, so that only dialling counts: 50,000 jobs as fast as they go.
async fn due_at_once(keeper: Keeper) {
    let gyms = if is_soak() { 50_000 } else { 500 };
    let numbers = crowd::numbers(gyms);
    let busy = "[default]\ncalls = [{ end = \"busy\", after_ms = 50 }]\n";
    let site = Site::start(keeper, busy, "", 1_000, 1_000).await.quiet();
    let troupe = Troupe::start(&site, 1, usize::from(keeper == Keeper::Redis)).await;
    let api = troupe.api();
    let mut survey = crowd::survey();
    survey["policy"]["max_attempts"] = 1.into();
    let campaign = api.post("/v1/campaigns", survey).await["id"].as_str().unwrap().to_owned();
    let report = api.upload(&campaign, &crowd::roster(&numbers), Duration::ZERO).await.unwrap();
    assert_eq!(report["accepted"], gyms, "{report:#}");
    let begun = Instant::now();
    api.start(&campaign).await;
    api.completed(&campaign, Duration::from_secs(1_800)).await;
    let took = begun.elapsed();
    let slow = site.redis.as_ref().map(Redis::scripts);
    let jobs = api.jobs(&campaign).await;
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    let mut report = Report::new(&format!("due-at-once-{}", keeper.name()));
    report.line(&format!(
        "{} store, {gyms} jobs due at once: all ended after {:.1} s ({:.0} a second), {} calls, {} doubled, {} lost, \
         {} quarantined; no process held more than {} MB; {:?}{}",
        keeper.name(),
        took.as_secs_f64(),
        gyms as f64 / took.as_secs_f64(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
        troupe.peak_mb(),
        ends(&jobs),
        slow.map_or_else(String::new, |(scripts, usec, slow)| {
            format!("; {scripts} scripts of {usec} us on average, {slow} commands over 5 ms on the wall")
        }),
    ));
    report.print();
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
    // On the wall: it says something about us only where nothing else runs.
    if let Some((scripts, usec, slow)) = slow.filter(|_| is_soak()) {
        assert!(
            usec < 1_000.0 && slow < scripts / 100.0,
            "scripts hold up Redis: {usec} us, {slow} of {scripts} over 5 ms"
        );
    }
}
