//! Runs that begin by themselves, through ledgers over a keeper, on a clock that is turned by hand.

use std::sync::Arc;

use futures_util::future::join_all;
use gymcall_jobs::campaign::{Action, Campaign, CampaignState, CampaignStatus, PausedReason};
use gymcall_jobs::id::RunId;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::{Firings, ImportMode, Ledger};
use gymcall_jobs::outcome::{Outcome, SkipReason};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::run::{Cause, Run};
use gymcall_jobs::schedule::{Missed, Schedule, WrittenSchedule};
use gymcall_jobs::store::{Begun, JobQuery, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Keeper;
use super::fixtures::*;

pub(super) fn ledger(store: &Arc<dyn Store>) -> Ledger {
    Ledger::new(Arc::clone(store), Rules::default(), WIDE).0
}

/// What one more process does when it looks.
pub(super) async fn look(store: &Arc<dyn Store>) -> Option<Timestamp> {
    Firings::new(ledger(store), chance).once().await.unwrap()
}

pub(super) fn nightly(timezone: &str, missed: Missed) -> Schedule {
    let (cron, timezone) = (Some("30 2 * * *".to_owned()), Some(timezone.to_owned()));
    WrittenSchedule { cron, timezone, missed: Some(missed), at: None }.try_into().unwrap()
}

/// A campaign with gyms that was started: its first run is still to begin.
pub(super) async fn started(store: &Arc<dyn Store>, schedule: Schedule, gyms: u32) -> Campaign {
    let campaign = Campaign { schedule: Some(schedule), ..campaign(CampaignState::Draft) };
    put_campaign(&**store, &campaign, None).await;
    fill(store, &campaign, 0..gyms, ImportMode::Add).await;
    let (campaign, counts) = ledger(store).act(&campaign.id, Action::Start, |_, _| None).await.unwrap();
    assert_eq!(campaign.status(&counts), CampaignStatus::Scheduled);
    campaign
}

pub(super) async fn fill(
    store: &Arc<dyn Store>,
    campaign: &Campaign,
    gyms: std::ops::Range<u32>,
    mode: ImportMode,
) -> RunId {
    let ledger = ledger(store);
    let open = ledger.open_import(import_id(), &campaign.id, mode, run_id()).await.unwrap();
    let of = open.campaign.membership();
    let jobs = gyms.map(|number| job(Some(&of), number, store.now())).collect();
    store.stage(&open.id, jobs).await.unwrap();
    ledger.publish_import(&open, None).await.unwrap();
    of.run
}

pub(super) async fn now_of(store: &Arc<dyn Store>, campaign: &Campaign) -> Campaign {
    store.campaign(&campaign.id).await.unwrap().unwrap().record
}

pub(super) async fn runs_of(store: &Arc<dyn Store>, campaign: &Campaign) -> Vec<Run> {
    store.runs(&campaign.id, None, 100).await.unwrap().items
}

pub(super) async fn jobs_of(store: &Arc<dyn Store>, run: &RunId) -> Vec<CallJob> {
    let query = JobQuery { run: Some(run.clone()), limit: 1_000, ..JobQuery::default() };
    store.jobs(query).await.unwrap().items.into_iter().map(|stored| stored.record).collect()
}

pub(super) fn skipped(job: &CallJob) -> Option<SkipReason> {
    match job.outcome() {
        Some(Outcome::Skipped(reason)) => Some(*reason),
        _ => None,
    }
}

/// The present run, with nothing left to do.
pub(super) async fn finish(store: &Arc<dyn Store>, campaign: &Campaign) {
    for job in jobs_of(store, &campaign.run).await {
        tell(&**store, job.id(), gymcall_jobs::event::Event::Cancel).await;
    }
}

pub async fn of_many_processes_one_begins_the_run(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 50).await;
    for night in 1..=3 {
        keeper.set_clock(now_of(&store, &campaign).await.next_fire.unwrap());
        // Twice each: whoever found an import under way looks again.
        for _ in 0..2 {
            join_all((0..6).map(|_| look(&store))).await;
        }
        let runs = runs_of(&store, &campaign).await;
        assert_eq!(runs.len(), night, "{runs:?}");
        assert_eq!(jobs_of(&store, &runs[0].id).await.len(), 50);
        assert!(runs.iter().all(|run| run.cause == Cause::Schedule && run.due_at.is_some()));
    }
    let query = JobQuery { campaign: Some(campaign.id.clone()), limit: 1_000, ..JobQuery::default() };
    assert_eq!(store.jobs(query).await.unwrap().items.len(), 150, "an import of whoever came second was shown");
}

