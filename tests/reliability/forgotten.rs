//! A Redis that forgot: killed, and its file cut back to what it was a second and more before.

use std::time::Duration;

use gymcall_simulator::Event;
use jiff::Timestamp;

use super::attendant::Attendant;
use super::crowd;
use super::judge::judge;
use super::keeper::Keeper;
use super::kill::ends;
use super::report::{Report, is_soak};
use super::site::Site;
use super::troupe::Troupe;

/// How much is forgotten, at least.
const FORGOTTEN: Duration = Duration::from_secs(1);
const PACE: u32 = 8;
const LINES: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_its_last_second_makes_no_call_twice() {
    let (losses, gyms) = if is_soak() { (10, 200) } else { (2, 40) };
    let numbers = crowd::numbers(gyms);
    let faults = crowd::late_replies(300);
    let mut site = Site::start(Keeper::Redis, &crowd::quick_callees(&numbers), &faults, PACE, LINES).await;
    let troupe = Troupe::start(&site, 1, 1).await;
    let campaign = troupe.api().campaign(crowd::survey(), crowd::roster(&numbers)).await;
    troupe.api().start(&campaign).await;

    let _attendant = Attendant::of(&site, &campaign);
    let mut log = site.twilio.follow();
    let (mut cut, mut lost_at) = (0, Vec::new());
    for _ in 0..losses {
        // Calls are under way, and more is written than is forgotten.
        log.skip();
        log.until("a call", |event| matches!(event, Event::Create { sid: Some(_), .. })).await;
        let redis = site.redis.as_mut().unwrap();
        let before = std::fs::metadata(redis.growing_file()).unwrap().len();
        tokio::time::sleep(FORGOTTEN).await;
        redis.kill();
        lost_at.push(Timestamp::now().as_millisecond());
        let file = redis.growing_file();
        cut += std::fs::metadata(&file).unwrap().len() - before;
        std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(before).unwrap();
        redis.begin().await;
        // Until the next: dialling has begun again.
        log.skip();
        log.until("a call after the loss", |event| matches!(event, Event::Create { sid: Some(_), .. })).await;
    }
    troupe.api().completed(&campaign, Duration::from_secs(120)).await;

    let jobs = troupe.api().jobs(&campaign).await;
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    let forgotten =
        verdict.calls.iter().filter(|call| lost_at.iter().any(|at| (at - 1_000..*at).contains(&call.at_ms)));
    let mut report = Report::new("forgotten-redis");
    report.line(&format!(
        "a Redis that forgot: {losses} losses of a second and more, {cut} bytes cut off, {} calls made in those seconds; \
         {} jobs, {} calls made, {} doubled, {} lost, {} quarantined; {:?}",
        forgotten.count(),
        jobs.len(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
        ends(&jobs),
    ));
    report.print();
    assert!(cut > 0);
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
}
