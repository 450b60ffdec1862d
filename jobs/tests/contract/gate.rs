//! The gate before a dial.

use gymcall_jobs::campaign::{Campaign, CampaignState, PausedReason};
use gymcall_jobs::event::{Event, Fate};
use gymcall_jobs::job::Status;
use gymcall_jobs::store::{Begun, Capacity, Gate, Refusal, Store, Suppression, Write};
use jiff::Timestamp;

use super::Keeper;
use super::fixtures::*;

fn lines(lines: u32) -> Gate {
    Gate { account: Capacity { lines, ..WIDE }, campaign: None }
}

/// When `due` hands the only job out again.
async fn ready_at(store: &dyn Store) -> Timestamp {
    let due = store.due(WIDE, 10).await.unwrap();
    assert!(due.jobs.is_empty(), "{due:?}");
    due.again_at.expect("a time to look again")
}

pub async fn of_many_callers_exactly_one_may_dial(keeper: impl Keeper) {
    let store = keeper.store();
    let id = add(&*store, job(None, 1, start())).await.id().clone();
    let waiting = read(&*store, &id).await;
    let callers = (0..32).map(|_| {
        let (store, dial) = (store.clone(), dial(&waiting, wide_gate(), start()));
        tokio::spawn(async move { store.begin_dial(dial).await.unwrap() })
    });
    let mut gone = 0;
    for caller in callers.collect::<Vec<_>>() {
        match caller.await.unwrap() {
            Begun::Go => gone += 1,
            refused => assert_eq!(refused, Begun::Refused(Refusal::Changed)),
        }
    }
    assert_eq!(gone, 1);
    let stored = read(&*store, &id).await;
    assert_eq!((stored.version, stored.record.status()), (2, Status::Dialing));
}

pub async fn a_job_that_was_not_read_as_it_is_may_not_be_dialled(keeper: impl Keeper) {
    let store = &*keeper.store();
    let job = add(store, job(None, 1, start())).await;
    let waiting = read(store, job.id()).await;
    tell(store, job.id(), Event::Cancel).await;
    let refused = store.begin_dial(dial(&waiting, wide_gate(), start())).await.unwrap();
    assert_eq!(refused, Begun::Refused(Refusal::Changed));
    assert_eq!(read(store, job.id()).await.record.status(), Status::Cancelled);
    assert_eq!(store.number_holder(&phone(1)).await.unwrap(), None);
}

pub async fn a_job_is_not_dialled_before_its_time_or_after_its_hours(keeper: impl Keeper) {
    let store = &*keeper.store();
    let due = start() + seconds(60);
    let job = add(store, job(None, 1, due)).await;
    assert_eq!(begin(store, job.id(), wide_gate()).await, Begun::Refused(Refusal::NotDue(due)));
    keeper.set_clock(due);
    let waiting = read(store, job.id()).await;
    let mut closed = dial(&waiting, wide_gate(), due);
    closed.closes = Some(due);
    assert_eq!(store.begin_dial(closed.clone()).await.unwrap(), Begun::Refused(Refusal::WindowClosed));
    closed.closes = Some(due + seconds(1));
    assert_eq!(store.begin_dial(closed).await.unwrap(), Begun::Go);
}

pub async fn a_campaign_that_is_not_running_dials_nobody(keeper: impl Keeper) {
    let store = &*keeper.store();
    let paused = CampaignState::Paused(PausedReason::Manual);
    for state in [CampaignState::Draft, paused, CampaignState::Cancelled] {
        let campaign = add_campaign(store, state).await;
        let job = add(store, job(Some(&membership(&campaign)), 1, start())).await;
        assert_eq!(begin(store, job.id(), wide_gate()).await, Begun::Refused(Refusal::NotRunning));
        let mut running = campaign;
        running.state = CampaignState::Running;
        put_campaign(store, &running, Some(1)).await;
        assert_eq!(begin(store, job.id(), wide_gate()).await, Begun::Go);
        end_busy(store, job.id()).await;
    }
}

pub async fn only_the_present_run_of_a_campaign_is_dialled(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let newer = Campaign { run: run_id(), ..campaign.clone() };
    let old = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    let new = add(store, job(Some(&membership(&newer)), 2, start())).await;
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, [old.id().clone()]);
    assert_eq!(begin(store, new.id(), wide_gate()).await, Begun::Refused(Refusal::Superseded));

    put_campaign(store, &newer, Some(1)).await;
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!(due.jobs, [new.id().clone()], "an old run's job would be handed out in vain for ever");
    assert_eq!(begin(store, old.id(), wide_gate()).await, Begun::Refused(Refusal::Superseded));
    assert_eq!(begin(store, new.id(), wide_gate()).await, Begun::Go);
    let paused = Campaign { state: CampaignState::Paused(PausedReason::Manual), ..newer };
    put_campaign(store, &paused, Some(2)).await;
    assert_eq!(begin(store, old.id(), wide_gate()).await, Begun::Refused(Refusal::NotRunning));
}

