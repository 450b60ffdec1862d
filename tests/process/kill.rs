//! The promise under `kill -9`: no gym is dialled twice for one attempt, and no job is lost.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use gymcall_simulator::{Event, Status};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::judge::{Call, judge};
use super::local_twilio::{LocalTwilio, LogTail};
use super::server::{Server, port_to_keep, serve};

const SEED: u64 = 20_260_314;
const GYMS: usize = 100;
/// Area codes that exist; 555-0100 to 555-0199 belong to nobody in each.
const AREAS: [u32; 25] = [
    201, 202, 206, 212, 213, 214, 215, 303, 305, 312, 313, 404, 407, 412, 415, 503, 512, 602, 615, 617, 702, 713, 801,
    808, 907,
];
/// How late Twilio's reply to a request for a call is. The call and its line in the log are there from the start,
/// so a server that is killed within this time after the line dies while it dials.
const REPLY_AFTER_MS: i64 = 300;
/// So many calls have been made, more or less, when the server is killed.
const KILL_AT: [usize; 5] = [6, 25, 45, 65, 85];

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_doubled_and_no_job_lost_when_the_server_is_killed_five_times() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = numbers();
    // A callback that comes before the reply proves the call as well as the reply does, so every second call's
    // callbacks are late (and come twice): only those jobs are still dialling when the kill comes.
    let faults =
        format!("[[fault]]\ncreate_delay_ms = {REPLY_AFTER_MS}\n[[fault]]\nrate = 0.5\nlate_ms = 500\ntwice = true\n");
    let twilio = LocalTwilio::start(folder.path(), &quick_callees(&numbers), &faults, 20).await;
    let bind = format!("127.0.0.1:{}", port_to_keep());
    let command = || -> Command {
        let mut command = serve(folder.path(), &twilio.url);
        command.args(["--bind", &bind]);
        command
    };
    let mut server = Server::start(command()).await;
    let campaign = server.api.campaign(survey(), roster(&numbers)).await;
    server.api.start(&campaign).await;

    let mut log = twilio.follow();
    let mut dice = StdRng::seed_from_u64(SEED);
    let (mut made, mut killed_at) = (0, Vec::new());
    for (nth, about) in KILL_AT.into_iter().enumerate() {
        let target = about + dice.random_range(0..10);
        while made < target {
            log.until("more calls", |event| matches!(event, Event::Create { sid: Some(_), .. })).await;
            made += 1;
        }
        made += wait_for_moment(&mut log, nth).await;
        server.kill();
        killed_at.push(Timestamp::now().as_millisecond());
        server = Server::start(command()).await;
    }
    server.api.completed(&campaign, Duration::from_secs(90)).await;

    let jobs = server.api.jobs(&campaign).await;
    let verdict = judge(&twilio.log(), &numbers, &jobs);
    let mut died = 0;
    for job in &jobs {
        let events = server.api.events(job["id"].as_str().unwrap()).await;
        died += events.iter().filter(|event| event["event"] == "dialer_died" && event["ignored"].is_null()).count();
    }
    let in_flight: Vec<usize> = killed_at.iter().map(|at| in_flight_at(&verdict.calls, *at)).collect();
    println!(
        "seed {SEED}: {} kills, {} of them while dialling ({in_flight:?} requests in flight, {died} jobs found dialling); \
         {} jobs, {} calls made, {} doubled, {} lost, {} quarantined",
        killed_at.len(),
        in_flight.iter().filter(|requests| **requests > 0).count(),
        jobs.len(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
    );
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for job in &jobs {
        *ends.entry(format!("{} {} {}", job["status"], job["disposition"], job["ended_reason"])).or_default() += 1;
    }
    println!("{ends:#?}");
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
    assert_eq!(jobs.len(), GYMS);
    // Otherwise the test has become too kind to show anything.
    assert!(in_flight.iter().filter(|requests| **requests > 0).count() >= 3, "{in_flight:?}");
    assert!(died > 0);
    server.terminate();
    server.ended().await.expect(0);
}

/// Lets the log reach the moment of this kill; says how many calls were made meanwhile.
async fn wait_for_moment(log: &mut LogTail, nth: usize) -> usize {
    let made = std::cell::Cell::new(0);
    let count = |event: &Event, here: bool| {
        made.set(made.get() + usize::from(matches!(event, Event::Create { sid: Some(_), .. })));
        here
    };
    match nth {
        // As soon as a call is on record: its reply is still to come.
        0 | 3 => {}
        1 => {
            log.until("a pick-up", |event| {
                count(event, matches!(event, Event::Status { status: Status::InProgress, .. }))
            })
            .await;
        }
        2 => {
            log.until("words", |event| count(event, matches!(event, Event::Said { .. }))).await;
        }
        _ => {
            log.until("an end", |event| {
                count(event, matches!(event, Event::Status { status, .. } if status.is_final()))
            })
            .await;
        }
    }
    made.get()
}

/// How many requests for calls were unanswered at this time.
fn in_flight_at(calls: &[Call], at_ms: i64) -> usize {
    calls.iter().filter(|call| call.at_ms <= at_ms && at_ms < call.at_ms + REPLY_AFTER_MS).count()
}

fn numbers() -> Vec<String> {
    (0..GYMS).map(|nth| format!("+1{}55501{:02}", AREAS[nth % AREAS.len()], nth)).collect()
}

fn roster(numbers: &[String]) -> String {
    let rows = numbers.iter().enumerate().map(|(nth, number)| format!("Gym {nth},{number}\n"));
    format!("gym_name,phone_number\n{}", rows.collect::<String>())
}

/// A survey that is over in seconds.
fn survey() -> serde_json::Value {
    json!({
        "name": "Quick",
        "on_behalf_of": "us",
        "questions": [{"key": "open", "ask": "Are you open?", "type": "boolean"}],
        "policy": {"max_attempts": 4, "redial_after_minutes": 0.02},
    })
}

/// In turn: one answers, one is not interested, one is busy first, one misses the call first and then hangs up soon.
fn quick_callees(numbers: &[String]) -> String {
    let turn = |which: usize| -> Vec<&String> { numbers.iter().skip(which).step_by(4).collect() };
    format!(
        r#"
[default]
greeting = "Yes?"
rule = [{{ hears = ["open"], says = "Yes we are" }}]

[[callee]]
numbers = {:?}
greeting = "Yes?"
rule = [{{ says = "We are not interested" }}]

[[callee]]
numbers = {:?}
calls = [{{ end = "busy", after_ms = 150 }}, {{ end = "answer", after_ms = 200 }}]
greeting = "Yes?"
rule = [{{ hears = ["open"], says = "No" }}]

[[callee]]
numbers = {:?}
calls = [{{ end = "no_answer", after_ms = 500 }}, {{ end = "answer", after_ms = 200 }}]
greeting = "Yes?"
hangs_up_after_ms = 1200
"#,
        turn(1),
        turn(2),
        turn(3)
    )
}
