//! Runs as records.

use gymcall_jobs::campaign::{Campaign, CampaignState, PausedReason};
use gymcall_jobs::event::{Event, NonCreation};
use gymcall_jobs::run::{Cause, Run};
use gymcall_jobs::store::{CampaignWrite, Change, Fires, Store, StoreError, Write};
use jiff::Timestamp;

use super::Keeper;
use super::fixtures::*;

fn run_of(campaign: &Campaign, number: u32) -> Run {
    Run {
        id: campaign.run.clone(),
        campaign: campaign.id.clone(),
        number,
        cause: Cause::Start,
        due_at: None,
        started_at: start(),
        ended_at: None,
    }
}

async fn begin_run(store: &dyn Store, campaign: &Campaign, from: Option<u64>, number: u32) -> Run {
    let run = run_of(campaign, number);
    let write = CampaignWrite { campaign: campaign.clone(), from, begins: Some(run.clone()) };
    store.commit(Write { campaign: Some(write), ..Write::default() }).await.unwrap();
    run
}

fn ends(run: &Run) -> Write {
    Write { ends: Some(run.clone()), ..Write::default() }
}

pub async fn a_run_is_written_when_it_begins_and_once_when_it_ends(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = campaign(CampaignState::Running);
    assert_eq!(store.run(&campaign.run).await.unwrap(), None);
    let run = begin_run(store, &campaign, None, 1).await;
    assert_eq!(store.run(&run.id).await.unwrap(), Some(run.clone()));
    let refused = CampaignWrite { campaign: campaign.clone(), from: None, begins: Some(run_of(&campaign, 7)) };
    let refused = store.commit(Write { campaign: Some(refused), ..Write::default() }).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.run(&run.id).await.unwrap(), Some(run.clone()), "a write that was refused began a run");

    let ended = Run { ended_at: Some(start() + seconds(60)), ..run.clone() };
    let mut changes = store.changes();
    store.commit(ends(&ended)).await.unwrap();
    assert_eq!(
        changes.recv().await.unwrap(),
        Change::Campaign(campaign.id.clone()),
        "whoever waits for the end is told"
    );
    let again = store.commit(ends(&Run { ended_at: Some(start() + seconds(90)), ..run.clone() })).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(store.run(&run.id).await.unwrap(), Some(ended));
    let unknown = store.commit(ends(&Run { id: run_id(), ..run })).await;
    assert!(matches!(unknown, Err(StoreError::Missing("run"))), "{unknown:?}");
}

pub async fn a_run_ends_with_its_last_job_and_is_open_again_with_another(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = campaign(CampaignState::Running);
    let run = begin_run(store, &campaign, None, 1).await;
    let end = async |at: i64| store.commit(ends(&Run { ended_at: Some(start() + seconds(at)), ..run.clone() })).await;
    let ended_at = async || {
        let (one, listed) =
            (store.run(&run.id).await.unwrap().unwrap(), store.runs(&campaign.id, None, 9).await.unwrap());
        assert_eq!(listed.items, std::slice::from_ref(&one));
        let open = store.open_runs(None, 9).await.unwrap().items;
        assert_eq!(open.is_empty(), one.ended_at.is_some(), "{open:?}");
        one.ended_at
    };
    let called = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    for under_way in [false, true] {
        if under_way {
            begin(store, called.id(), wide_gate()).await;
        }
        let refused = end(1).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "a job of it is open: {refused:?}");
        assert_eq!(ended_at().await, None);
    }
    let tag = read(store, called.id()).await.record.open_attempt().unwrap().tag.clone();
    tell(store, called.id(), Event::NotCreated { tag, why: NonCreation::BadNumber, detail: String::new() }).await;
    end(2).await.unwrap();
    assert_eq!(ended_at().await, Some(start() + seconds(2)));

    // A gym is redialled; then some are added; then none are.
    let redialled = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    assert_eq!(ended_at().await, None);
    tell(store, redialled.id(), Event::Cancel).await;
    end(3).await.unwrap();
    for added in [Some(job(Some(&membership(&campaign)), 2, start())), None] {
        let import = import_id();
        store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
        store.stage(&import, added.clone().into_iter().collect()).await.unwrap();
        assert_eq!(ended_at().await, Some(start() + seconds(3)), "nobody can see it yet");
        store.publish_import(&import, None, None, Vec::new()).await.unwrap();
        if let Some(added) = added {
            assert!(matches!(end(9).await, Err(StoreError::Conflict)));
            assert_eq!(ended_at().await, None);
            tell(store, added.id(), Event::Cancel).await;
            end(3).await.unwrap();
        }
    }
    assert_eq!(ended_at().await, Some(start() + seconds(3)));
}

