//! One writer, many callers.

use futures_util::future::join_all;
use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::{Begun, Capacity, Gate, Store, StoreError};
use jiff::SignedDuration;

use crate::contract::Keeper;
use crate::contract::fixtures::*;
use crate::sqlite_store::SqliteKeeper;

#[tokio::test]
async fn callers_that_wait_together_share_a_commit() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let before = store.transactions();
    let writes = (0..64).map(|number| store.commit(write_of(&job(None, number, start()), None)));
    for written in join_all(writes).await {
        written.unwrap();
    }
    let transactions = store.transactions() - before;
    assert!(transactions <= 32, "64 writes took {transactions} transactions");
}

#[tokio::test]
async fn a_refused_write_does_not_spoil_its_neighbours() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let known = add(store, job(None, 999, start())).await;
    let jobs: Vec<_> = (0..64).map(|number| job(None, number, start())).collect();
    let writes = jobs.iter().enumerate().map(|(index, job)| {
        let write = if index % 4 == 3 { write_of(&known, Some(7)) } else { write_of(job, None) };
        store.commit(write)
    });
    for (index, (written, job)) in join_all(writes).await.into_iter().zip(&jobs).enumerate() {
        if index % 4 == 3 {
            assert!(matches!(written, Err(StoreError::Conflict)), "{written:?}");
        } else {
            written.unwrap();
            assert_eq!(read(store, job.id()).await.record, *job);
        }
    }
}

#[tokio::test]
async fn lateness_is_made_up_for() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let account = Capacity { calls_per_second: 50.0, ..WIDE };
    let gate = Gate { account, campaign: None };
    let mut begun = Vec::new();
    for number in 0..400 {
        let id = add(store, job(None, number, start())).await.id().clone();
        while begin(store, &id, gate.clone()).await != Begun::Go {
            let again = store.due(account, 1).await.unwrap().again_at.unwrap();
            // As late as a busy machine's timers are.
            keeper.set_clock(again + SignedDuration::from_micros(i64::from(number * 37 % 2_000)));
        }
        begun.push(store.now());
    }
    for calls in begun.windows(51) {
        assert!(calls[50].duration_since(calls[0]) >= seconds(1));
    }
    let used = 399.0 / (50.0 * begun[399].duration_since(begun[0]).as_secs_f64());
    assert!(used >= 0.99, "only {used:.4} of the pace was used");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_calls() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let account = Capacity { calls_per_second: 2.0, ..WIDE };
    let gate = Gate { account, campaign: None };
    let past = start() - seconds(3_600);
    for number in 0..6 {
        let id = add(store, job(None, number, past)).await.id().clone();
        if number == 3 {
            keeper.set_clock(past);
        }
        assert_eq!(begin(store, &id, gate.clone()).await, Begun::Go);
        keeper.set_clock(store.now() + seconds(1));
    }
}

#[tokio::test]
async fn a_number_that_is_held_cannot_be_taken_by_a_plain_write() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let campaign = add_campaign(store, CampaignState::Running).await;
    let first = add(store, job(None, 1, start())).await;
    let second = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    assert_eq!(begin(store, first.id(), wide_gate()).await, Begun::Go);
    let mut forced = write_of(&second, Some(1));
    forced.job = Some(dial(&read(store, second.id()).await, wide_gate(), start()).job);
    let refused = store.commit(forced).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
}
