mod limits;
mod passes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::memory::HALF;
use super::*;
use crate::answer::{Answer, AnswerValue};
use crate::attempt::CallStatus;
use crate::campaign::{Campaign, CampaignState};
use crate::event::{Fate, NonCreation};
use crate::id::{CallSid, CampaignId, RunId};
use crate::job::{Membership, Status};
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Outcome, Report, SkipReason};
use crate::rules::Policy;
use crate::store::clock::Clock;
use crate::store::sqlite::SqliteStore;
use crate::store::{CampaignWrite, Change, Stored};

/// A clock that is turned by hand.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A store on disk with as many ledgers on it as there would be processes.
struct Desk {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
    store: Arc<dyn Store>,
    ledgers: Vec<Ledger>,
}

const WIDE: Capacity = Capacity { calls_per_second: 1e9, lines: 1_000 };

impl Desk {
    fn with_ledgers(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000)));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), clock.clone()).unwrap());
        let ledgers = (0..count).map(|_| Ledger::new(store.clone(), Rules::default(), WIDE).0).collect();
        Self { folder, clock, store, ledgers }
    }

    /// A running campaign, and what its jobs belong to.
    async fn campaign(&self, policy: Policy) -> (Campaign, Membership) {
        let now = self.store.now();
        let campaign = Campaign { policy, ..running(now) };
        self.ledgers[0].create_campaign(campaign.clone(), None).await.unwrap();
        let membership = Membership { campaign: campaign.id.clone(), run: campaign.run.clone() };
        (campaign, membership)
    }

    async fn job(&self, id: &JobId) -> Stored<CallJob> {
        self.store.job(id).await.unwrap().unwrap()
    }

    /// A job that is being talked to, as the first ledger knows it.
    async fn talking(&self, membership: Option<Membership>) -> JobId {
        let id = self.accepted(membership).await;
        let ledger = &self.ledgers[0];
        assert_eq!(ledger.begin_dial(&id, tag(1)).await.unwrap().0, Begun::Go);
        ledger.tell(&id, Event::Created { tag: tag(1), call: call(1) }).await.unwrap();
        ledger.tell(&id, news(1, CallStatus::InProgress)).await.unwrap();
        id
    }

    async fn accepted(&self, membership: Option<Membership>) -> JobId {
        let gym = serde_json::from_value(json!({ "phone": "+12125550123" })).unwrap();
        let now = self.store.now();
        let job = CallJob::new(JobId::new(now, 1), membership, gym, now, now);
        self.ledgers[0].accept(job, None).await.unwrap().id().clone()
    }
}

fn running(now: Timestamp) -> Campaign {
    let draft = Campaign::new(CampaignId::new(now, 1), RunId::new(now, 1), "Spring".into(), now);
    Campaign { state: CampaignState::Running, run_begun: true, ..draft }
}

fn tag(number: u128) -> Tag {
    Tag::new(number)
}

fn call(number: u128) -> CallSid {
    format!("CA{number:032x}").parse().unwrap()
}

fn news(number: u128, status: CallStatus) -> Event {
    let (duration_s, price, answered_by) = (None, None, None);
    Event::CallNews { tag: Some(tag(number)), call: call(number), status, at: None, duration_s, price, answered_by }
}

fn answer(key: u32) -> Event {
    let value = AnswerValue::Money { amount: "15.00".into(), currency: "USD".into() };
    let answer = Answer { key: format!("key {key}"), value, quote: "fifteen".into(), from_ms: 0, to_ms: 1 };
    Event::AnswerHeard { tag: tag(1), call: call(1), answer }
}

fn reported() -> Event {
    let report = Report {
        disposition: Disposition::AnsweredFull,
        ended_reason: EndedReason::AgentHangup,
        answered_by: AnsweredBy::Human,
    };
    Event::Reported { tag: tag(1), call: call(1), report }
}

