//! Counts and pages.

use std::collections::HashSet;

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::campaign::{CampaignState, Counts};
use gymcall_jobs::event::{Event, NonCreation};
use gymcall_jobs::id::JobId;
use gymcall_jobs::job::{CallJob, Phase, Status};
use gymcall_jobs::store::{JobQuery, Store, StoreError};
use gymcall_jobs::tally::Tally;

use super::Keeper;
use super::fixtures::*;

/// All jobs of a query, page by page; `between` runs after each.
async fn all(store: &dyn Store, query: JobQuery, mut between: impl AsyncFnMut()) -> Vec<CallJob> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.jobs(JobQuery { cursor, ..query.clone() }).await.unwrap();
        assert!(page.items.len() <= query.limit as usize);
        found.extend(page.items.into_iter().map(|stored| stored.record));
        between().await;
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

pub async fn counts_are_right_after_any_moves(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let mut jobs = Vec::new();
    for number in 0..12 {
        jobs.push(add(store, job(Some(&membership(&campaign)), number, start())).await.id().clone());
    }
    // A fixed walk that looks like none: the same on every machine.
    let mut walk: u64 = 0x2545_f491;
    for _ in 0..300 {
        walk = walk.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let id = &jobs[(walk >> 33) as usize % jobs.len()];
        let stored = read(store, id).await;
        let event = match (stored.record.phase(), (walk >> 50) % 4) {
            (Phase::Waiting { .. }, 3) => Event::Cancel,
            (Phase::Waiting { .. }, _) => {
                keeper.set_clock(stored.record.due().unwrap().max(store.now()));
                begin(store, id, wide_gate()).await;
                continue;
            }
            (Phase::Dialing { .. }, 0) => Event::DialerDied,
            (Phase::Dialing { tag, .. }, 1) => {
                let detail = "throttled".into();
                Event::NotCreated { tag: tag.clone(), why: NonCreation::TryAgain, detail }
            }
            (Phase::Dialing { tag, .. }, _) => Event::Created { tag: tag.clone(), call: call_sid() },
            (Phase::Unknown { look_up_at, .. }, _) => {
                keeper.set_clock((*look_up_at).max(store.now()));
                Event::Tick
            }
            (Phase::Placed { call, .. }, 1 | 2) => {
                let price = (walk >> 60 & 1 == 1).then(|| "-0.02800".to_owned());
                let (call, at, answered_by) = (call.clone(), Some(store.now()), None);
                let status = if price.is_some() { CallStatus::Completed } else { CallStatus::Failed };
                Event::CallNews { tag: None, call, status, at, duration_s: Some(61), price, answered_by }
            }
            (Phase::Placed { look_at, .. }, _) => {
                keeper.set_clock((*look_at).max(store.now()));
                Event::Tick
            }
            _ => continue,
        };
        tell(store, id, event).await;
    }
    let scanned = all(store, JobQuery { limit: 5, ..JobQuery::default() }, async || ()).await;
    let tally = scanned.iter().map(Tally::of).fold(Tally::default(), Tally::plus);
    assert!(tally.calls > 0 && tally.ended > 0 && tally.cost > 0 && tally.reserved > 0, "{tally:?}");
    let scanned = Counts::from_pairs(scanned.iter().map(|job| (job.status(), 1))).with_tally(tally);
    assert_eq!(store.counts(&campaign.run).await.unwrap(), scanned);
    assert_eq!(scanned.total(), 12);
    assert!(scanned.of(Status::Waiting) < 12);
}

pub async fn pages_are_complete_while_writes_go_on(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let of = membership(&campaign);
    let mut there = Vec::new();
    for number in 0..20 {
        // Single calls in between, and two imports beside later additions: many lists merged.
        let membership = (number % 3 > 0).then_some(&of);
        there.push(add(store, job(membership, number, start())).await.id().clone());
        if number % 10 == 5 {
            let import = import_id();
            store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
            let rows: Vec<_> = (0..4).map(|row| job(Some(&of), 100 + number * 10 + row, start())).collect();
            there.extend(rows.iter().map(|job| job.id().clone()));
            store.stage(&import, rows).await.unwrap();
            store.publish_import(&import, None, None, Vec::new()).await.unwrap();
        }
    }
    let mut new = 1_000;
    let moved = there[27].clone();
    let found = all(store, JobQuery { limit: 3, ..JobQuery::default() }, async || {
        if new < 1_004 {
            add(store, job(None, new, start())).await;
            new += 1;
        }
        if read(store, &moved).await.record.status() == Status::Waiting {
            begin(store, &moved, wide_gate()).await;
        }
    })
    .await;
    let ids: Vec<JobId> = found.iter().map(|job| job.id().clone()).collect();
    assert_eq!(ids[..there.len()], there, "in the order they were accepted, none left out");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "none twice");
}

pub async fn lists_are_filtered(keeper: impl Keeper) {
    let store = &*keeper.store();
    let one = add_campaign(store, CampaignState::Running).await;
    let two = add_campaign(store, CampaignState::Running).await;
    let mut later_run = membership(&one);
    later_run.run = run_id();
    let members = [Some(membership(&one)), Some(membership(&two)), None, Some(later_run.clone())];
    let mut added = Vec::new();
    for number in 0..16 {
        let job = add(store, job(members[number as usize % 4].as_ref(), number, start())).await;
        added.push(if number >= 8 { tell(store, job.id(), Event::Cancel).await } else { job });
    }
    let query = JobQuery { limit: 2, ..JobQuery::default() };
    type Wanted = fn(usize) -> bool;
    let cases: [(JobQuery, Wanted); 5] = [
        (JobQuery { campaign: Some(one.id.clone()), ..query.clone() }, |n| n % 4 == 0 || n % 4 == 3),
        (JobQuery { run: Some(later_run.run.clone()), ..query.clone() }, |n| n % 4 == 3),
        (JobQuery { status: Some(Status::Cancelled), ..query.clone() }, |n| n >= 8),
        (JobQuery { campaign: Some(two.id.clone()), status: Some(Status::Waiting), ..query.clone() }, |n| {
            n < 8 && n % 4 == 1
        }),
        (JobQuery { campaign: Some(two.id.clone()), run: Some(one.run.clone()), ..query }, |_| false),
    ];
    for (query, wanted) in cases {
        let wanted: Vec<_> = (0..16).filter(|n| wanted(*n)).map(|n| added[n].clone()).collect();
        assert_eq!(all(store, query.clone(), async || ()).await, wanted, "{query:?}");
    }
}

pub async fn a_foreign_cursor_is_refused(keeper: impl Keeper) {
    let store = &*keeper.store();
    let cursor = Some("not ours".to_owned());
    let jobs = store.jobs(JobQuery { cursor: cursor.clone(), limit: 5, ..JobQuery::default() }).await;
    assert!(matches!(jobs, Err(StoreError::BadCursor)), "{jobs:?}");
    assert!(matches!(store.open_jobs(cursor.clone(), 5).await, Err(StoreError::BadCursor)));
    assert!(matches!(store.campaigns(cursor.clone(), 5).await, Err(StoreError::BadCursor)));
    assert!(matches!(store.suppressions(cursor, 5).await, Err(StoreError::BadCursor)));
}
