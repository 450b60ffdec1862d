//! A server that is started anew, and one that has forgotten.

use std::sync::Arc;

use gymcall_jobs::id::JobId;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::{Begun, Doubt, Refusal, Store};
use jiff::SignedDuration;

use super::proxy::Proxy;
use crate::contract::fixtures::*;
use crate::redis_server::RedisServer;

async fn connect(server: &RedisServer) -> Arc<dyn Store> {
    connect_to(&server.url()).await
}

async fn connect_to(url: &str) -> Arc<dyn Store> {
    Arc::new(RedisStore::connect(url, Durability::Strict).await.unwrap())
}

async fn waiting(store: &dyn Store, number: u32) -> JobId {
    add(store, job(None, number, start())).await.id().clone()
}

/// Waits until the store is in doubt, or until it is not.
async fn doubt(store: &dyn Store, is: bool) -> Option<Doubt> {
    let mut doubts = store.doubts();
    let found =
        tokio::time::timeout(std::time::Duration::from_secs(20), doubts.wait_for(|doubt| doubt.is_some() == is));
    found.await.expect("the doubt changes").unwrap().clone()
}

#[tokio::test]
async fn a_restart_that_forgets_nothing_stops_nothing() {
    let mut server = RedisServer::start();
    let store = connect(&server).await;
    let (one, two) = (waiting(&*store, 1).await, waiting(&*store, 2).await);
    assert_eq!(begin(&*store, &one, wide_gate()).await, Begun::Go);
    server.restart();
    // No look, no beat in between: the first thing that goes over the new connection is the dial itself.
    let read = read(&*store, &two).await;
    assert_eq!(store.begin_dial(dial(&read, wide_gate(), store.now())).await.unwrap(), Begun::Go);
    assert_eq!(store.doubts().borrow().clone(), None);
}

#[tokio::test]
async fn a_server_that_forgot_lets_nobody_dial_until_its_calls_were_looked_up() {
    let mut server = RedisServer::start();
    let store = connect(&server).await;
    let known = waiting(&*store, 1).await;
    let size = server.append_only_size();
    let before = store.now();
    assert_eq!(begin(&*store, &known, wide_gate()).await, Begun::Go);
    server.kill();
    server.cut_append_only(size);
    server.restart();

    assert_eq!(begin(&*store, &known, wide_gate()).await, Begun::Refused(Refusal::InDoubt), "its dial was forgotten");
    let stranger = connect(&server).await;
    assert_eq!(begin(&*stranger, &known, wide_gate()).await, Begun::Refused(Refusal::InDoubt), "nor may others");
    let doubt_here = doubt(&*store, true).await.unwrap();
    assert!(doubt_here.since <= before, "{doubt_here:?} is after {before}");
    assert!(doubt_here.since >= before - SignedDuration::from_secs(30), "{doubt_here:?} is long before {before}");

    store.dispel(&doubt_here).await.unwrap();
    assert_eq!(begin(&*store, &known, wide_gate()).await, Begun::Go);
    // The others hear of it.
    assert_eq!(doubt(&*stranger, false).await, None);
}

#[tokio::test]
async fn what_was_forgotten_is_noticed_however_much_was_written_since() {
    let mut server = RedisServer::start();
    let proxy = Proxy::before(&server.socket()).await;
    let (absent, present) = (connect_to(&proxy.url()).await, connect(&server).await);
    let known = waiting(&*present, 1).await;
    let size = server.append_only_size();
    assert_eq!(begin(&*absent, &known, wide_gate()).await, Begun::Go);
    proxy.shut(true);
    server.kill();
    server.cut_append_only(size);
    server.restart();
    // The one that had nothing to lose cannot know that the other had, and waits for it.
    assert_eq!(begin(&*present, &known, wide_gate()).await, Begun::Refused(Refusal::InDoubt));
    // It goes on, and writes more than was lost.
    for number in 100..120 {
        waiting(&*present, number).await;
    }
    proxy.shut(false);
    assert!(doubt(&*absent, true).await.is_some());
    assert_eq!(begin(&*present, &known, wide_gate()).await, Begun::Refused(Refusal::InDoubt));
}

#[tokio::test]
async fn who_ended_in_order_is_waited_for_by_nobody() {
    let mut server = RedisServer::start();
    let stays = connect(&server).await;
    let leaves = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let job = waiting(&*stays, 1).await;
    leaves.close().await;
    server.restart();
    let read = read(&*stays, &job).await;
    assert_eq!(stays.begin_dial(dial(&read, wide_gate(), stays.now())).await.unwrap(), Begun::Go);
}

#[tokio::test]
async fn a_process_that_was_away_for_a_whole_life_cannot_vouch() {
    let mut server = RedisServer::start();
    let proxy = Proxy::before(&server.socket()).await;
    let (absent, present) = (connect_to(&proxy.url()).await, connect(&server).await);
    let before = present.now();
    let job = waiting(&*absent, 1).await;
    proxy.shut(true);
    server.restart();
    let found = doubt(&*present, true).await.unwrap();
    present.dispel(&found).await.unwrap();
    server.restart();
    assert_eq!(doubt(&*present, false).await, None);
    proxy.shut(false);
    let found = doubt(&*absent, true).await.unwrap();
    assert!(found.since <= before, "what it wrote before may be what was forgotten: {found:?} is after {before}");
    assert_eq!(begin(&*present, &job, wide_gate()).await, Begun::Refused(Refusal::InDoubt));
}

#[tokio::test]
async fn an_emptied_server_lets_nobody_dial() {
    let server = RedisServer::start();
    let store = connect(&server).await;
    waiting(&*store, 1).await;
    server.say("FLUSHALL");
    let new = waiting(&*store, 2).await;
    assert_eq!(begin(&*store, &new, wide_gate()).await, Begun::Refused(Refusal::InDoubt));
    let found = doubt(&*store, true).await.unwrap();
    store.dispel(&found).await.unwrap();
    assert_eq!(begin(&*store, &new, wide_gate()).await, Begun::Go);
}

#[tokio::test]
async fn where_everything_died_together_nobody_can_say_that_nothing_was_forgotten() {
    let mut server = RedisServer::start();
    let store = connect(&server).await;
    let job = waiting(&*store, 1).await;
    drop(store);
    server.restart();
    let store = connect(&server).await;
    assert_eq!(begin(&*store, &job, wide_gate()).await, Begun::Refused(Refusal::InDoubt));
    let found = doubt(&*store, true).await.unwrap();
    store.dispel(&found).await.unwrap();
    assert_eq!(begin(&*store, &job, wide_gate()).await, Begun::Go);
}
