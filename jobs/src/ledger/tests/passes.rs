//! Passes over many records: what is late, and what cannot be read.

use super::*;
use crate::campaign::{Action, PausedReason};
use crate::schedule::{Missed, WrittenSchedule};

/// A clock on which each look takes two seconds.
struct SlowClock(AtomicI64);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(2, Ordering::SeqCst)).unwrap()
    }
}

fn scheduled(due_at: Timestamp, number: u128, missed: Missed) -> Campaign {
    let cron = (Some("0 * * * *".to_owned()), Some("UTC".to_owned()));
    let schedule = WrittenSchedule { cron: cron.0, timezone: cron.1, missed: Some(missed), at: None };
    Campaign {
        id: CampaignId::new(due_at, number),
        run: RunId::new(due_at, number),
        state: CampaignState::Scheduled,
        schedule: Some(schedule.try_into().unwrap()),
        next_fire: Some(due_at),
        run_begun: false,
        ..running(due_at)
    }
}

fn chance() -> u128 {
    static NEXT: AtomicI64 = AtomicI64::new(1 << 20);
    NEXT.fetch_add(1, Ordering::SeqCst).unsigned_abs().into()
}

#[tokio::test]
async fn a_time_that_comes_while_others_begin_is_not_missed() {
    let due_at = Timestamp::from_second(1_800_000_000).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SlowClock(AtomicI64::new(due_at.as_second())));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), clock.clone()).unwrap());
    let ledger = Ledger::new(store.clone(), Rules::default(), WIDE).0;
    // Five at the same time, and one while they begin.
    let mut campaigns: Vec<_> = (1..=5).map(|number| scheduled(due_at, number, Missed::Skip)).collect();
    campaigns.push(scheduled(due_at + jiff::SignedDuration::from_secs(7), 6, Missed::Skip));
    for campaign in &campaigns {
        ledger.create_campaign(campaign.clone(), None).await.unwrap();
    }
    clock.0.store(due_at.as_second(), Ordering::SeqCst);
    let mut firings = Firings::new(ledger, chance);
    for _ in 0..2 {
        firings.once().await.unwrap();
    }
    assert!(clock.0.load(Ordering::SeqCst) > due_at.as_second() + 20, "that took no time");
    for campaign in &campaigns {
        assert!(store.run(&campaign.run).await.unwrap().is_some(), "{} was let go", campaign.id);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_from_what_is_due() {
    let desk = Desk::with_ledgers(1);
    let ledger = &desk.ledgers[0];
    let now = desk.store.now();
    let hours_changed_at = Some(now);
    let cancelled = Campaign { state: CampaignState::Cancelled, hours_changed_at, ..scheduled(now, 1, Missed::Skip) };
    let paused = CampaignState::Paused(PausedReason::DailyLimit);
    let resumes = Campaign { state: paused, resumes_at: Some(now), ..scheduled(now, 2, Missed::Skip) };
    let due = scheduled(now, 3, Missed::Skip);
    let broken = scheduled(now, 4, Missed::Skip);
    let begins = broken.clone().begin_run(crate::run::Cause::Start, None, now);
    for campaign in [&cancelled, &resumes, &due, &broken] {
        let begins = (campaign.id == broken.id).then(|| begins.clone());
        let campaign = Some(CampaignWrite { campaign: campaign.clone(), from: None, begins });
        desk.store.commit(Write { campaign, ..Write::default() }).await.unwrap();
    }
    let of_cancelled: Vec<JobId> = join_all((1..=3_u128).map(async |number| {
        let gym = serde_json::from_value(json!({ "phone": format!("+1212555{number:04}") })).unwrap();
        let job = CallJob::new(JobId::new(now, number), Some(cancelled.membership()), gym, now, now);
        ledger.accept(job, None).await.unwrap().id().clone()
    }))
    .await;
    let file = rusqlite::Connection::open(desk.folder.path().join("gymcall.sqlite3")).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    file.execute("UPDATE campaigns SET record = '?' WHERE id = ?", [broken.id.as_str()]).unwrap();
    file.execute("UPDATE jobs SET record = '?' WHERE id = ?", [of_cancelled[1].as_str()]).unwrap();

    ledger.clear_cancelled().await.unwrap();
    for cleared in [&of_cancelled[0], &of_cancelled[2]] {
        assert_eq!(desk.job(cleared).await.record.status(), Status::Cancelled);
    }
    ledger.follow_hours().await.unwrap();
    ledger.resume_due().await.unwrap();
    let stands = async |campaign: &Campaign| desk.store.campaign(&campaign.id).await.unwrap().unwrap().record.state;
    assert_eq!(stands(&resumes).await, CampaignState::Scheduled);
    ledger.act(&resumes.id, Action::Cancel, |_, _| None).await.unwrap();

    // The run of the broken one has no jobs, and is looked at first.
    let mut changes = desk.store.changes();
    tokio::select! {
        () = crate::scheduler::run(ledger.clone(), chance) => {}
        () = async { while changes.recv().await.unwrap() != Change::Campaign(due.id.clone()) {} } => {}
        () = tokio::time::sleep(std::time::Duration::from_secs(5)) => panic!("nothing was begun"),
    }
    assert_eq!(stands(&due).await, CampaignState::Running);
}