pub async fn what_a_killed_firing_leaves_is_begun_by_the_next(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 20).await;
    keeper.set_clock(campaign.next_fire.unwrap());
    look(&store).await;
    let second_night = now_of(&store, &campaign).await;
    keeper.set_clock(second_night.next_fire.unwrap());
    // As far as a process comes that is killed before the one write that counts.
    let (import, half_begun) = (import_id(), Campaign { run: run_id(), ..second_night.clone() });
    store.open_import(&import, &campaign.id, &half_begun.run).await.unwrap();
    let of = membership(&half_begun);
    store.stage(&import, (0..20).map(|number| job(Some(&of), number, start())).collect()).await.unwrap();
    drop(store);

    let keeper = keeper.crashed().await;
    keeper.set_clock(second_night.next_fire.unwrap());
    let store = keeper.store();
    assert_eq!(now_of(&store, &campaign).await, second_night, "nothing has changed yet");
    look(&store).await;
    let runs = runs_of(&store, &campaign).await;
    assert_eq!(runs.len(), 2);
    assert_eq!(jobs_of(&store, &runs[0].id).await.len(), 20);
    assert_eq!(jobs_of(&store, &half_begun.run).await, []);
}

pub async fn each_night_has_a_run_with_every_gym_once(keeper: impl Keeper) {
    let store = keeper.store();
    // Each across both of its changes; and by its own clock.
    for (zone, from, nights) in [
        ("America/New_York", "2026-03-07T20:00:00Z", ["03-08 03:00 -0400", "03-09 02:30 -0400"]),
        ("Europe/Berlin", "2026-03-28T12:00:00Z", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
        ("Europe/Berlin", "2026-10-24T12:00:00Z", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        ("America/New_York", "2026-10-31T20:00:00Z", ["11-01 02:30 -0500", "11-02 02:30 -0500"]),
    ] {
        keeper.set_clock(from.parse().unwrap());
        let campaign = started(&store, nightly(zone, Missed::RunOnce), 3).await;
        let mut fired = Vec::new();
        // Every quarter of an hour for two days.
        for quarter in 0..(4 * 42) {
            keeper.set_clock(from.parse::<Timestamp>().unwrap() + seconds(quarter * 900));
            look(&store).await;
            let runs = runs_of(&store, &campaign).await;
            if runs.len() > fired.len() {
                let clock = TimeZone::get(zone).unwrap();
                fired.push(runs[0].started_at.to_zoned_datetime(clock).strftime("%m-%d %H:%M %z").to_string());
                let mut phones: Vec<_> =
                    jobs_of(&store, &runs[0].id).await.iter().map(|job| job.gym().phone.clone()).collect();
                phones.sort();
                assert_eq!(phones, (0..3).map(phone).collect::<Vec<_>>(), "{zone}");
            }
        }
        assert_eq!(fired, nights, "{zone}");
        ledger(&store).act(&campaign.id, Action::Cancel, |_, _| None).await.unwrap();
    }
}

pub async fn a_run_that_is_replaced_ends_what_waits_and_lets_calls_go_on(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 4).await;
    let first_night = campaign.next_fire.unwrap();
    keeper.set_clock(first_night);
    look(&store).await;
    let old = jobs_of(&store, &campaign.run).await;
    for job in &old[..2] {
        assert_eq!(begin(&*store, job.id(), wide_gate()).await, Begun::Go);
    }
    // Another job of the account's calls the third gym at this moment.
    let single = add(&*store, job(None, 2, first_night)).await;
    assert_eq!(begin(&*store, single.id(), wide_gate()).await, Begun::Go);

    keeper.set_clock(now_of(&store, &campaign).await.next_fire.unwrap());
    look(&store).await;
    let ledger = ledger(&store);
    while ledger.clear_superseded().await.unwrap() {}
    let status = async |job: &CallJob| read(&*store, job.id()).await.record;
    assert_eq!(skipped(&status(&old[2]).await), Some(SkipReason::OpenAttempt));
    assert_eq!(skipped(&status(&old[3]).await), Some(SkipReason::Superseded));
    assert_eq!(status(&old[0]).await.status(), Status::Dialing);
    assert!(ledger.end_run(&campaign.run).await.unwrap().is_none(), "calls of it go on");

    // Its calls end: with a miss, that would have been tried again, and otherwise.
    for job in &old[..2] {
        let tag = status(job).await.open_attempt().unwrap().tag.clone();
        let busy = gymcall_jobs::event::Event::CallNews {
            tag: Some(tag),
            call: call_sid(),
            status: gymcall_jobs::attempt::CallStatus::Busy,
            at: None,
            duration_s: None,
            price: None,
            answered_by: None,
        };
        ledger.tell(job.id(), busy).await.unwrap();
        assert_eq!(skipped(&status(job).await), Some(SkipReason::Superseded));
    }
    let ended = ledger.end_run(&campaign.run).await.unwrap().expect("nothing of it is left");
    assert_eq!(ended.number, 1);
    let present = now_of(&store, &campaign).await;
    assert_eq!(store.counts(&present.run).await.unwrap().of(Status::Waiting), 4);
    let due = store.due(WIDE, 10).await.unwrap().jobs;
    assert_eq!(due.len(), 4, "only the new run's jobs are due");
}

pub async fn a_run_ends_once(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 2).await;
    keeper.set_clock(campaign.next_fire.unwrap());
    look(&store).await;
    assert!(ledger(&store).end_run(&campaign.run).await.unwrap().is_none(), "its jobs wait");
    finish(&store, &campaign).await;
    let ends = join_all((0..5).map(|_| async { ledger(&store).end_run(&campaign.run).await.unwrap() })).await;
    assert_eq!(ends.iter().flatten().count(), 1, "one of them has written it down");
    assert!(runs_of(&store, &campaign).await[0].ended_at.is_some());
    let counts = store.counts(&campaign.run).await.unwrap();
    assert_eq!(
        now_of(&store, &campaign).await.status(&counts),
        CampaignStatus::Scheduled,
        "it waits for its next night"
    );
}

