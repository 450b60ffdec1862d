//! What is told to those who watch.

use std::sync::Arc;

use gymcall_jobs::announcement::{About, Announced, Announcement, AnnouncementId, Follower, KEPT, Kind, Pace};
use gymcall_jobs::campaign::{Action, Campaign, CampaignState, CampaignStatus, PausedReason};
use gymcall_jobs::event::Event;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::run::{Cause, Run};
use gymcall_jobs::store::{Begun, CampaignWrite, Capacity, Gate, Refusal, Store, StoreError, Write};

use super::Keeper;
use super::fixtures::*;

const START: AnnouncementId = AnnouncementId::START;

/// An announcement that can be told from others by its number.
pub fn announcement(number: u32) -> Announcement {
    let waiting = job(None, number, start());
    skipped(&waiting)
}

fn skipped(waiting: &CallJob) -> Announcement {
    let skipped = after(waiting, &Event::Suppressed, start());
    Announcement::of_job(waiting, &skipped, start()).remove(0)
}

pub async fn announce(store: &dyn Store, announce: Vec<Announcement>) {
    store.commit(Write { announce, ..Write::default() }).await.unwrap();
}

async fn all(store: &dyn Store) -> Vec<Announced> {
    let found = store.announcements(START, 1_000).await.unwrap();
    assert!(!found.gap);
    found.items
}

fn kinds(found: &[Announced]) -> Vec<Kind> {
    found.iter().map(|told| told.announcement.kind).collect()
}

pub async fn announcements_are_kept_with_their_write_and_read_from_any_place(keeper: impl Keeper) {
    let held = keeper.store();
    let store = &*held;
    assert_eq!(store.last_announcement().await.unwrap(), START);
    assert_eq!(store.announcements(START, 10).await.unwrap(), Default::default());
    let told: Vec<Announcement> = (1..=5).map(announcement).collect();
    announce(store, told[..2].to_vec()).await;
    let known = add(store, job(None, 9, start())).await;
    store.commit(Write { announce: told[2..].to_vec(), ..write_of(&known, Some(1)) }).await.unwrap();
    // A write that is refused tells nothing.
    let refused = store.commit(Write { announce: vec![announcement(6)], ..write_of(&known, Some(1)) }).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");

    let found = all(store).await;
    assert_eq!(found.iter().map(|told| &told.announcement).collect::<Vec<_>>(), told.iter().collect::<Vec<_>>());
    assert!(found.windows(2).all(|pair| pair[0].id < pair[1].id), "{found:?}");
    assert_eq!(store.last_announcement().await.unwrap(), found[4].id);
    for place in 0..5 {
        let rest = store.announcements(found[place].id, 2).await.unwrap();
        assert_eq!((rest.items.as_slice(), rest.gap), (&found[place + 1..(place + 3).min(5)], false));
    }
    drop(held);
    let keeper = keeper.reopened().await;
    assert_eq!(all(&*keeper.store()).await, found);
}

pub async fn a_dial_is_announced_only_if_it_begins(keeper: impl Keeper) {
    let store = &*keeper.store();
    let waiting = add(store, job(None, 1, start())).await;
    let none = Gate { account: Capacity { lines: 0, ..WIDE }, campaign: None };
    assert_eq!(begin(store, waiting.id(), none).await, Begun::Refused(Refusal::NoLine));
    assert!(all(store).await.is_empty());
    assert_eq!(begin(store, waiting.id(), wide_gate()).await, Begun::Go);
    assert_eq!(kinds(&all(store).await), [Kind::JobDialing]);
}

pub async fn of_a_list_that_is_too_long_the_end_is_kept_and_the_gap_is_told(keeper: impl Keeper) {
    let store = &*keeper.store();
    let told = vec![announcement(1); 1_000];
    announce(store, told.clone()).await;
    let first = all(store).await;
    for _ in 0..=KEPT / 1_000 {
        announce(store, told.clone()).await;
    }
    for after in [START, first[0].id] {
        let found = store.announcements(after, 1).await.unwrap();
        assert!(found.gap, "after {after}");
        assert!(found.items[0].id > first[99].id, "{found:?}");
    }
    // Whoever was there meanwhile has missed nothing.
    let (mut place, mut left) = (store.announcements(START, 1).await.unwrap().items[0].id, 1);
    loop {
        let found = store.announcements(place, 1_000).await.unwrap();
        assert!(!found.gap, "after {place}");
        let Some(last) = found.items.last() else { break };
        (place, left) = (last.id, left + found.items.len());
    }
    assert_eq!(place, store.last_announcement().await.unwrap());
    assert!((KEPT as usize..KEPT as usize + 2_000).contains(&left), "{left} are kept");
}

pub async fn a_follower_hears_of_each_announcement_once(keeper: impl Keeper) {
    let store = keeper.store();
    let waiting: Vec<CallJob> = (1..=40).map(|number| job(None, number, start())).collect();
    let told: Vec<Announcement> = waiting.iter().map(skipped).collect();
    let mut follower = Follower::new(Arc::clone(&store), START, Pace::default());
    let listening = tokio::spawn(async move {
        let mut heard = Vec::new();
        while heard.len() < 40 {
            let part = follower.next(7).await.unwrap();
            assert!(!part.gap && part.items.len() <= 7);
            heard.extend(part.items.into_iter().map(|told| told.announcement));
        }
        heard
    });
    for (job, told) in waiting.iter().zip(&told) {
        store.commit(Write { announce: vec![told.clone()], ..write_of(job, None) }).await.unwrap();
    }
    assert_eq!(listening.await.unwrap(), told);

    // A place that this store never gave out: the follower is told so, and goes on from now.
    let foreign = "evt_9999999999999-7".parse().unwrap();
    let mut follower = Follower::new(Arc::clone(&store), foreign, Pace::default());
    let lost = follower.next(7).await.unwrap();
    assert!(lost.gap && lost.items.is_empty(), "{lost:?}");
    assert_eq!(follower.position(), store.last_announcement().await.unwrap());
}

