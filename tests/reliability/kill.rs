//! The promise under `kill -9` again and again: no gym is dialled twice for one attempt, and no job is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use gymcall_simulator::Event;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::crowd;
use super::judge::{Call, judge};
use super::keeper::Keeper;
use super::report::{Report, is_soak};
use super::server::Server;
use super::site::Site;

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
    let (kills, gyms) = if is_soak() { (20, 300) } else { (5, 80) };
    let numbers = crowd::numbers(gyms);
    let faults = crowd::late_replies(REPLY_AFTER_MS);
    let site = Site::start(Keeper::Embedded, &crowd::quick_callees(&numbers), &faults, PACE, LINES).await;
    let mut server = Server::start(site.serve()).await;
    let campaign = server.api.campaign(crowd::survey(), crowd::roster(&numbers)).await;
    server.api.start(&campaign).await;

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
        server.kill();
        killed_at.push(Timestamp::now().as_millisecond());
        server = Server::start(site.serve()).await;
    }
    server.api.completed(&campaign, Duration::from_secs(120)).await;

    let jobs = server.api.jobs(&campaign).await;
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    let mut died = 0;
    for job in &jobs {
        let events = server.api.events(job["id"].as_str().unwrap()).await;
        died += events.iter().filter(|event| event["event"] == "dialer_died" && event["ignored"].is_null()).count();
    }
    let in_flight: Vec<usize> = killed_at.iter().map(|at| in_flight_at(&verdict.calls, *at)).collect();
    let while_dialling = in_flight.iter().filter(|requests| **requests > 0).count();
    let mut report = Report::new("kill-embedded");
    report.line(&format!(
        "kill test, embedded store, seed {SEED}: {kills} kills, {while_dialling} of them while dialling \
         ({in_flight:?} requests in flight, {died} jobs found dialling); {} jobs, {} calls made, {} doubled, {} lost, \
         {} quarantined",
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
    assert!(died > 0);
    server.terminate();
    server.ended().await.expect(0);
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