pub async fn missed_nights_run_once_or_not_at_all(keeper: impl Keeper) {
    let store = keeper.store();
    let made_up = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 2).await;
    let let_go = started(&store, nightly("Europe/Berlin", Missed::Skip), 2).await;
    let once = WrittenSchedule { at: made_up.next_fire, missed: Some(Missed::Skip), ..WrittenSchedule::default() };
    let once = started(&store, once.try_into().unwrap(), 2).await;
    // Everything was down for three nights and some hours.
    let back = made_up.next_fire.unwrap() + seconds(3 * 24 * 3600 + 7_200);
    keeper.set_clock(back);
    for _ in 0..3 {
        look(&store).await;
    }
    assert_eq!(runs_of(&store, &made_up).await.len(), 1);
    assert_eq!(runs_of(&store, &let_go).await, []);
    for campaign in [&made_up, &let_go] {
        assert!(now_of(&store, campaign).await.next_fire.is_some_and(|next| next > back));
    }
    assert_eq!(now_of(&store, &once).await.state, CampaignState::Failed);
    assert_eq!(runs_of(&store, &once).await, []);
    // Whoever starts it now means now.
    ledger(&store).act(&once.id, Action::Start, |_, _| None).await.unwrap();
    look(&store).await;
    assert_eq!(runs_of(&store, &once).await.len(), 1);
    keeper.set_clock(now_of(&store, &let_go).await.next_fire.unwrap() + seconds(2));
    look(&store).await;
    assert_eq!(runs_of(&store, &let_go).await.len(), 1, "two seconds late is not missed");
}

pub async fn nothing_fires_while_a_campaign_is_paused(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 2).await;
    keeper.set_clock(campaign.next_fire.unwrap());
    look(&store).await;
    let ledger = ledger(&store);
    ledger.act(&campaign.id, Action::Pause(PausedReason::Manual), |_, _| None).await.unwrap();
    let paused_through = now_of(&store, &campaign).await.next_fire.unwrap() + seconds(3_600);
    keeper.set_clock(paused_through);
    look(&store).await;
    assert_eq!(runs_of(&store, &campaign).await.len(), 1);
    ledger.act(&campaign.id, Action::Resume, |_, _| None).await.unwrap();
    look(&store).await;
    assert_eq!(runs_of(&store, &campaign).await.len(), 1, "the run that was resumed goes on");
    let resumed = now_of(&store, &campaign).await;
    assert_eq!((resumed.run, resumed.state), (campaign.run.clone(), CampaignState::Running));
    keeper.set_clock(resumed.next_fire.unwrap());
    look(&store).await;
    assert_eq!(runs_of(&store, &campaign).await.len(), 2);
}

pub async fn the_night_after_one_that_its_cap_has_stopped_begins_by_itself(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 2).await;
    keeper.set_clock(campaign.next_fire.unwrap());
    look(&store).await;
    let pause = Action::Pause(PausedReason::Budget);
    let (paused, _) = ledger(&store).act(&campaign.id, pause, |_, _| None).await.unwrap();
    let tomorrow = paused.next_fire.unwrap();
    assert_eq!(look(&store).await, Some(tomorrow), "the night is still waited for");
    keeper.set_clock(tomorrow);
    look(&store).await;
    assert_eq!(runs_of(&store, &campaign).await.len(), 2);
    assert_eq!(now_of(&store, &campaign).await.state, CampaignState::Running);
}

pub async fn an_upload_under_way_holds_the_next_run_up_and_does_not_lose_it(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = started(&store, nightly("Europe/Berlin", Missed::Skip), 2).await;
    keeper.set_clock(campaign.next_fire.unwrap());
    look(&store).await;
    let next = now_of(&store, &campaign).await.next_fire.unwrap();
    let ledger = ledger(&store);
    let upload = ledger.open_import(import_id(), &campaign.id, ImportMode::Add, run_id()).await.unwrap();
    let mut firings = Firings::new(ledger.clone(), chance);
    for late in [0, 60] {
        keeper.set_clock(next + seconds(late));
        let again = firings.once().await.unwrap();
        assert!(again.is_some_and(|again| again <= next + seconds(late + 5)), "it looks again soon: {again:?}");
    }
    let added = job(Some(&upload.campaign.membership()), 9, start());
    store.stage(&upload.id, vec![added]).await.unwrap();
    ledger.publish_import(&upload, None).await.unwrap();
    firings.once().await.unwrap();
    let runs = runs_of(&store, &campaign).await;
    assert_eq!(runs.len(), 2, "it was seen in time, so it is not missed");
    assert_eq!(jobs_of(&store, &runs[0].id).await.len(), 3, "the gym that was uploaded is in the new run");
}
