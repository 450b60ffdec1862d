//! Ours, as a contestant of its own process.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use apalis::layers::catch_panic::CatchPanicLayer;
use apalis::prelude::*;
use futures_util::future::join_all;
use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::due::{DueJob, DueJobs};
use gymcall_jobs::event::Event;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use gymcall_jobs::phone::{PhoneNumber, PhoneRules};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::sqlite::SqliteStore;
use gymcall_jobs::store::{Begun, Capacity, Store};
use tokio::sync::{Semaphore, mpsc};

use super::{AT_ONCE, own};
use crate::stand::contestant::Contestant;

/// Neither pace nor lines shall hold anything up.
pub const CAPACITY: Capacity = Capacity { calls_per_second: 1e6, lines: 1_000_000 };

/// Which of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Through the ledger, by whoever accepted the job.
    LedgerSqlite,
    /// Found and begun by the worker.
    WorkerSqlite,
    /// As the first, on Redis.
    LedgerRedis,
    /// As the second, on Redis.
    WorkerRedis,
    /// On Redis, one alone, and another before it, so that everything is known: for recording.
    OneRedis,
}

const KINDS: [(&str, Kind); 5] = [
    ("ledger-sqlite", Kind::LedgerSqlite),
    ("worker-sqlite", Kind::WorkerSqlite),
    ("ledger-redis", Kind::LedgerRedis),
    ("worker-redis", Kind::WorkerRedis),
    ("one-redis", Kind::OneRedis),
];

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = KINDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| format!("no such contestant: {text}"))
    }
}

pub fn contestant(name: &'static str, kind: Kind, jobs: usize) -> Contestant {
    let with_redis = !matches!(kind, Kind::LedgerSqlite | Kind::WorkerSqlite);
    let command = move |port: u16, folder: &Path, jobs: usize| {
        let port = port.to_string();
        let place = if with_redis { Path::new(&port) } else { folder };
        own([Path::new(word(kind)), place, jobs.to_string().as_ref()])
    };
    Contestant { name, jobs, with_redis, command: Box::new(command), check: Box::new(|_, _| Ok(())) }
}

pub fn word(kind: Kind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map(|(word, _)| *word).unwrap()
}

/// Says a word; before all but the last, waits for the bench's.
pub fn step(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().lock().read_line(&mut String::new());
}

pub fn contest(kind: Kind, place: &str, jobs: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = match kind {
            Kind::LedgerSqlite | Kind::WorkerSqlite => {
                Arc::new(SqliteStore::open(Path::new(place), Arc::new(SystemClock)).unwrap())
            }
            Kind::LedgerRedis | Kind::WorkerRedis | Kind::OneRedis => {
                let url = format!("redis://127.0.0.1:{place}/");
                Arc::new(RedisStore::connect(&url, Durability::Strict).await.unwrap())
            }
        };
        let (ledger, _orders) = Ledger::new(store, Rules::default(), CAPACITY);
        let ids = match kind {
            Kind::LedgerSqlite | Kind::LedgerRedis => by_ledger(&ledger, jobs).await,
            Kind::WorkerSqlite | Kind::WorkerRedis => by_worker(&ledger, jobs).await,
            Kind::OneRedis => one(&ledger).await,
        };
        println!("checked {}", whole(&ledger, &ids).await);
    });
}

/// Everybody who accepts a job sees it through.
async fn by_ledger(ledger: &Ledger, jobs: usize) -> Vec<JobId> {
    step("ready");
    let clients = (0..AT_ONCE).map(|client| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for number in (client..jobs).step_by(AT_ONCE) {
                let id = accept(&ledger, number).await;
                live(&ledger, &id).await;
                ids.push(id);
            }
            ids
        })
    });
    let ids = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    step("done");
    ids
}

/// One life, and one before it; says by what names the second is known.
async fn one(ledger: &Ledger) -> Vec<JobId> {
    let before = accept(ledger, 0).await;
    live(ledger, &before).await;
    step("ready");
    let id = accept(ledger, 1).await;
    live(ledger, &id).await;
    let job = ledger.store().job(&id).await.unwrap().unwrap().record;
    let attempt = &job.attempts()[0];
    println!("names {id} {} {} {}", attempt.tag.as_str(), attempt.call.as_ref().unwrap(), job.gym().phone.as_str());
    step("done");
    vec![id]
}

