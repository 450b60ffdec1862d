//! What a campaign limits: what its run costs, its calls of a day, and how many may fail.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::breaker::Endings;
use gymcall_jobs::campaign::{Campaign, CampaignState, PausedReason};
use gymcall_jobs::event::{Event, Fate};
use gymcall_jobs::id::JobId;
use gymcall_jobs::job::Status;
use gymcall_jobs::run::{Cause, Run};
use gymcall_jobs::spend::Amount;
use gymcall_jobs::store::{Begun, CampaignCapacity, CampaignWrite, DayOfCalls, Gate, Refusal, Store, Write};

use super::Keeper;
use super::fixtures::*;

/// What is set aside for a call by the fixtures' rules: five minutes at 0.014.
const RESERVE: Amount = Amount::from_micros(70_000);

fn gate(campaign: &Campaign, own: CampaignCapacity) -> Gate {
    Gate { account: WIDE, campaign: Some((campaign.id.clone(), own)) }
}

fn capped(campaign: &Campaign, cap: Amount) -> Gate {
    gate(campaign, CampaignCapacity { spend_cap: Some(cap), ..CampaignCapacity::default() })
}

fn on_day(campaign: &Campaign, number: i64, calls: Option<u32>) -> Gate {
    gate(campaign, CampaignCapacity { day: Some(DayOfCalls { number, calls }), ..CampaignCapacity::default() })
}

async fn jobs_of(store: &dyn Store, campaign: &Campaign, many: u32) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for number in 0..many {
        jobs.push(add(store, job(Some(&membership(campaign)), number, start())).await.id().clone());
    }
    jobs
}

/// Ends the call of a job that is being dialled.
async fn end(store: &dyn Store, id: &JobId, status: CallStatus, seconds: u32, price: Option<&str>) {
    let job = read(store, id).await.record;
    let tag = job.open_attempt().map(|attempt| attempt.tag.clone());
    let call = job.call().cloned().unwrap_or_else(call_sid);
    let (at, duration_s, price) = (Some(store.now()), Some(seconds), price.map(str::to_owned));
    tell(store, id, Event::CallNews { tag, call, status, at, duration_s, price, answered_by: None }).await;
}

pub async fn a_run_never_costs_more_than_its_cap(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 4).await;
    let gate = capped(&campaign, RESERVE.times(3));
    for id in &jobs[..3] {
        assert_eq!(begin(store, id, gate.clone()).await, Begun::Go, "exactly the cap may be spent");
    }
    assert_eq!(begin(store, &jobs[3], gate.clone()).await, Begun::Refused(Refusal::Budget));
    let almost = capped(&campaign, RESERVE.times(4).plus(Amount::from_micros(-1)));
    assert_eq!(begin(store, &jobs[3], almost).await, Begun::Refused(Refusal::Budget));
    // The caps of others are theirs, and a refused job waits where it was.
    let other = add_campaign(store, CampaignState::Running).await;
    let elsewhere = add(store, job(Some(&membership(&other)), 9, start())).await;
    assert_eq!(begin(store, elsewhere.id(), capped(&other, RESERVE)).await, Begun::Go);
    assert_eq!(read(store, &jobs[3]).await.record.status(), Status::Waiting);
    assert_eq!(begin(store, &jobs[3], capped(&campaign, RESERVE.times(4))).await, Begun::Go);
    assert_eq!(store.counts(&campaign.run).await.unwrap().tally().spent(), RESERVE.times(4));
}

pub async fn what_a_call_did_not_cost_may_be_spent_again(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 4).await;
    let gate = capped(&campaign, RESERVE);
    assert_eq!(begin(store, &jobs[0], gate.clone()).await, Begun::Go);
    assert_eq!(begin(store, &jobs[1], gate.clone()).await, Begun::Refused(Refusal::Budget));
    end(store, &jobs[0], CallStatus::Busy, 0, None).await;
    assert_eq!(store.counts(&campaign.run).await.unwrap().tally().spent(), Amount::ZERO);
    assert_eq!(begin(store, &jobs[1], gate.clone()).await, Begun::Go);
    end(store, &jobs[1], CallStatus::Completed, 61, None).await;
    // Two begun minutes, until the price says otherwise.
    let more = RESERVE.plus(Amount::from_micros(28_000));
    let tally = *store.counts(&campaign.run).await.unwrap().tally();
    assert_eq!((tally.cost, tally.reserved), (28_000, 0));
    let less = capped(&campaign, more.plus(Amount::from_micros(-1)));
    assert_eq!(begin(store, &jobs[2], less.clone()).await, Begun::Refused(Refusal::Budget));
    end(store, &jobs[1], CallStatus::Completed, 61, Some("-0.02799")).await;
    assert_eq!(begin(store, &jobs[2], less).await, Begun::Go);
}

