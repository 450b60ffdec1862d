//! The pace: never too many in any second, and as many as are allowed.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::{Begun, Capacity, Gate, Refusal};
use jiff::{SignedDuration, Timestamp};

use super::Keeper;
use super::fixtures::*;

/// Dials `calls` jobs as fast as the store lets a caller that comes when it is told to come, or
/// `late` microseconds after that. Answers when each began.
async fn dial_all(keeper: &impl Keeper, per_second: f64, calls: u32, late: impl Fn(u32) -> i64) -> Vec<Timestamp> {
    let store = &*keeper.store();
    for number in 0..calls {
        add(store, job(None, number, start())).await;
    }
    let account = Capacity { calls_per_second: per_second, ..WIDE };
    let gate = Gate { account, campaign: None };
    let mut begun = Vec::new();
    let mut asked = 0;
    while begun.len() < calls as usize {
        asked += 1;
        assert!(asked < calls * 4, "asked {asked} times for {} calls: the store spins", begun.len());
        let due = store.due(account, 100).await.unwrap();
        let mut moved = false;
        for id in &due.jobs {
            if begin(store, id, gate.clone()).await == Begun::Go {
                begun.push(store.now());
                moved = true;
            }
        }
        if !moved {
            let again = due.again_at.expect("jobs are waiting");
            assert!(again > store.now(), "it must pass some time");
            keeper.set_clock(again + SignedDuration::from_micros(late(asked)));
        }
    }
    begun
}

fn assert_never_more_than(per_second: usize, begun: &[Timestamp]) {
    for calls in begun.windows(per_second + 1) {
        let took = calls[per_second].duration_since(calls[0]);
        assert!(took >= seconds(1), "{} calls within {took:?}", per_second + 1);
    }
}

/// What part of the allowed calls were begun.
fn used(per_second: f64, begun: &[Timestamp]) -> f64 {
    let took = begun[begun.len() - 1].duration_since(begun[0]).as_secs_f64();
    (begun.len() - 1) as f64 / (took * per_second)
}

async fn keeps_pace(keeper: &impl Keeper, per_second: u32, calls: u32) {
    let begun = dial_all(keeper, f64::from(per_second), calls, |_| 0).await;
    assert_never_more_than(per_second as usize, &begun);
    let used = used(f64::from(per_second), &begun);
    assert!(used >= 0.99, "only {used:.4} of the pace was used");
}

pub async fn one_call_a_second(keeper: impl Keeper) {
    keeps_pace(&keeper, 1, 60).await;
}

pub async fn five_calls_a_second(keeper: impl Keeper) {
    keeps_pace(&keeper, 5, 200).await;
}

pub async fn fifty_calls_a_second(keeper: impl Keeper) {
    keeps_pace(&keeper, 50, 600).await;
}

pub async fn late_callers_never_make_it_too_many(keeper: impl Keeper) {
    let begun = dial_all(&keeper, 20.0, 300, |asked| i64::from(asked * 7_919 % 30_000)).await;
    assert_never_more_than(20, &begun);
}

pub async fn a_campaign_has_a_pace_of_its_own(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let gate = campaign_gate(WIDE, &campaign.id, Some(2.0), None);
    let one = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    let two = add(store, job(Some(&membership(&campaign)), 2, start())).await;
    let single = add(store, job(None, 3, start())).await;
    assert_eq!(begin(store, one.id(), gate.clone()).await, Begun::Go);
    let Begun::Refused(Refusal::Pace(next)) = begin(store, two.id(), gate.clone()).await else {
        panic!("too early");
    };
    assert_eq!(begin(store, single.id(), wide_gate()).await, Begun::Go);
    keeper.set_clock(next);
    assert_eq!(begin(store, two.id(), gate).await, Begun::Go);
}

pub async fn a_refused_caller_is_told_when(keeper: impl Keeper) {
    let store = &*keeper.store();
    let one = add(store, job(None, 1, start())).await;
    let two = add(store, job(None, 2, start())).await;
    let account = Capacity { calls_per_second: 1.0, ..WIDE };
    let gate = Gate { account, campaign: None };
    assert_eq!(begin(store, one.id(), gate.clone()).await, Begun::Go);
    let Begun::Refused(Refusal::Pace(next)) = begin(store, two.id(), gate.clone()).await else {
        panic!("too early");
    };
    assert!(next >= start() + seconds(1) && next <= start() + SignedDuration::from_millis(1_010), "{next}");
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!((due.jobs.len(), due.again_at), (0, Some(next)), "nobody asks in vain before");
    keeper.set_clock(next);
    assert_eq!(store.due(account, 10).await.unwrap().jobs, [two.id().clone()]);
    assert_eq!(begin(store, two.id(), gate).await, Begun::Go);
}