pub async fn runs_are_listed_latest_first(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut campaign = campaign(CampaignState::Running);
    let mut begun = Vec::new();
    for number in 1..=12 {
        campaign.run = run_id();
        begun.push(begin_run(store, &campaign, (number > 1).then(|| u64::from(number) - 1), number).await);
    }
    let ended = Run { ended_at: Some(start()), ..begun[3].clone() };
    store.commit(ends(&ended)).await.unwrap();
    begin_run(store, &super::fixtures::campaign(CampaignState::Running), None, 1).await;

    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.runs(&campaign.id, cursor, 5).await.unwrap();
        listed.extend(page.items.into_iter().map(|run| run.number));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, (1..=12).rev().collect::<Vec<_>>());
    let (mut open, mut cursor) = (0, None);
    loop {
        let page = store.open_runs(cursor, 5).await.unwrap();
        assert!(page.items.iter().all(|run| run.ended_at.is_none()));
        open += page.items.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(open, 12, "eleven of this campaign, and one of another");
}

pub async fn campaigns_are_due_by_their_next_run(keeper: impl Keeper) {
    let store = &*keeper.store();
    let due_at = |seconds_later: i64, state| Campaign { next_fire: Some(at(seconds_later)), ..campaign(state) };
    let at_ten = due_at(10, CampaignState::Scheduled);
    let at_five = due_at(5, CampaignState::Running);
    let paused = due_at(1, CampaignState::Paused(PausedReason::Manual));
    for campaign in [&at_ten, &at_five, &paused, &campaign(CampaignState::Running)] {
        put_campaign(store, campaign, None).await;
    }
    let fires = |campaigns: &[&Campaign], again_at| Fires {
        campaigns: campaigns.iter().map(|campaign| campaign.id.clone()).collect(),
        again_at,
    };
    assert_eq!(store.fires(10).await.unwrap(), fires(&[], Some(at(5))));
    keeper.set_clock(at(5));
    assert_eq!(store.fires(10).await.unwrap(), fires(&[&at_five], Some(at(10))));
    keeper.set_clock(at(60));
    assert_eq!(store.fires(10).await.unwrap(), fires(&[&at_five, &at_ten], None));
    let later = Campaign { next_fire: Some(at(90)), ..at_five.clone() };
    put_campaign(store, &later, Some(1)).await;
    assert_eq!(store.fires(10).await.unwrap(), fires(&[&at_ten], Some(at(90))));
    put_campaign(store, &Campaign { next_fire: None, ..later }, Some(2)).await;
    assert_eq!(store.fires(10).await.unwrap(), fires(&[&at_ten], None));
}

fn at(seconds_later: i64) -> Timestamp {
    start() + seconds(seconds_later)
}

pub async fn waiting_jobs_of_replaced_runs_are_found(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let waiting = add(store, job(Some(&membership(&campaign)), 1, start() + seconds(900))).await;
    let live = add(store, job(Some(&membership(&campaign)), 2, start())).await;
    begin(store, live.id(), wide_gate()).await;
    add(store, job(None, 3, start())).await;
    assert_eq!(store.superseded(10).await.unwrap(), []);
    let newer = Campaign { run: run_id(), ..campaign };
    put_campaign(store, &newer, Some(1)).await;
    add(store, job(Some(&membership(&newer)), 1, start())).await;
    assert_eq!(store.superseded(10).await.unwrap(), [waiting.id().clone()]);
    tell(store, waiting.id(), Event::Superseded).await;
    assert_eq!(store.superseded(10).await.unwrap(), []);
}
