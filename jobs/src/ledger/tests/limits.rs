//! Campaigns that a limit stops, and that go on again.

use super::*;
use crate::campaign::{Action, PausedReason};
use crate::spend::Amount;

fn priced() -> Rules {
    Rules { price_per_minute: Some(Amount::from_micros(14_000)), ..Rules::default() }
}

/// A desk with a campaign and so many gyms in it.
async fn desk(policy: Policy, gyms: u128) -> (Desk, Campaign, Vec<JobId>) {
    let mut desk = Desk::with_ledgers(2);
    desk.ledgers = (0..2).map(|_| Ledger::new(desk.store.clone(), priced(), WIDE).0).collect();
    let (campaign, membership) = desk.campaign(policy).await;
    let mut jobs = Vec::new();
    for number in 1..=gyms {
        let gym = serde_json::from_value(json!({ "phone": format!("+1212555{number:04}") })).unwrap();
        let now = desk.store.now();
        let job = CallJob::new(JobId::new(now, number), Some(membership.clone()), gym, now, now);
        jobs.push(desk.ledgers[0].accept(job, None).await.unwrap().id().clone());
    }
    (desk, campaign, jobs)
}

impl Desk {
    async fn stands(&self, campaign: &Campaign) -> Stored<Campaign> {
        self.store.campaign(&campaign.id).await.unwrap().unwrap()
    }

    async fn paused(&self, campaign: &Campaign) -> Option<PausedReason> {
        self.stands(campaign).await.record.paused_reason()
    }

    /// Begins the dial of a job; its request's secret is the job's number, counted from 1.
    async fn dial(&self, jobs: &[JobId], number: usize) -> Begun {
        self.ledgers[number % 2].begin_dial(&jobs[number - 1], tag(number as u128)).await.unwrap().0
    }

    async fn ends(&self, jobs: &[JobId], number: usize, status: CallStatus) {
        self.ledgers[number % 2].tell(&jobs[number - 1], news(number as u128, status)).await.unwrap();
    }