/// What a handler needs.
#[derive(Clone)]
struct Desk {
    ledger: Ledger,
    lives: Arc<Semaphore>,
    ended: mpsc::UnboundedSender<()>,
}

/// The worker finds the jobs, as it does in the program; its task ends when the call is placed.
async fn by_worker(ledger: &Ledger, jobs: usize) -> Vec<JobId> {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let desk = Desk { ledger: ledger.clone(), lives: Arc::new(Semaphore::new(AT_ONCE)), ended };
    let worker = WorkerBuilder::new("dialler")
        .backend(DueJobs::of(Arc::clone(ledger.store()), CAPACITY))
        .layer(CatchPanicLayer::new())
        .data(desk)
        .build(dial);
    let worker = tokio::spawn(worker.run());
    step("ready");
    let clients = (0..AT_ONCE).map(|client| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for number in (client..jobs).step_by(AT_ONCE) {
                ids.push(accept(&ledger, number).await);
            }
            ids
        })
    });
    let ids = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    for _ in 0..jobs {
        ends.recv().await.unwrap();
    }
    step("done");
    worker.abort();
    ids
}

async fn dial(due: DueJob, desk: Data<Desk>) {
    let desk = (*desk).clone();
    let life = Arc::clone(&desk.lives).acquire_owned().await.unwrap();
    let dial = tokio::spawn(async move {
        let Some((tag, call)) = place(&desk.ledger, due.id()).await else { return };
        let id = due.id().clone();
        drop(due);
        tokio::spawn(async move {
            follow(&desk.ledger, &id, tag, call).await;
            drop(life);
            desk.ended.send(()).unwrap();
        });
    });
    dial.await.unwrap();
}

async fn accept(ledger: &Ledger, number: usize) -> JobId {
    let areas = [
        "212", "213", "312", "415", "512", "617", "702", "713", "206", "303", "404", "305", "214", "215", "216", "313",
        "314", "414", "503", "504", "601", "602", "603", "605", "606", "607", "608", "609", "610", "612", "614", "615",
        "616", "618", "619", "620", "623", "626", "630", "631",
    ];
    let phone = format!("+1{}555{:04}", areas[number / 100 % areas.len()], 100 + number % 100);
    let phone = PhoneNumber::parse(&phone, None, &PhoneRules::default()).unwrap();
    let id = JobId::new(ledger.now(), rand::random());
    let now = ledger.now();
    ledger.accept(CallJob::new(id.clone(), None, Gym::new(phone), now, now), None).await.unwrap();
    id
}

async fn live(ledger: &Ledger, id: &JobId) {
    loop {
        if let Some((tag, call)) = place(ledger, id).await {
            return follow(ledger, id, tag, call).await;
        }
    }
}

/// Begins a dial and records the call that came of it; none if it was not granted.
async fn place(ledger: &Ledger, id: &JobId) -> Option<(Tag, CallSid)> {
    let tag = Tag::new(rand::random());
    if ledger.begin_dial(id, tag.clone()).await.unwrap().0 != Begun::Go {
        return None;
    }
    let call: CallSid = format!("CA{:032x}", rand::random::<u128>()).parse().unwrap();
    ledger.tell(id, Event::Created { tag: tag.clone(), call: call.clone() }).await.unwrap();
    Some((tag, call))
}

async fn follow(ledger: &Ledger, id: &JobId, tag: Tag, call: CallSid) {
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
        ledger.tell(id, event).await.unwrap();
    }
}

/// How many jobs ended as they should, and have each of the nine steps in their history exactly once.
async fn whole(ledger: &Ledger, ids: &[JobId]) -> usize {
    let mut whole = 0;
    for id in ids {
        let job = ledger.store().job(id).await.unwrap().unwrap().record;
        let mut steps: BTreeMap<String, usize> = BTreeMap::new();
        for entry in ledger.store().entries(id, 0, 100).await.unwrap() {
            assert_eq!(entry.entry.ignored, None, "{id} has {entry:?}");
            *steps.entry(format!("{} {}", entry.entry.kind, entry.entry.detail["status"])).or_default() += 1;
        }
        if job.outcome().is_some() && steps.len() == 9 && steps.values().all(|times| *times == 1) {
            whole += 1;
        } else {
            eprintln!("{id} is {:?}, with {steps:?}", job.phase());
        }
    }
    whole
}
