//! The life of a job as a user of apalis-redis would write it: the queue carries the task, and the handler keeps
//! the call's state in a hash of its own. Speaks with the bench over its pipes: `ready`, go, `done`, check, `checked`.
//!
//! usage: gymcall-peer-apalis PORT JOBS AT_ONCE

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

const QUEUE: &str = "calls";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Call {
    number: usize,
    phone_number: String,
    gym_name: String,
}

impl Call {
    fn key(number: usize) -> String {
        format!("call:{number}")
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let [port, jobs, at_once] = [(); 3].map(|()| arguments.next().expect("PORT JOBS AT_ONCE"));
    let mut words = BufReader::new(tokio::io::stdin()).lines();
    let mut store = apalis_redis::connect(format!("redis://127.0.0.1:{port}")).await?;
    // Its worker looks for work only after its own news and at its heartbeat, which comes every 30 s by default.
    // As long as by default it may be silent before its tasks are given to others.
    let config = Config::default()
        .queue(QUEUE)
        .batch_size(at_once)
        .heartbeat_interval(Duration::from_millis(10))
        .missed_heartbeats(30_000);
    let storage = RedisStorage::<Call>::new(store.clone()).with_config(config.clone());
    let worker = WorkerBuilder::new("caller")
        .backend(storage.clone())
        .concurrency(at_once)
        .data(store.clone())
        .parallelize(tokio::spawn)
        .build(call);
    let running = tokio::spawn(worker.run());
    tokio::spawn(async move {
        if let Ok(Err(error)) = running.await {
            eprintln!("the worker ended: {error}");
            std::process::exit(1);
        }
    });

    println!("ready");
    word(&mut words).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..at_once).map(|_| tokio::spawn(push(storage.clone(), next.clone(), jobs))).collect();
    for client in clients {
        client.await??;
    }
    while store.scard::<_, usize>(config.done_jobs_set()).await? < jobs {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("done");

    word(&mut words).await?;
    for number in 0..jobs {
        let call: HashMap<String, String> = store.hgetall(Call::key(number)).await?;
        let whole = call["status"] == "completed"
            && call["runs"] == "1"
            && call.contains_key("answer")
            && call.contains_key("report");
        if !whole {
            return Err(format!("job {number} is {call:?}").into());
        }
    }
    println!("checked {}", store.scard::<_, usize>(config.done_jobs_set()).await?);
    Ok(())
}

async fn word(words: &mut Lines<BufReader<Stdin>>) -> Result<(), BoxDynError> {
    words.next_line().await?.map(drop).ok_or_else(|| "the bench is gone".into())
}

async fn push(mut storage: RedisStorage<Call>, next: Arc<AtomicUsize>, jobs: usize) -> Result<(), BoxDynError> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= jobs {
            return Ok(());
        }
        let phone_number = format!("+1212{number:07}");
        storage.push(Call { number, phone_number, gym_name: String::new() }).await?;
    }
}

async fn call(call: Call, store: Data<ConnectionManager>) -> Result<(), BoxDynError> {
    let mut store = (*store).clone();
    let key = Call::key(call.number);
    let sid = format!("CA{:032}", call.number);
    // The count of runs rides along: nothing else would show a job that was run twice.
    let mut created = redis::pipe();
    created.hincr(&key, "runs", 1).ignore();
    created.hset_multiple(&key, &[("sid", sid.as_str()), ("phone_number", &call.phone_number)]).ignore();
    created.query_async::<()>(&mut store).await?;
    for status in ["initiated", "ringing", "in-progress"] {
        let _: usize = store.hset(&key, "status", status).await?;
    }
    let answer = serde_json::json!({"key": "day_pass_price", "amount": "15.00", "currency": "USD",
        "quote": "a day pass is 15 dollars", "from_ms": 4000, "to_ms": 5000});
    let _: usize = store.hset(&key, "answer", answer.to_string()).await?;
    let report = serde_json::json!({"disposition": "answered_full", "ended_reason": "agent_hangup",
        "answered_by": "human"});
    let _: usize = store.hset(&key, "report", report.to_string()).await?;
    let _: usize = store.hset(&key, "status", "completed").await?;
    Ok(())
}
