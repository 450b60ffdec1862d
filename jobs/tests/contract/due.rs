//! What is handed out, and what the sweep is told.

use gymcall_jobs::campaign::{CampaignState, PausedReason};
use gymcall_jobs::event::Event;
use gymcall_jobs::store::{Begun, Capacity};

use super::Keeper;
use super::fixtures::*;

pub async fn only_running_campaigns_and_single_calls_are_due(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut campaigns = Vec::new();
    let states = [CampaignState::Draft, CampaignState::Paused(PausedReason::Manual), CampaignState::Cancelled];
    for (number, state) in (0..).zip(states) {
        let campaign = add_campaign(store, state).await;
        add(store, job(Some(&membership(&campaign)), number, start())).await;
        campaigns.push(campaign);
    }
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!((due.jobs.len(), due.again_at), (0, None), "nothing waits that may be dialled");
    let single = add(store, job(None, 9, start())).await;
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, [single.id().clone()]);
    for mut campaign in campaigns {
        campaign.state = CampaignState::Running;
        put_campaign(store, &campaign, Some(1)).await;
    }
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs.len(), 4);
}

pub async fn single_calls_come_first_and_then_the_longest_due(keeper: impl Keeper) {
    let store = &*keeper.store();
    let one = add_campaign(store, CampaignState::Running).await;
    let two = add_campaign(store, CampaignState::Running).await;
    let (one, two) = (membership(&one), membership(&two));
    let mut wanted = Vec::new();
    for (number, (membership, ago)) in
        (0..).zip([(Some(&one), 10), (Some(&two), 40), (None, 20), (Some(&one), 50), (Some(&two), 30)])
    {
        let id = add(store, job(membership, number, start() - seconds(ago))).await.id().clone();
        wanted.push((membership.is_some(), -ago, id));
    }
    wanted.sort();
    let wanted: Vec<_> = wanted.into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, wanted);
    assert_eq!(store.due(WIDE, 2).await.unwrap().jobs, wanted[..2]);
}

pub async fn nothing_is_due_before_its_time(keeper: impl Keeper) {
    let store = &*keeper.store();
    let later = start() + seconds(90);
    let job = add(store, job(None, 1, later)).await;
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!((due.jobs.len(), due.again_at), (0, Some(later)));
    keeper.set_clock(later);
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, [job.id().clone()]);
    tell(store, job.id(), Event::Cancel).await;
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!((due.jobs.len(), due.again_at), (0, None));
}

pub async fn no_more_is_handed_out_than_can_begin(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut jobs = Vec::new();
    for number in 0..6 {
        jobs.push(add(store, job(None, number, start())).await.id().clone());
    }
    let lines = Capacity { lines: 3, ..WIDE };
    assert_eq!(store.due(lines, 10).await.unwrap().jobs.len(), 3);
    assert_eq!(begin(store, &jobs[0], wide_gate()).await, Begun::Go);
    assert_eq!(store.due(lines, 10).await.unwrap().jobs.len(), 2);
    let full = Capacity { lines: 1, ..WIDE };
    assert!(store.due(full, 10).await.unwrap().jobs.is_empty());
    let paced = Capacity { calls_per_second: 5.0, ..WIDE };
    assert_eq!(store.due(paced, 10).await.unwrap().jobs.len(), 1);
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs.len(), 5);
}

pub async fn a_full_campaign_does_not_hold_up_the_others(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut full = campaign(CampaignState::Running);
    full.policy.max_concurrent_calls = Some(1);
    put_campaign(store, &full, None).await;
    let first = add(store, job(Some(&membership(&full)), 0, start() - seconds(60))).await;
    for number in 1..20 {
        add(store, job(Some(&membership(&full)), number, start() - seconds(60))).await;
    }
    let other = add(store, job(None, 50, start())).await;
    let gate = campaign_gate(WIDE, &full.id, None, Some(1));
    assert_eq!(begin(store, first.id(), gate).await, Begun::Go);
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, [other.id().clone()]);
}

pub async fn deadlines_are_found_in_order(keeper: impl Keeper) {
    let store = &*keeper.store();
    assert_eq!(store.overdue(10).await.unwrap(), Default::default());
    let mut jobs = Vec::new();
    for number in 0..3 {
        keeper.set_clock(start() + seconds(i64::from(number)));
        let id = add(store, job(None, number, start())).await.id().clone();
        assert_eq!(begin(store, &id, wide_gate()).await, Begun::Go);
        jobs.push(id);
    }
    // The dial deadline and its grace.
    let limit = seconds(12);
    let overdue = store.overdue(10).await.unwrap();
    assert_eq!((overdue.jobs.len(), overdue.again_at), (0, Some(start() + limit)));
    keeper.set_clock(start() + limit + seconds(1));
    let overdue = store.overdue(10).await.unwrap();
    assert_eq!((overdue.jobs, overdue.again_at), (jobs[..2].to_vec(), Some(start() + limit + seconds(2))));
    assert_eq!(store.overdue(1).await.unwrap().jobs, jobs[..1]);
    end_busy(store, &jobs[0]).await;
    assert_eq!(store.overdue(10).await.unwrap().jobs, jobs[1..2]);
}

pub async fn open_jobs_are_those_with_a_call_under_way(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut open = Vec::new();
    for number in 0..7 {
        let id = add(store, job(None, number, start())).await.id().clone();
        if number % 3 == 0 {
            assert_eq!(begin(store, &id, wide_gate()).await, Begun::Go);
            open.push(id);
        } else if number % 3 == 1 {
            tell(store, &id, Event::Cancel).await;
        }
    }
    let first = store.open_jobs(None, 2).await.unwrap();
    let second = store.open_jobs(first.next, 2).await.unwrap();
    assert_eq!(second.next, None);
    let found: Vec<_> = first.items.iter().chain(&second.items).map(|stored| stored.record.id().clone()).collect();
    assert_eq!(found, open);
}