pub async fn a_suppressed_number_is_not_dialled(keeper: impl Keeper) {
    let store = &*keeper.store();
    let job = add(store, job(None, 1, start())).await;
    let suppress = Some(Suppression { phone: phone(1), since: start(), reason: "asked".into() });
    store.commit(Write { suppress, ..Write::default() }).await.unwrap();
    assert_eq!(begin(store, job.id(), wide_gate()).await, Begun::Refused(Refusal::Suppressed));
    store.commit(Write { unsuppress: Some(phone(1)), ..Write::default() }).await.unwrap();
    assert_eq!(begin(store, job.id(), wide_gate()).await, Begun::Go);
}

pub async fn a_number_is_dialled_by_one_attempt_at_a_time(keeper: impl Keeper) {
    let store = &*keeper.store();
    let one = add_campaign(store, CampaignState::Running).await;
    let two = add_campaign(store, CampaignState::Running).await;
    let first = add(store, job(Some(&membership(&one)), 1, start())).await;
    let second = add(store, job(Some(&membership(&two)), 1, start())).await;
    let single = add(store, job(None, 1, start())).await;
    assert_eq!(begin(store, first.id(), wide_gate()).await, Begun::Go);
    for other in [&second, &single] {
        let held = Refusal::NumberHeld(first.id().clone());
        assert_eq!(begin(store, other.id(), wide_gate()).await, Begun::Refused(held));
    }
    assert_eq!(ready_at(store).await, start() + seconds(5));
    assert_eq!(store.number_holder(&phone(1)).await.unwrap().as_ref(), Some(first.id()));
    end_busy(store, first.id()).await;
    assert_eq!(store.number_holder(&phone(1)).await.unwrap(), None);
    assert_eq!(begin(store, single.id(), wide_gate()).await, Begun::Go);
    assert_eq!(store.number_holder(&phone(1)).await.unwrap().as_ref(), Some(single.id()));
}

pub async fn the_number_lock_outlasts_any_clock_and_ends_with_the_attempt(keeper: impl Keeper) {
    let store = &*keeper.store();
    let first = add(store, job(None, 1, start())).await;
    let second = add(store, job(None, 1, start())).await;
    assert_eq!(begin(store, first.id(), wide_gate()).await, Begun::Go);
    keeper.set_clock(start() + seconds(365 * 24 * 3600));
    let held = Refusal::NumberHeld(first.id().clone());
    assert_eq!(begin(store, second.id(), wide_gate()).await, Begun::Refused(held));
    end_busy(store, first.id()).await;
    assert_eq!(begin(store, second.id(), wide_gate()).await, Begun::Go);
}

pub async fn a_quarantined_call_keeps_its_number_and_frees_its_line(keeper: impl Keeper) {
    let store = &*keeper.store();
    let unclear = add(store, job(None, 1, start())).await;
    let same = add(store, job(None, 1, start())).await;
    let other = add(store, job(None, 2, start())).await;
    assert_eq!(begin(store, unclear.id(), lines(1)).await, Begun::Go);
    assert_eq!(begin(store, other.id(), lines(1)).await, Begun::Refused(Refusal::NoLine));
    tell(store, unclear.id(), Event::DialerDied).await;
    // Still well within the time that its line is held at the longest.
    let mut now = start();
    while read(store, unclear.id()).await.record.status() == Status::Unknown {
        now = store.overdue(1).await.unwrap().again_at.unwrap_or(now);
        keeper.set_clock(now);
        tell(store, unclear.id(), Event::Tick).await;
    }
    keeper.set_clock(start() + seconds(1));
    assert_eq!(read(store, unclear.id()).await.record.status(), Status::Quarantined);
    assert_eq!(begin(store, other.id(), lines(1)).await, Begun::Go);
    let held = Refusal::NumberHeld(unclear.id().clone());
    assert_eq!(begin(store, same.id(), wide_gate()).await, Begun::Refused(held));
    tell(store, unclear.id(), Event::Resolved { fate: Fate::Called }).await;
    assert_eq!(begin(store, same.id(), wide_gate()).await, Begun::Go);
}

