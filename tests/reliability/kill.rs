//! The promise under `kill -9` again and again: no gym is dialled twice for one attempt, and no job is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use gymcall_simulator::Event;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::attendant::Attendant;
use super::crowd;
use super::judge::{Call, judge};
use super::keeper::Keeper;
use super::report::{Report, is_soak};
use super::site::Site;
use super::troupe::Troupe;

const SEED: u64 = 20_260_314;
/// How late Twilio's reply to a request for a call is. The call and its line in the log are there from the start,
/// so a process that is killed within this time after the line dies while it dials.
const REPLY_AFTER_MS: i64 = 300;
/// How long after one kill the next one comes, in ms.
const APART_MS: std::ops::Range<u64> = 2_000..4_000;
const PACE: u32 = 6;
const LINES: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_doubled_and_no_job_lost_when_the_server_is_killed_again_and_again() {
    run(Keeper::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_doubled_and_no_job_lost_when_worker_and_server_on_redis_are_killed_in_turn() {
    run(Keeper::Redis).await;
}

async fn run(keeper: Keeper) {
    let (kills, gyms) = if is_soak() { (20, 300) } else { (5, 80) };
    let numbers = crowd::numbers(gyms);
    let faults = crowd::late_replies(REPLY_AFTER_MS);
    let site = Site::start(keeper, &crowd::quick_callees(&numbers), &faults, PACE, LINES).await;
    let mut troupe = Troupe::start(&site, 1, usize::from(keeper == Keeper::Redis)).await;
    let campaign = troupe.api().campaign(crowd::survey(), crowd::roster(&numbers)).await;
    troupe.api().start(&campaign).await;
    let _attendant = Attendant::of(&site, &campaign);

    let mut log = site.twilio.follow();
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut killed_at = Vec::new();
    for nth in 0..kills {
        tokio::time::sleep(Duration::from_millis(dice.random_range(APART_MS))).await;
        // Two of three as soon as a call is on record: its reply is still to come. The others at any moment.
        if nth % 3 != 2 {
            log.skip();
            log.until("a call", |event| matches!(event, Event::Create { sid: Some(_), .. })).await;
        }
        killed_at.push(Timestamp::now().as_millisecond());
        match troupe.workers() {
            1 if nth % 2 == 0 => troupe.kill_worker(&site, 0).await,
            _ => troupe.kill_server(&site, 0).await,
        }
    }
    let api = troupe.api();
    api.completed(&campaign, Duration::from_secs(120)).await;

    let jobs = api.jobs(&campaign).await;
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    let in_flight: Vec<usize> = killed_at.iter().map(|at| in_flight_at(&verdict.calls, *at)).collect();
    let while_dialling = in_flight.iter().filter(|requests| **requests > 0).count();
    let mut report = Report::new(&format!("kill-{}", keeper.name()));
    report.line(&format!(
        "kill test, {} store, seed {SEED}: {kills} kills, {while_dialling} of them while dialling \
         ({in_flight:?} requests in flight); {} jobs, {} calls made, {} doubled, {} lost, {} quarantined",
        keeper.name(),
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
    // Otherwise the test has become too kind to show anything.
    assert!(while_dialling * 4 >= kills, "{in_flight:?}");
}

/// How many requests for calls were unanswered at this time.
pub fn in_flight_at(calls: &[Call], at_ms: i64) -> usize {
    calls.iter().filter(|call| call.at_ms <= at_ms && at_ms < call.at_ms + REPLY_AFTER_MS).count()
}

/// How many jobs ended in which way.
pub fn ends(jobs: &[Value]) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for job in jobs {
        *ends.entry(format!("{} {} {}", job["status"], job["disposition"], job["ended_reason"])).or_default() += 1;
    }
    ends
}