pub async fn a_call_that_stays_unclear_keeps_its_reserve(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 2).await;
    let gate = capped(&campaign, RESERVE);
    assert_eq!(begin(store, &jobs[0], gate.clone()).await, Begun::Go);
    tell(store, &jobs[0], Event::DialerDied).await;
    while read(store, &jobs[0]).await.record.status() == Status::Unknown {
        assert_eq!(begin(store, &jobs[1], gate.clone()).await, Begun::Refused(Refusal::Budget));
        keeper.set_clock(store.overdue(1).await.unwrap().again_at.unwrap_or(store.now()));
        tell(store, &jobs[0], Event::Tick).await;
    }
    assert_eq!(read(store, &jobs[0]).await.record.status(), Status::Quarantined);
    assert_eq!(begin(store, &jobs[1], gate.clone()).await, Begun::Refused(Refusal::Budget));
    tell(store, &jobs[0], Event::Resolved { fate: Fate::NotCalled }).await;
    assert_eq!(begin(store, &jobs[1], gate).await, Begun::Go);
}

/// How many of many callers, each with a job of its own, may begin at once.
async fn together(keeper: &impl Keeper, campaign: &Campaign, gate: &Gate, refused: Refusal) -> usize {
    let store = keeper.store();
    let mut callers = Vec::new();
    for id in jobs_of(&*store, campaign, 32).await {
        let (store, gate) = (store.clone(), gate.clone());
        callers.push(tokio::spawn(async move { begin(&*store, &id, gate).await }));
    }
    let mut gone = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Begun::Go => gone += 1,
            other => assert_eq!(other, Begun::Refused(refused.clone())),
        }
    }
    gone
}

pub async fn many_callers_together_spend_no_more_than_the_cap(keeper: impl Keeper) {
    let campaign = add_campaign(&*keeper.store(), CampaignState::Running).await;
    let gate = capped(&campaign, RESERVE.times(7));
    assert_eq!(together(&keeper, &campaign, &gate, Refusal::Budget).await, 7);
    let counts = keeper.store().counts(&campaign.run).await.unwrap();
    assert_eq!((counts.tally().spent(), counts.live()), (RESERVE.times(7), 7));
}

pub async fn no_more_calls_begin_on_a_day_than_may(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 5).await;
    let today = on_day(&campaign, 20_260_302, Some(2));
    assert_eq!(begin(store, &jobs[0], today.clone()).await, Begun::Go);
    end(store, &jobs[0], CallStatus::Busy, 0, None).await;
    assert_eq!(begin(store, &jobs[1], today.clone()).await, Begun::Go);
    assert_eq!(begin(store, &jobs[2], today).await, Begun::Refused(Refusal::DailyLimit));
    assert_eq!(read(store, &jobs[2]).await.record.status(), Status::Waiting);
    // A request for a call that is counted, and the next day.
    let counted = gate(&campaign, CampaignCapacity::default());
    assert_eq!(begin(store, &jobs[2], counted).await, Begun::Go);
    let tomorrow = on_day(&campaign, 20_260_303, Some(1));
    assert_eq!(begin(store, &jobs[3], tomorrow.clone()).await, Begun::Go);
    assert_eq!(begin(store, &jobs[4], tomorrow).await, Begun::Refused(Refusal::DailyLimit));
}

pub async fn many_callers_together_begin_no_more_calls_than_a_day_has(keeper: impl Keeper) {
    let campaign = add_campaign(&*keeper.store(), CampaignState::Running).await;
    let gate = on_day(&campaign, 20_260_302, Some(9));
    assert_eq!(together(&keeper, &campaign, &gate, Refusal::DailyLimit).await, 9);
}

pub async fn a_day_is_counted_whether_it_has_a_limit_or_not(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 3).await;
    assert_eq!(begin(store, &jobs[0], on_day(&campaign, 20_260_302, None)).await, Begun::Go);
    let limited = on_day(&campaign, 20_260_302, Some(1));
    assert_eq!(begin(store, &jobs[1], limited.clone()).await, Begun::Refused(Refusal::DailyLimit));
    // Those of another campaign are its own.
    let other = add_campaign(store, CampaignState::Running).await;
    let elsewhere = add(store, job(Some(&membership(&other)), 9, start())).await;
    assert_eq!(begin(store, elsewhere.id(), on_day(&other, 20_260_302, Some(1))).await, Begun::Go);
}

/// A campaign of which this many calls have failed, and its next job.
async fn failing(store: &dyn Store, failed: u32) -> (Campaign, JobId) {
    let campaign = add_campaign(store, CampaignState::Running).await;
    let mut jobs = jobs_of(store, &campaign, failed + 1).await;
    let next = jobs.pop().expect("one more");
    for id in &jobs {
        assert_eq!(begin(store, id, wide_gate()).await, Begun::Go);
    }
    for id in &jobs {
        end(store, id, CallStatus::Failed, 0, None).await;
    }
    (campaign, next)
}

