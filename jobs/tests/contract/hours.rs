//! What waits, when its campaign's hours change.

use futures_util::future::join_all;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{JobId, Tag};
use gymcall_jobs::job::{CallJob, Phase, Status};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::rules::{Policy, Rules};
use gymcall_jobs::store::{Begun, Refusal, Store};
use gymcall_jobs::window::{Hours, Window};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::Keeper;
use super::fixtures::{WIDE, add, campaign, job, membership, put_campaign, read, seconds, start};

/// The test begins at ten in the morning in New York.
fn on_monday(time: &str) -> Timestamp {
    let time = format!("2026-03-02T{time}:00").parse().unwrap();
    TimeZone::get("America/New_York").unwrap().to_timestamp(time).unwrap()
}

fn hours(from: &str, to: &str) -> Hours {
    serde_json::from_value(json!({"from": from, "to": to})).unwrap()
}

fn ledger(keeper: &impl Keeper) -> Ledger {
    Ledger::new(keeper.store(), Rules::default(), WIDE).0
}

/// A running campaign with these hours, and so many gyms in New York that wait by them.
async fn waiting(store: &dyn Store, hours: &Hours, gyms: u32) -> (Campaign, Vec<JobId>) {
    let policy = Policy { window: Some(hours.clone()), ..Policy::default() };
    let campaign = Campaign { policy, ..campaign(gymcall_jobs::campaign::CampaignState::Running) };
    put_campaign(store, &campaign, None).await;
    let jobs = (0..gyms).map(|number| {
        let mut record = serde_json::to_value(job(Some(&membership(&campaign)), number, start())).unwrap();
        record["gym"]["timezone"] = json!({"name": "America/New_York", "source": "csv"});
        let job: CallJob = serde_json::from_value(record).unwrap();
        add(store, job.keeping(Some(hours)))
    });
    let jobs = join_all(jobs).await.into_iter().map(|job| job.id().clone()).collect();
    (campaign, jobs)
}

/// The same campaign with other hours.
async fn with_hours(store: &dyn Store, campaign: &Campaign, hours: &Hours) {
    let stored = store.campaign(&campaign.id).await.unwrap().unwrap();
    let policy = Policy { window: Some(hours.clone()), ..stored.record.policy.clone() };
    put_campaign(store, &stored.record.with_policy(policy, store.now()), Some(stored.version)).await;
}

async fn window(store: &dyn Store, job: &JobId) -> Option<Window> {
    match *read(store, job).await.record.phase() {
        Phase::Waiting { window, .. } => window,
        _ => None,
    }
}

pub async fn nobody_is_called_by_hours_that_have_changed(keeper: impl Keeper) {
    let (store, ledger) = (keeper.store(), ledger(&keeper));
    let (campaign, jobs) = waiting(&*store, &hours("09:00", "20:00"), 1).await;
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, jobs, "it is ten: they may be called");
    with_hours(&*store, &campaign, &hours("14:00", "16:00")).await;

    // Nothing has told the job yet.
    let refused = ledger.begin_dial(&jobs[0], Tag::new(1)).await.unwrap().0;
    assert_eq!(refused, Begun::Refused(Refusal::HoursChanged));
    assert_eq!(read(&*store, &jobs[0]).await.record.status(), Status::Waiting);
    ledger.tell(&jobs[0], Event::HoursChanged).await.unwrap();
    let opens = on_monday("14:00");
    assert_eq!(read(&*store, &jobs[0]).await.record.due(), Some(opens));
    let refused = ledger.begin_dial(&jobs[0], Tag::new(2)).await.unwrap().0;
    assert_eq!(refused, Begun::Refused(Refusal::NotDue(opens)));
    keeper.set_clock(opens);
    assert_eq!(ledger.begin_dial(&jobs[0], Tag::new(3)).await.unwrap().0, Begun::Go);
}

pub async fn what_waits_follows_its_campaigns_hours_also_after_a_restart(keeper: impl Keeper) {
    let store = keeper.store();
    // More than are looked at in one go.
    let (campaign, jobs) = waiting(&*store, &hours("14:00", "16:00"), 501).await;
    assert!(!ledger(&keeper).follow_hours().await.unwrap(), "nothing has changed");
    assert_eq!(store.due(WIDE, 1).await.unwrap().jobs, []);
    with_hours(&*store, &campaign, &hours("09:00", "16:00")).await;
    let changed_at = store.now();
    drop(store);

    let keeper = keeper.reopened().await;
    let (store, ledger) = (keeper.store(), ledger(&keeper));
    assert!(ledger.follow_hours().await.unwrap(), "some process may not have heard of it");
    let present = Window { opens: on_monday("09:00"), closes: on_monday("16:00") };
    for job in &jobs {
        assert_eq!(window(&*store, job).await, Some(present));
    }
    assert_eq!(ledger.begin_dial(&jobs[500], Tag::new(1)).await.unwrap().0, Begun::Go);

    keeper.set_clock(changed_at + seconds(2));
    assert!(!ledger.follow_hours().await.unwrap());
    let stored = store.campaign(&campaign.id).await.unwrap().unwrap();
    assert_eq!(stored.record.hours_changed_at, None);
    assert_eq!(read(&*store, &jobs[0]).await.version, 2, "it was told once");
}

pub async fn hours_that_change_twice_end_as_the_last_ones(keeper: impl Keeper) {
    let (store, ledger) = (keeper.store(), ledger(&keeper));
    let first = hours("09:00", "20:00");
    let (campaign, jobs) = waiting(&*store, &first, 1).await;
    with_hours(&*store, &campaign, &hours("14:00", "16:00")).await;
    ledger.follow_hours().await.unwrap();
    keeper.set_clock(start() + seconds(1));
    with_hours(&*store, &campaign, &first).await;
    ledger.follow_hours().await.unwrap();
    assert_eq!(window(&*store, &jobs[0]).await.unwrap().opens, on_monday("09:00"));
    // The same hours again are no change, and leave no work behind.
    keeper.set_clock(start() + seconds(10));
    assert!(!ledger.follow_hours().await.unwrap());
    with_hours(&*store, &campaign, &first).await;
    let stored = store.campaign(&campaign.id).await.unwrap().unwrap();
    assert_eq!(stored.record.hours_changed_at, None);
}