pub async fn what_happens_to_jobs_and_campaigns_is_announced(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = add_campaign(&*store, CampaignState::Draft).await;
    let one = add(&*store, job(Some(&membership(&campaign)), 1, start())).await;
    add(&*store, job(Some(&membership(&campaign)), 2, start())).await;
    let (ledger, _orders) = Ledger::new(Arc::clone(&store), Rules::default(), WIDE);
    let act = async |action| ledger.act(&campaign.id, action, |_, _| None).await.unwrap();
    act(Action::Start).await;
    // Who asks twice changes nothing.
    act(Action::Start).await;
    let (begun, _) = ledger.begin_dial(one.id(), tag()).await.unwrap();
    assert_eq!(begun, Begun::Go);
    act(Action::Pause(PausedReason::Manual)).await;
    act(Action::Resume).await;
    end_with_ledger(&ledger, &*store, one.id()).await;
    act(Action::Cancel).await;
    while ledger.clear_cancelled().await.unwrap() {}
    ledger.end_run(&campaign.run).await.unwrap();
    ledger.end_run(&campaign.run).await.unwrap();
    let found = all(&*store).await;
    let expected = [
        Kind::CampaignStarted,
        Kind::JobDialing,
        Kind::CampaignPaused,
        Kind::CampaignStarted,
        Kind::JobFailed,
        Kind::CampaignEnded,
    ];
    assert_eq!(kinds(&found), expected);
    assert!(found.iter().all(|told| told.announcement.campaign() == Some(&campaign.id)), "{found:?}");
}

pub async fn a_campaign_that_is_cancelled_between_its_runs_is_told_to_have_ended_once(keeper: impl Keeper) {
    let store = keeper.store();
    let (ledger, _orders) = Ledger::new(Arc::clone(&store), Rules::default(), WIDE);
    for told_before in [false, true] {
        let tonight = Some(start() + seconds(3_600));
        let mut nightly = Campaign { next_fire: tonight, runs: 1, run_begun: true, ..campaign(CampaignState::Running) };
        nightly.schedule = Some(gymcall_jobs::schedule::Schedule::once(start()));
        let (id, run) = (nightly.id.clone(), nightly.run.clone());
        let begins = Run {
            id: run.clone(),
            campaign: id.clone(),
            number: 1,
            cause: Cause::Schedule,
            due_at: None,
            started_at: start(),
            ended_at: None,
        };
        let write = CampaignWrite { campaign: nightly, from: None, begins: Some(begins) };
        store.commit(Write { campaign: Some(write), ..Write::default() }).await.unwrap();
        if told_before {
            ledger.end_run(&run).await.unwrap().expect("nothing of it is left");
        }
        for _ in 0..2 {
            ledger.act(&id, Action::Cancel, |_, _| None).await.unwrap();
        }
        assert_eq!(ledger.end_run(&run).await.unwrap(), None, "it ended with the campaign");
        let mut told = all(&*store).await;
        told.retain(|told| told.announcement.campaign() == Some(&id));
        assert_eq!(kinds(&told), vec![Kind::CampaignEnded; if told_before { 2 } else { 1 }]);
        let About::Campaign { status, .. } = &told.last().unwrap().announcement.about else { panic!("{told:?}") };
        assert_eq!(*status, CampaignStatus::Cancelled);
    }
}

pub async fn gyms_that_are_added_to_a_campaign_that_was_over_end_it_again(keeper: impl Keeper) {
    let store = keeper.store();
    let (ledger, _orders) = Ledger::new(Arc::clone(&store), Rules::default(), WIDE);
    let campaign = add_campaign(&*store, CampaignState::Draft).await;
    let of = membership(&campaign);
    let first = add(&*store, job(Some(&of), 1, start())).await;
    ledger.act(&campaign.id, Action::Start, |_, _| None).await.unwrap();
    tell(&*store, first.id(), Event::Cancel).await;
    ledger.end_run(&campaign.run).await.unwrap().expect("it is over");
    let status = async || {
        let (now, counts) = (store.campaign(&campaign.id).await, store.counts(&campaign.run).await.unwrap());
        now.unwrap().unwrap().record.status(&counts)
    };
    assert_eq!(status().await, CampaignStatus::Completed);

    let redialled = ledger.accept(job(Some(&of), 1, start()), None).await.unwrap();
    assert_eq!(status().await, CampaignStatus::Running);
    assert_eq!(ledger.end_run(&campaign.run).await.unwrap(), None);
    assert_eq!(store.due(WIDE, 9).await.unwrap().jobs, [redialled.id().clone()]);
    tell(&*store, redialled.id(), Event::Cancel).await;
    ledger.end_run(&campaign.run).await.unwrap().expect("it is over again");
    assert_eq!(kinds(&all(&*store).await), [Kind::CampaignStarted, Kind::CampaignEnded, Kind::CampaignEnded]);
}

/// Ends the dial of a job in a way that is not tried again: the number cannot be called.
async fn end_with_ledger(ledger: &Ledger, store: &dyn Store, id: &gymcall_jobs::id::JobId) {
    let tag = read(store, id).await.record.open_attempt().unwrap().tag.clone();
    let why = gymcall_jobs::event::NonCreation::BadNumber;
    ledger.tell(id, Event::NotCreated { tag, why, detail: "no such number".into() }).await.unwrap();
}
