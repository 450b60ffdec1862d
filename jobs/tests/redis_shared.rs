//! What processes that share one Redis share: the pace, the lines, the locks on numbers, and the times of campaigns.

use std::sync::Arc;

use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::ledger::{Firings, Ledger};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::schedule::Schedule;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::{Begun, Capacity, Gate, Refusal, Store};

use crate::contract::fixtures::*;
use crate::hand_clock::HandClock;
use crate::redis_server::RedisServer;

/// Two processes' ways to one server, and the clock of all three.
async fn two(server: &RedisServer) -> (RedisStore, RedisStore, Arc<HandClock>) {
    let clock = HandClock::new(start());
    let connect = async || {
        let store = RedisStore::with_clock(&server.url(), Durability::Strict, Some(clock.clone())).await;
        store.expect("the server is there")
    };
    (connect().await, connect().await, clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_pace() {
    let server = RedisServer::start();
    let (one, two, clock) = two(&server).await;
    let gate = Gate { account: Capacity { calls_per_second: 1.0, ..WIDE }, campaign: None };
    let first = add(&one, job(None, 1, start())).await;
    let second = add(&two, job(None, 2, start())).await;
    assert_eq!(begin(&one, first.id(), gate.clone()).await, Begun::Go);
    let Begun::Refused(Refusal::Pace(next)) = begin(&two, second.id(), gate.clone()).await else {
        panic!("the second process dials within the first one's second");
    };
    clock.set(next);
    assert_eq!(begin(&two, second.id(), gate).await, Begun::Go);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_lines_and_locks() {
    let server = RedisServer::start();
    let (one, two, _) = two(&server).await;
    let first = add(&one, job(None, 1, start())).await;
    let same = add(&two, job(None, 1, start())).await;
    let other = add(&two, job(None, 2, start())).await;
    let gate = Gate { account: Capacity { lines: 1, ..WIDE }, campaign: None };
    let read_before = read(&two, first.id()).await;
    assert_eq!(begin(&one, first.id(), gate.clone()).await, Begun::Go);
    let late = two.begin_dial(dial(&read_before, gate.clone(), start())).await.unwrap();
    assert_eq!(late, Begun::Refused(Refusal::Changed));
    let held = Refusal::NumberHeld(first.id().clone());
    assert_eq!(begin(&two, same.id(), gate.clone()).await, Begun::Refused(held));
    assert_eq!(begin(&two, other.id(), gate.clone()).await, Begun::Refused(Refusal::NoLine));
    end_busy(&one, first.id()).await;
    assert_eq!(begin(&two, other.id(), gate).await, Begun::Go);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_processes_that_share_a_store_one_begins_each_run() {
    let server = RedisServer::start();
    let (one, two, clock) = two(&server).await;
    let mut campaign = Campaign {
        schedule: Some(Schedule::once(start() + seconds(9))),
        next_fire: Some(start() + seconds(9)),
        ..campaign(CampaignState::Scheduled)
    };
    put_campaign(&one, &campaign, None).await;
    for number in 0..200 {
        add(&one, job(Some(&membership(&campaign)), number, start())).await;
    }
    let stores: [Arc<dyn Store>; 2] = [Arc::new(one), Arc::new(two)];
    let process = |store: &Arc<dyn Store>| {
        let (ledger, _) = Ledger::new(Arc::clone(store), Rules::default(), WIDE);
        Firings::new(ledger, chance)
    };
    let mut processes = [process(&stores[0]), process(&stores[1]), process(&stores[0]), process(&stores[1])];
    for night in 1_u32..=4 {
        let due_at = start() + seconds(i64::from(night) * 9);
        if night > 1 {
            let stored = stores[0].campaign(&campaign.id).await.unwrap().unwrap();
            campaign = Campaign { next_fire: Some(due_at), ..stored.record };
            put_campaign(&*stores[0], &campaign, Some(stored.version)).await;
        }
        clock.set(due_at);
        for _ in 0..2 {
            let fired = futures_util::future::join_all(processes.iter_mut().map(Firings::once)).await;
            assert!(fired.iter().all(Result::is_ok), "{fired:?}");
        }
        let runs = stores[1].runs(&campaign.id, None, 10).await.unwrap().items;
        assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), (1..=night).rev().collect::<Vec<_>>());
        assert_eq!(stores[1].counts(&runs[0].id).await.unwrap().total(), 200);
    }
}