/// Most of what can be told, of some requests and their calls.
fn event() -> impl Strategy<Value = Event> {
    let number = || 1..=4_u128;
    let detail = String::new;
    prop_oneof![
        4 => number().prop_map(|number| Event::DialBegun { tag: tag(number) }),
        4 => number().prop_map(|number| Event::Created { tag: tag(number), call: call(number) }),
        8 => (number(), proptest::sample::select(CallStatus::ALL)).prop_map(|(number, status)| news(number, status)),
        1 => number().prop_map(move |number| Event::NotCreated {
            tag: tag(number), why: NonCreation::TryAgain, detail: detail(),
        }),
        1 => number().prop_map(move |number| Event::Unclear { tag: tag(number), detail: detail() }),
        1 => number().prop_map(move |number| Event::NotFound { tag: tag(number), detail: detail() }),
        2 => number().prop_map(|number| Event::StreamOpened {
            tag: tag(number), call: call(number), stream: format!("MZ{number:032x}"),
        }),
        3 => (0..3_u32).prop_map(answer),
        1 => Just(reported()),
        1 => Just(Event::Resolved { fate: Fate::NotCalled }),
        3 => Just(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever of several processes is told, and whatever each remembers: the job becomes what one that
    /// remembers nothing makes of the same news.
    #[test]
    fn what_is_remembered_never_hides_news(told in vec((0..3_usize, event(), 0..40_i64), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::with_ledgers(3);
            // Many tries, one right after the other: most news then is of another try than the one remembered.
            let policy = Policy { max_attempts: 20, redial_after_minutes: 0.0, ..Policy::default() };
            let rules = Rules::default().for_policy(&policy);
            let membership = desk.campaign(policy).await.1;
            let id = desk.accepted(Some(membership)).await;
            let mut plain = desk.job(&id).await;
            for (which, event, seconds) in told {
                desk.clock.0.fetch_add(seconds, Ordering::SeqCst);
                let due = plain.record.due().is_none_or(|due| due <= desk.store.now());
                let step = plain.record.step(&event, &rules, desk.store.now());
                let ledger = &desk.ledgers[which];
                let moved = match &event {
                    Event::DialBegun { tag } => ledger.begin_dial(&id, tag.clone()).await.unwrap().0 == Begun::Go,
                    _ => matches!(ledger.tell(&id, event.clone()).await.unwrap(), Told::Moved(_)),
                };
                if let Step::Moved(next, _) = step && (due || !matches!(event, Event::DialBegun { .. })) {
                    prop_assert!(moved, "{event:?} was not heard: {:?}", plain.record.status());
                    plain = Stored { record: *next, version: plain.version + 1 };
                } else {
                    prop_assert!(!moved, "{event:?} moved a job that it does not concern");
                }
                prop_assert_eq!(&desk.job(&id).await, &plain);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_tell_at_once_nobody_is_lost() {
    let desk = Desk::with_ledgers(2);
    let id = desk.talking(None).await;
    let tellers = (0..40).map(|key| {
        let (ledger, id) = (desk.ledgers[key as usize % 2].clone(), id.clone());
        tokio::spawn(async move { ledger.tell(&id, answer(key)).await })
    });
    for told in join_all(tellers).await {
        assert!(matches!(told.unwrap().unwrap(), Told::Moved(_)));
    }
    let mut keys: Vec<String> = desk.job(&id).await.record.answers().iter().map(|answer| answer.key.clone()).collect();
    keys.sort();
    let mut all: Vec<String> = (0..40).map(|key| format!("key {key}")).collect();
    all.sort();
    assert_eq!(keys, all);
}

#[tokio::test]
async fn a_call_under_way_is_told_without_being_read() {
    let desk = Desk::with_ledgers(2);
    let id = desk.talking(None).await;
    // What cannot be read need not be: the version alone is compared.
    let file = rusqlite::Connection::open(desk.folder.path().join("gymcall.sqlite3")).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    file.execute("UPDATE jobs SET record = '?'", []).unwrap();
    let stranger = desk.ledgers[1].tell(&id, answer(0)).await;
    assert!(matches!(stranger, Err(StoreError::Corrupt(_))), "{stranger:?}");
    assert!(matches!(desk.ledgers[0].tell(&id, answer(1)).await.unwrap(), Told::Moved(_)));
}

#[tokio::test]
async fn a_changed_policy_holds_for_the_next_news() {
    let desk = Desk::with_ledgers(1);
    let (mut campaign, membership) = desk.campaign(Policy { max_attempts: 1, ..Policy::default() }).await;
    let id = desk.accepted(Some(membership)).await;
    desk.ledgers[0].begin_dial(&id, tag(1)).await.unwrap();
    campaign.policy.max_attempts = 2;
    let campaign = Some(CampaignWrite { campaign, from: Some(1), begins: None });
    desk.store.commit(Write { campaign, ..Write::default() }).await.unwrap();
    desk.ledgers[0].tell(&id, news(1, CallStatus::Busy)).await.unwrap();
    assert_eq!(desk.job(&id).await.record.status(), Status::Waiting, "it has a second try by now");
}

#[tokio::test]
async fn no_more_is_remembered_than_has_room() {
    let desk = Desk::with_ledgers(1);
    let id = desk.talking(None).await;
    let job = Arc::new(desk.job(&id).await.record);
    let memory = Memory::new(desk.store.changes());
    let others = 5 * HALF as u128;
    for number in 0..others {
        let mut other = CallJob::clone(&job);
        other.id = JobId::new(desk.store.now(), number);
        memory.wrote(Seen { job: Arc::new(other), version: 1 });
        // Who is asked for now and then stays.
        memory.wrote(Seen { job: job.clone(), version: 1 });
    }
    assert!(memory.job(&id).is_some());
    let kept = (0..others).filter(|number| memory.job(&JobId::new(desk.store.now(), *number)).is_some()).count();
    assert!((HALF / 2..=2 * HALF).contains(&kept), "{kept} jobs are remembered");
}

#[tokio::test]
async fn a_job_whose_hours_end_while_it_waits_is_called_the_next_morning() {
    let desk = Desk::with_ledgers(1);
    let ledger = &desk.ledgers[0];
    let window: crate::window::Hours = serde_json::from_value(json!({ "from": "10:00", "to": "18:00" })).unwrap();
    let (_, membership) = desk.campaign(Policy { window: Some(window.clone()), ..Policy::default() }).await;
    let gym = json!({ "phone": "+12125550123", "timezone": { "name": "America/New_York", "source": "csv" } });
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let now = at("2027-01-15T22:59:50Z");
    desk.clock.0.store(now.as_second(), Ordering::SeqCst);
    let job = CallJob::new(JobId::new(now, 7), Some(membership), serde_json::from_value(gym).unwrap(), now, now);
    let id = ledger.accept(job.keeping(Some(&window)), None).await.unwrap().id().clone();
    assert_eq!(desk.job(&id).await.record.due(), Some(now));

    // Ten seconds later it is six in the evening over there.
    desk.clock.0.fetch_add(10, Ordering::SeqCst);
    assert_eq!(ledger.begin_dial(&id, tag(1)).await.unwrap().0, Begun::Refused(Refusal::WindowClosed));
    ledger.tell(&id, Event::WindowClosed).await.unwrap();
    let morning = at("2027-01-16T15:00:00Z");
    assert_eq!(desk.job(&id).await.record.due(), Some(morning));

    desk.clock.0.store(morning.as_second() - 1, Ordering::SeqCst);
    assert_eq!(ledger.begin_dial(&id, tag(1)).await.unwrap().0, Begun::Refused(Refusal::NotDue(morning)));
    desk.clock.0.store(morning.as_second(), Ordering::SeqCst);
    assert_eq!(ledger.begin_dial(&id, tag(1)).await.unwrap().0, Begun::Go);

    // It is busy until after hours: the next try is on the morning after.
    ledger.tell(&id, Event::Created { tag: tag(1), call: call(1) }).await.unwrap();
    desk.clock.0.store(at("2027-01-16T22:30:00Z").as_second(), Ordering::SeqCst);
    ledger.tell(&id, news(1, CallStatus::Busy)).await.unwrap();
    assert_eq!(desk.job(&id).await.record.due(), Some(at("2027-01-17T15:00:00Z")));
}

#[tokio::test]
async fn a_call_that_twilio_has_not_dialled_by_the_end_of_the_hours_is_looked_at_then() {
    let desk = Desk::with_ledgers(1);
    let ledger = &desk.ledgers[0];
    let window: crate::window::Hours = serde_json::from_value(json!({ "from": "10:00", "to": "18:00" })).unwrap();
    let (campaign, membership) = desk.campaign(Policy { window: Some(window.clone()), ..Policy::default() }).await;
    let gym = json!({ "phone": "+12125550123", "timezone": { "name": "America/New_York", "source": "csv" } });
    let now: Timestamp = "2027-01-15T22:59:40Z".parse().unwrap();
    desk.clock.0.store(now.as_second(), Ordering::SeqCst);
    let job = CallJob::new(JobId::new(now, 7), Some(membership), serde_json::from_value(gym).unwrap(), now, now);
    let id = ledger.accept(job.keeping(Some(&window)), None).await.unwrap().id().clone();
    assert_eq!(ledger.begin_dial(&id, tag(1)).await.unwrap().0, Begun::Go);
    ledger.tell(&id, Event::Created { tag: tag(1), call: call(1) }).await.unwrap();
    let rules = Rules::default().for_policy(&campaign.policy);
    let closes: Timestamp = "2027-01-15T23:00:00Z".parse().unwrap();
    assert_eq!(desk.job(&id).await.record.deadline(&rules), Some(closes));
}

#[tokio::test]
async fn a_gym_whose_hours_nobody_can_tell_is_skipped_and_one_without_hours_is_not() {
    for (window, status, reason) in [
        (Some(crate::window::Hours::default()), Status::Skipped, Some(SkipReason::NoTimezone)),
        (None, Status::Dialing, None),
    ] {
        let desk = Desk::with_ledgers(1);
        let ledger = &desk.ledgers[0];
        let (_, membership) = desk.campaign(Policy { window: window.clone(), ..Policy::default() }).await;
        let now = desk.store.now();
        let gym = serde_json::from_value(json!({ "phone": "+12125550123" })).unwrap();
        let job = CallJob::new(JobId::new(now, 7), Some(membership), gym, now, now).keeping(window.as_ref());
        let id = ledger.accept(job, None).await.unwrap().id().clone();
        let begun = ledger.begin_dial(&id, tag(1)).await.unwrap().0;
        if begun != Begun::Go {
            assert_eq!(begun, Begun::Refused(Refusal::WindowClosed));
            ledger.tell(&id, Event::WindowClosed).await.unwrap();
        }
        let job = desk.job(&id).await.record;
        assert_eq!(job.status(), status);
        let skipped = reason.map(Outcome::Skipped);
        assert_eq!(job.outcome(), skipped.as_ref());
    }
}