pub async fn a_breaker_that_is_open_lets_no_dial_begin(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let jobs = jobs_of(store, &campaign, 23).await;
    let own = gate(&campaign, CampaignCapacity::default());
    for id in &jobs[..21] {
        assert_eq!(begin(store, id, own.clone()).await, Begun::Go);
    }
    for id in &jobs[..9] {
        end(store, id, CallStatus::Failed, 0, None).await;
    }
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 9);
    assert_eq!(begin(store, &jobs[21], own.clone()).await, Begun::Go);
    end(store, &jobs[9], CallStatus::Failed, 0, None).await;
    assert!(store.endings(&campaign.id).await.unwrap().is_tripped());
    assert_eq!(begin(store, &jobs[22], own.clone()).await, Begun::Refused(Refusal::CircuitBreaker));
    // Other campaigns are not its matter; calls that were put through close it again.
    let other = add_campaign(store, CampaignState::Running).await;
    let elsewhere = add(store, job(Some(&membership(&other)), 99, start())).await;
    assert_eq!(begin(store, elsewhere.id(), gate(&other, CampaignCapacity::default())).await, Begun::Go);
    for id in &jobs[10..21] {
        end(store, id, CallStatus::Busy, 0, None).await;
    }
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 9);
    assert_eq!(begin(store, &jobs[22], own).await, Begun::Go);
}

pub async fn a_campaign_that_begins_to_run_forgets_how_its_calls_ended(keeper: impl Keeper) {
    let store = &*keeper.store();
    let (campaign, next) = failing(store, 12).await;
    let renamed = Campaign { name: "Summer".to_owned(), ..campaign.clone() };
    put_campaign(store, &renamed, Some(1)).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 12, "it was running all along");
    let paused = Campaign { state: CampaignState::Paused(PausedReason::CircuitBreaker), ..campaign.clone() };
    put_campaign(store, &paused, Some(2)).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 12);
    put_campaign(store, &campaign, Some(3)).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap(), Endings::default());
    let failed = add(store, job(Some(&membership(&campaign)), 90, start())).await;
    assert_eq!(begin(store, failed.id(), wide_gate()).await, Begun::Go);
    end(store, failed.id(), CallStatus::Failed, 0, None).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 1);
    let begins = Some(Run {
        id: campaign.run.clone(),
        campaign: campaign.id.clone(),
        number: 1,
        cause: Cause::Start,
        due_at: None,
        started_at: start(),
        ended_at: None,
    });
    let next_night = Some(CampaignWrite { campaign: campaign.clone(), from: Some(4), begins });
    store.commit(Write { campaign: next_night, ..Write::default() }).await.unwrap();
    assert_eq!(store.endings(&campaign.id).await.unwrap(), Endings::default(), "each run begins anew");
    assert_eq!(begin(store, &next, gate(&campaign, CampaignCapacity::default())).await, Begun::Go);
}

pub async fn how_calls_of_a_replaced_run_end_says_nothing_of_the_present_one(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let old = jobs_of(store, &campaign, 2).await;
    for job in &old {
        assert_eq!(begin(store, job, wide_gate()).await, Begun::Go);
    }
    end(store, &old[0], CallStatus::Failed, 0, None).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 1);
    put_campaign(store, &Campaign { run: run_id(), ..campaign.clone() }, Some(1)).await;
    end(store, &old[1], CallStatus::Failed, 0, None).await;
    assert_eq!(store.endings(&campaign.id).await.unwrap().failed(), 1);
}

pub async fn limits_outlive_a_kill(keeper: impl Keeper) {
    let (capped_one, limited, broken, jobs) = {
        let store = &*keeper.store();
        let capped_one = add_campaign(store, CampaignState::Running).await;
        let jobs = jobs_of(store, &capped_one, 2).await;
        assert_eq!(begin(store, &jobs[0], capped(&capped_one, RESERVE)).await, Begun::Go);
        let limited = add_campaign(store, CampaignState::Running).await;
        let busy = add(store, job(Some(&membership(&limited)), 50, start())).await;
        assert_eq!(begin(store, busy.id(), on_day(&limited, 20_260_302, Some(1))).await, Begun::Go);
        let broken = add_campaign(store, CampaignState::Running).await;
        let next = add(store, job(Some(&membership(&broken)), 52, start())).await.id().clone();
        for number in 60..70 {
            let failed = add(store, job(Some(&membership(&broken)), number, start())).await;
            assert_eq!(begin(store, failed.id(), wide_gate()).await, Begun::Go);
            end(store, failed.id(), CallStatus::Failed, 0, None).await;
        }
        let late = add(store, job(Some(&membership(&limited)), 51, start())).await;
        (capped_one, limited, broken, [jobs[1].clone(), late.id().clone(), next])
    };
    let keeper = keeper.crashed().await;
    let store = &*keeper.store();
    let [poor, late, next] = &jobs;
    assert_eq!(begin(store, poor, capped(&capped_one, RESERVE)).await, Begun::Refused(Refusal::Budget));
    let today = on_day(&limited, 20_260_302, Some(1));
    assert_eq!(begin(store, late, today).await, Begun::Refused(Refusal::DailyLimit));
    let own = gate(&broken, CampaignCapacity::default());
    assert_eq!(begin(store, next, own).await, Begun::Refused(Refusal::CircuitBreaker));
}
