//! Everything at once, for a while: processes die and stand still, wires break, and every job must come to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::api::Api;
use super::attendant::Attendant;
use super::crowd;
use super::judge::{judge, most_in_a_second};
use super::keeper::Keeper;
use super::kill::ends;
use super::proxy::Wire;
use super::report::{Report, is_soak};
use super::site::{Parts, Site};
use super::troupe::Troupe;

const SEED: u64 = 20_260_315;
/// How long after one blow the next one comes.
const APART: Duration = Duration::from_secs(2);

/// How large a run is.
struct Size {
    gyms: usize,
    pace: u32,
    lines: u32,
    servers: usize,
    workers: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_blow_every_2_seconds_no_job_is_lost_and_no_call_doubled_on_the_embedded_store() {
    let (gyms, pace, lines) = if is_soak() { (1_000, 20, 60) } else { (200, 10, 40) };
    run(Keeper::Embedded, Size { gyms, pace, lines, servers: 1, workers: 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_blow_every_2_seconds_no_job_is_lost_and_no_call_doubled_by_4_workers_on_redis() {
    let (gyms, pace, lines) = if is_soak() { (5_000, 50, 250) } else { (200, 10, 40) };
    run(Keeper::Redis, Size { gyms, pace, lines, servers: 2, workers: 4 }).await;
}

async fn run(keeper: Keeper, size: Size) {
    let Size { gyms, pace, lines, servers, workers } = size;
    let begun = Instant::now();
    let numbers = crowd::numbers(gyms);
    let (callees, faults) = (crowd::quick_callees(&numbers), crowd::late_replies(300));
    let parts = Parts { keeper, callees: &callees, faults: &faults, pace, lines, servers, small_disk: false };
    let mut site = Site::of(parts).await.quiet();
    let mut troupe = Troupe::start(&site, servers, workers).await;
    let api = Api::new(&site.to_server.url());
    let campaign = api.campaign(crowd::survey(), crowd::roster(&numbers)).await;
    api.start(&campaign).await;
    let _attendant = Attendant::of(&site, &campaign);

    let mut dice = StdRng::seed_from_u64(SEED);
    let mut blows: BTreeMap<&str, usize> = BTreeMap::new();
    // As long as calls are still to be made; then in peace, so that what is unclear can become clear.
    while waiting(&api, &campaign).await != Some(0) {
        *blows.entry(strike(&mut troupe, &mut site, &mut dice).await).or_default() += 1;
        tokio::time::sleep(APART).await;
        troupe.replace(&site).await;
        assert!(begun.elapsed() < Duration::from_secs(1_800), "calls are still to be made after half an hour");
    }
    api.completed(&campaign, Duration::from_secs(120)).await;

    let (jobs, log) = (api.jobs(&campaign).await, site.twilio.log());
    let verdict = judge(&log, &numbers, &jobs);
    let most = most_in_a_second(&log);
    let mut report = Report::new(&format!("chaos-{}", keeper.name()));
    report.line(&format!(
        "chaos soak, {} store, seed {SEED}, {servers} servers, {workers} workers, {:.0} s: {blows:?}; {} restarts of processes that \
         had ended by themselves; {} jobs, {} calls made, {} doubled, {} lost, {} quarantined; at pace {pace} at most {most} \
         requests in a second at the far side",
        keeper.name(),
        begun.elapsed().as_secs_f64(),
        troupe.replaced,
        jobs.len(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
    ));
    report.line(&format!("{:#?}", ends(&jobs)));
    report.print();
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
    assert_eq!(jobs.len(), gyms);
    assert!(most <= pace as usize + 1, "{most} requests in one second");
}

/// How many jobs wait to be called; none if nobody says it.
async fn waiting(api: &Api, campaign: &str) -> Option<u64> {
    let shown: Value = api.try_get(&format!("/v1/campaigns/{campaign}")).await.ok()?;
    shown["counters"]["waiting"].as_u64()
}

/// One blow; says what it was.
async fn strike(troupe: &mut Troupe, site: &mut Site, dice: &mut StdRng) -> &'static str {
    let short = Duration::from_millis(dice.random_range(500..3_000));
    match dice.random_range(0..100) {
        0..10 => {
            site.wires_become(Wire::Reset);
            tokio::time::sleep(Duration::from_millis(300)).await;
            site.wires_become(Wire::Clear);
            "wires reset"
        }
        10..20 => {
            site.to_server.becomes(Wire::SwallowReplies);
            tokio::time::sleep(Duration::from_millis(300)).await;
            site.to_server.becomes(Wire::Clear);
            "webhooks' replies swallowed"
        }
        20..35 if site.redis.is_some() => {
            let redis = site.redis.as_mut().unwrap();
            redis.kill();
            redis.begin().await;
            "redis killed"
        }
        35..42 if site.redis.is_some() => {
            let redis = site.redis.as_ref().unwrap();
            redis.signal("STOP");
            tokio::time::sleep(short).await;
            redis.signal("CONT");
            "redis stopped"
        }
        42..57 => {
            let victim = troupe.any(dice);
            victim.signal("STOP");
            tokio::time::sleep(short).await;
            victim.signal("CONT");
            "process stopped"
        }
        57..80 if troupe.workers() > 0 => {
            troupe.kill_worker(site, dice.random_range(0..troupe.workers())).await;
            "worker killed"
        }
        _ => {
            troupe.kill_server(site, dice.random_range(0..troupe.servers())).await;
            "server killed"
        }
    }
}