    async fn change(&self, campaign: &Campaign, change: impl Fn(&mut Campaign)) {
        let Stored { mut record, version } = self.stands(campaign).await;
        change(&mut record);
        let campaign = Some(CampaignWrite { campaign: record, from: Some(version), begins: None });
        self.store.commit(Write { campaign, ..Write::default() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_spend_cap_pauses_its_campaign_and_lets_it_go_on_once_it_is_raised() {
    let policy = Policy { spend_cap: Some("0.15".parse().unwrap()), ..Policy::default() };
    let (desk, campaign, jobs) = desk(policy, 3).await;
    assert_eq!(desk.dial(&jobs, 1).await, Begun::Go);
    assert_eq!(desk.dial(&jobs, 2).await, Begun::Go);
    assert_eq!(desk.dial(&jobs, 3).await, Begun::Refused(Refusal::Budget));
    assert_eq!(desk.paused(&campaign).await, Some(PausedReason::Budget));
    assert_eq!(desk.job(&jobs[2]).await.record.status(), Status::Waiting);
    assert_eq!(desk.job(&jobs[0]).await.record.status(), Status::Dialing, "live calls finish");
    let history = desk.store.entries(&jobs[2], 0, 10).await.unwrap();
    let told = &history.last().unwrap().entry;
    assert_eq!((told.kind.as_str(), &told.detail["reason"]), ("campaign_paused", &json!("budget")));
    assert!(told.detail["why"].as_str().unwrap().contains("0.15"), "{told:?}");

    // Nobody has raised it: the next dial pauses it again.
    let ledger = &desk.ledgers[0];
    ledger.act(&campaign.id, Action::Resume, |_, _| None).await.unwrap();
    desk.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(desk.dial(&jobs, 3).await, Begun::Refused(Refusal::Budget));
    assert_eq!(desk.paused(&campaign).await, Some(PausedReason::Budget));
    desk.change(&campaign, |campaign| campaign.policy.spend_cap = Some("0.21".parse().unwrap())).await;
    ledger.act(&campaign.id, Action::Resume, |_, _| None).await.unwrap();
    desk.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(desk.dial(&jobs, 3).await, Begun::Go);
    assert_eq!(desk.paused(&campaign).await, None);
}

#[tokio::test]
async fn a_campaign_that_has_made_its_calls_of_the_day_goes_on_the_next_day_by_itself() {
    let policy = Policy { max_calls_per_day: Some(2), ..Policy::default() };
    let (desk, campaign, jobs) = desk(policy, 4).await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    desk.clock.0.store(at("2027-03-02T22:00:00Z").as_second(), Ordering::SeqCst);
    assert_eq!(desk.dial(&jobs, 1).await, Begun::Go);
    // Twilio took no call: the same one is asked for again, and is one of the day's once.
    let refused = Event::NotCreated { tag: tag(1), why: NonCreation::TryAgain, detail: "busy".into() };
    desk.ledgers[0].tell(&jobs[0], refused).await.unwrap();
    desk.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(desk.ledgers[0].begin_dial(&jobs[0], tag(11)).await.unwrap().0, Begun::Go);
    assert_eq!(desk.dial(&jobs, 2).await, Begun::Go);
    assert_eq!(desk.dial(&jobs, 3).await, Begun::Refused(Refusal::DailyLimit));
    let midnight = at("2027-03-03T00:00:00Z");
    let paused = desk.stands(&campaign).await;
    assert_eq!(paused.record.paused_reason(), Some(PausedReason::DailyLimit));
    assert_eq!(paused.record.resumes_at, Some(midnight));

    desk.clock.0.store(midnight.as_second() - 1, Ordering::SeqCst);
    for ledger in &desk.ledgers {
        assert_eq!(ledger.resume_due().await.unwrap(), Some(midnight));
    }
    assert_eq!(desk.stands(&campaign).await, paused);
    desk.clock.0.store(midnight.as_second(), Ordering::SeqCst);
    for next in join_all(desk.ledgers.iter().map(Ledger::resume_due)).await {
        assert_eq!(next.unwrap(), None);
    }
    let resumed = desk.stands(&campaign).await;
    assert_eq!((resumed.record.state, resumed.record.resumes_at), (CampaignState::Running, None));
    assert_eq!(resumed.version, paused.version + 1, "it is resumed once");
    assert_eq!(desk.dial(&jobs, 3).await, Begun::Go);
    assert_eq!(desk.dial(&jobs, 4).await, Begun::Go);
}

#[tokio::test]
async fn a_person_who_pauses_what_would_go_on_by_itself_keeps_it_paused() {
    let policy = Policy { max_calls_per_day: Some(1), ..Policy::default() };
    let (desk, campaign, jobs) = desk(policy, 2).await;
    assert_eq!(desk.dial(&jobs, 1).await, Begun::Go);
    assert_eq!(desk.dial(&jobs, 2).await, Begun::Refused(Refusal::DailyLimit));
    desk.ledgers[0].act(&campaign.id, Action::Pause(PausedReason::Manual), |_, _| None).await.unwrap();
    desk.clock.0.fetch_add(3 * 86_400, Ordering::SeqCst);
    assert_eq!(desk.ledgers[1].resume_due().await.unwrap(), None);
    assert_eq!(desk.paused(&campaign).await, Some(PausedReason::Manual));
}

#[tokio::test]
async fn the_call_that_opens_the_breaker_pauses_its_campaign() {
    let (desk, campaign, jobs) = desk(Policy { max_attempts: 1, ..Policy::default() }, 13).await;
    for number in 1..=12 {
        assert_eq!(desk.dial(&jobs, number).await, Begun::Go);
    }
    desk.ends(&jobs, 1, CallStatus::Busy).await;
    for number in 2..=10 {
        desk.ends(&jobs, number, CallStatus::Failed).await;
        assert_eq!(desk.paused(&campaign).await, None);
    }
    desk.ends(&jobs, 11, CallStatus::Failed).await;
    let paused = desk.stands(&campaign).await;
    assert_eq!(paused.record.paused_reason(), Some(PausedReason::CircuitBreaker));
    let history = desk.store.entries(&jobs[10], 0, 20).await.unwrap();
    assert_eq!(history.last().unwrap().entry.kind, "campaign_paused");
    desk.ends(&jobs, 12, CallStatus::Failed).await;
    assert_eq!(desk.stands(&campaign).await, paused, "it is paused once");

    // Whoever resumes it has seen to it: what was before is forgotten.
    desk.ledgers[0].act(&campaign.id, Action::Resume, |_, _| None).await.unwrap();
    assert_eq!(desk.dial(&jobs, 13).await, Begun::Go);
    desk.ends(&jobs, 13, CallStatus::Failed).await;
    assert_eq!(desk.paused(&campaign).await, None);
}

#[tokio::test]
async fn a_campaign_in_which_nobody_waits_is_not_paused_by_its_last_calls() {
    let (desk, campaign, jobs) = desk(Policy { max_attempts: 1, ..Policy::default() }, 12).await;
    for number in 1..=12 {
        assert_eq!(desk.dial(&jobs, number).await, Begun::Go);
    }
    for number in 1..=12 {
        desk.ends(&jobs, number, CallStatus::Failed).await;
    }
    assert_eq!(desk.paused(&campaign).await, None);
}