pub async fn no_more_calls_than_lines(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut jobs = Vec::new();
    for number in 0..4 {
        jobs.push(add(store, job(None, number, start())).await.id().clone());
    }
    assert_eq!(begin(store, &jobs[0], lines(2)).await, Begun::Go);
    keeper.set_clock(start() + seconds(10));
    assert_eq!(begin(store, &jobs[1], lines(2)).await, Begun::Go);
    assert_eq!(begin(store, &jobs[2], lines(2)).await, Begun::Refused(Refusal::NoLine));
    assert_eq!(begin(store, &jobs[3], lines(2)).await, Begun::Refused(Refusal::NoLine));
    assert_eq!(ready_at(store).await, start() + seconds(11));
    // An end that was told frees one; an end that never is frees one in its own time.
    end_busy(store, &jobs[1]).await;
    assert_eq!(begin(store, &jobs[2], lines(2)).await, Begun::Go);
    let limit = gymcall_jobs::rules::Rules::default().line_limit();
    keeper.set_clock(start() + limit - seconds(1));
    assert_eq!(begin(store, &jobs[3], lines(2)).await, Begun::Refused(Refusal::NoLine));
    keeper.set_clock(start() + limit);
    assert_eq!(begin(store, &jobs[3], lines(2)).await, Begun::Go);
}

pub async fn a_campaign_has_lines_of_its_own(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let gate = campaign_gate(WIDE, &campaign.id, None, Some(1));
    let single = add(store, job(None, 1, start())).await;
    assert_eq!(begin(store, single.id(), wide_gate()).await, Begun::Go);
    let one = add(store, job(Some(&membership(&campaign)), 2, start())).await;
    let two = add(store, job(Some(&membership(&campaign)), 3, start())).await;
    assert_eq!(begin(store, one.id(), gate.clone()).await, Begun::Go);
    assert_eq!(begin(store, two.id(), gate.clone()).await, Begun::Refused(Refusal::NoLine));
    end_busy(store, one.id()).await;
    assert_eq!(begin(store, two.id(), gate).await, Begun::Go);
}

pub async fn the_gates_are_checked_in_order(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Draft).await;
    let shut = Gate { account: Capacity { calls_per_second: 0.001, lines: 1 }, campaign: None };
    let holder = add(store, job(None, 1, start())).await;
    assert_eq!(begin(store, holder.id(), shut.clone()).await, Begun::Go);
    let suppress = Some(Suppression { phone: phone(1), since: start(), reason: "asked".into() });
    store.commit(Write { suppress, ..Write::default() }).await.unwrap();
    let due = start() + seconds(5);
    let job = add(store, job(Some(&membership(&campaign)), 1, due)).await;
    let waiting = read(store, job.id()).await;
    let mut asked = dial(&waiting, shut, due);
    asked.closes = Some(due);
    let refusal = async |asked: &gymcall_jobs::store::BeginDial| match store.begin_dial(asked.clone()).await.unwrap() {
        Begun::Refused(refusal) => refusal,
        Begun::Go => panic!("it may not begin"),
    };
    assert_eq!(refusal(&asked).await, Refusal::NotDue(due));
    keeper.set_clock(due);
    assert_eq!(refusal(&asked).await, Refusal::WindowClosed);
    asked.closes = None;
    assert_eq!(refusal(&asked).await, Refusal::NotRunning);
    let mut running = campaign;
    running.state = CampaignState::Running;
    put_campaign(store, &running, Some(1)).await;
    assert_eq!(refusal(&asked).await, Refusal::Suppressed);
    store.commit(Write { unsuppress: Some(phone(1)), ..Write::default() }).await.unwrap();
    assert_eq!(refusal(&asked).await, Refusal::NumberHeld(holder.id().clone()));
    tell(store, holder.id(), Event::DialerDied).await;
    let elsewhere = add(store, super::fixtures::job(None, 2, start())).await;
    assert_eq!(begin(store, elsewhere.id(), asked.gate.clone()).await, Begun::Refused(Refusal::NoLine));
    let more = Gate { account: Capacity { lines: 2, ..asked.gate.account }, campaign: None };
    assert!(matches!(begin(store, elsewhere.id(), more).await, Begun::Refused(Refusal::Pace(_))));
    asked.job.from = Some(7);
    assert_eq!(refusal(&asked).await, Refusal::Changed);
}

pub async fn a_refusal_is_no_new_version(keeper: impl Keeper) {
    let store = &*keeper.store();
    let job = add(store, job(None, 1, start())).await;
    let before = read(store, job.id()).await;
    let mut changes = store.changes();
    assert_eq!(begin(store, job.id(), lines(0)).await, Begun::Refused(Refusal::NoLine));
    assert_eq!(read(store, job.id()).await, before);
    assert!(changes.try_recv().is_err(), "a refusal is no news");
    assert_eq!(ready_at(store).await, start() + seconds(1));
    // Its place in the queue is all that moved: who has read it may still begin, or write it.
    assert_eq!(begin(store, job.id(), lines(1)).await, Begun::Go);
}
