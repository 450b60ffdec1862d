//! The durable life of a job on the embedded store, against the same disk work without any logic.
//!
//! One life is: accepted, dial begun, created, four status callbacks, one answer, the report. That is nine
//! durable writes. Three ways to make as many, in turn, several rounds, medians printed:
//!
//! - **ours**: through the ledger, many jobs at once, as in a running server;
//! - **limit**: nine rows of about the same size for each life, 64 rows a transaction, one thread, no logic;
//! - **plain**: the same rows with a transaction for each, as a simple program would.
//!
//! Absolute figures mean nothing on a shared machine; the ratios are what to look at. Every round checks that all
//! jobs ended as they should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark is a program for people"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use gymcall_jobs::phone::{PhoneNumber, PhoneRules};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::sqlite::SqliteStore;
use gymcall_jobs::store::{Begun, Capacity, Store};

const LIVES: usize = 2_000;
const AT_ONCE: usize = 64;
const WRITES: usize = 9;
const ROUNDS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (mut ours, mut limit, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(runtime.block_on(lives()));
        limit.push(rows(64));
        plain.push(rows(1));
    }
    let (ours, limit, plain) = (median(ours), median(limit), median(plain));
    let rate = |time: Duration| LIVES as f64 / time.as_secs_f64();
    println!("{LIVES} lives of {WRITES} durable writes, {AT_ONCE} at once, median of {ROUNDS} rounds");
    println!("  ours   {:>9.0} lives/s", rate(ours));
    println!("  limit  {:>9.0} lives/s   ours/limit {:.2}", rate(limit), limit.as_secs_f64() / ours.as_secs_f64());
    println!("  plain  {:>9.0} lives/s   ours/plain {:.2}", rate(plain), plain.as_secs_f64() / ours.as_secs_f64());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn lives() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), Arc::new(SystemClock)).unwrap());
    let capacity = Capacity { calls_per_second: 1e6, lines: 1_000_000 };
    let (ledger, _orders) = Ledger::new(store, Rules::default(), capacity);
    let start = Instant::now();
    let clients = (0..AT_ONCE).map(|client| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for number in (client..LIVES).step_by(AT_ONCE) {
                live(&ledger, number).await;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    start.elapsed()
}

async fn live(ledger: &Ledger, number: usize) {
    let areas = [
        "212", "213", "312", "415", "512", "617", "702", "713", "206", "303", "404", "305", "214", "215", "216", "313",
        "314", "414", "503", "504",
    ];
    let phone = format!("+1{}555{:04}", areas[number / 100 % areas.len()], 100 + number % 100);
    let phone = PhoneNumber::parse(&phone, None, &PhoneRules::default()).unwrap();
    let id = JobId::new(ledger.now(), rand::random());
    let tag = Tag::new(rand::random());
    let call: CallSid = format!("CA{:032x}", rand::random::<u128>()).parse().unwrap();
    let now = ledger.now();
    ledger.accept(CallJob::new(id.clone(), None, Gym::new(phone), now, now), None).await.unwrap();
    while ledger.begin_dial(&id, tag.clone()).await.unwrap().0 != Begun::Go {}
    ledger.tell(&id, Event::Created { tag: tag.clone(), call: call.clone() }).await.unwrap();
    let answer = Answer {
        key: "day_pass_price".to_owned(),
        value: AnswerValue::Money { amount: "15.00".to_owned(), currency: "USD".to_owned() },
        quote: "a day pass is 15 dollars".to_owned(),
        from_ms: 4_000,
        to_ms: 5_000,
    };
    let report = Report {
        disposition: Disposition::AnsweredFull,
        ended_reason: EndedReason::AgentHangup,
        answered_by: AnsweredBy::Human,
    };
    let news = |status| Event::CallNews {
        tag: Some(tag.clone()),
        call: call.clone(),
        status,
        at: None,
        duration_s: None,
        price: None,
        answered_by: None,
    };
    for event in [
        news(CallStatus::Initiated),
        news(CallStatus::Ringing),
        news(CallStatus::InProgress),
        Event::AnswerHeard { tag: tag.clone(), call: call.clone(), answer },
        Event::Reported { tag: tag.clone(), call: call.clone(), report },
        news(CallStatus::Completed),
    ] {
        ledger.tell(&id, event).await.unwrap();
    }
    let job = ledger.store().job(&id).await.unwrap().unwrap().record;
    assert!(job.outcome().is_some(), "a job did not end");
}

/// As many rows as the lives have writes, so many a transaction.
fn rows(each: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut db = rusqlite::Connection::open(folder.path().join("plain.sqlite3")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.pragma_update(None, "synchronous", "full").unwrap();
    db.execute("create table rows (number integer primary key, record text)", []).unwrap();
    let record = "x".repeat(900);
    let total = LIVES * WRITES;
    let start = Instant::now();
    for first in (0..total).step_by(each) {
        let transaction = db.transaction().unwrap();
        for number in first..(first + each).min(total) {
            let mut insert = transaction.prepare_cached("insert or replace into rows values (?1, ?2)").unwrap();
            insert.execute((i64::try_from(number / WRITES).unwrap(), &record)).unwrap();
        }
        transaction.commit().unwrap();
    }
    start.elapsed()
}
