//! Records to store, and short ways to store them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gymcall_jobs::announcement::Announcement;
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::breaker;
use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, CampaignId, ImportId, JobId, RunId, Tag};
use gymcall_jobs::job::{CallJob, Membership, Status};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::Step;
use gymcall_jobs::store::{
    BeginDial, Begun, CampaignCapacity, CampaignWrite, Capacity, Gate, JobWrite, NewEntry, Store, Stored, Write,
};
use gymcall_jobs::tally::Tally;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// When every test begins.
pub fn start() -> Timestamp {
    "2026-03-02T15:00:00Z".parse().unwrap()
}

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A limit that limits nothing.
pub const WIDE: Capacity = Capacity { calls_per_second: 1e9, lines: 1_000_000 };

pub fn wide_gate() -> Gate {
    Gate { account: WIDE, campaign: None }
}

/// The usual rules, and a price.
pub fn rules() -> Rules {
    Rules { price_per_minute: Some("0.014".parse().unwrap()), ..Rules::default() }
}

pub fn chance() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn phone(number: u32) -> PhoneNumber {
    serde_json::from_value(json!(format!("+1212555{number:04}"))).unwrap()
}

pub fn job(membership: Option<&Membership>, number: u32, due: Timestamp) -> CallJob {
    let gym = json!({ "phone": phone(number), "name": format!("Gym {number}") });
    let gym = serde_json::from_value(gym).unwrap();
    CallJob::new(JobId::new(start(), chance()), membership.cloned(), gym, due, start())
}

pub fn import_id() -> ImportId {
    ImportId::new(start(), chance())
}

pub fn run_id() -> RunId {
    RunId::new(start(), chance())
}

pub fn campaign(state: CampaignState) -> Campaign {
    let id = CampaignId::new(start(), chance());
    Campaign { state, ..Campaign::new(id, run_id(), "Spring".into(), start()) }
}

pub fn membership(campaign: &Campaign) -> Membership {
    Membership { campaign: campaign.id.clone(), run: campaign.run.clone() }
}

/// Stores a new campaign.
pub async fn add_campaign(store: &dyn Store, state: CampaignState) -> Campaign {
    let campaign = campaign(state);
    put_campaign(store, &campaign, None).await;
    campaign
}

pub async fn put_campaign(store: &dyn Store, campaign: &Campaign, from: Option<u64>) {
    let write = CampaignWrite { campaign: campaign.clone(), from, begins: None };
    store.commit(Write { campaign: Some(write), ..Write::default() }).await.unwrap();
}

/// A job as it is to be stored.
pub fn job_write(job: &CallJob, from: Option<u64>) -> JobWrite {
    let rules = Rules::default();
    JobWrite {
        job: Arc::new(job.clone()),
        from,
        deadline: job.deadline(&rules),
        line_until: job.line_until(&rules),
        tally: Tally::default(),
        ending: None,
        entries: Vec::new(),
    }
}

/// A job as it is to be stored after a move.
pub fn move_of(before: &Stored<CallJob>, after: &CallJob) -> JobWrite {
    let (tally, ending) = (Tally::between(&before.record, after), breaker::ending(&before.record, after));
    JobWrite { tally, ending, ..job_write(after, Some(before.version)) }
}

pub fn write_of(job: &CallJob, from: Option<u64>) -> Write {
    Write { job: Some(job_write(job, from)), ..Write::default() }
}

/// Stores a new job.
pub async fn add(store: &dyn Store, job: CallJob) -> CallJob {
    store.commit(write_of(&job, None)).await.unwrap();
    job
}

pub async fn read(store: &dyn Store, id: &JobId) -> Stored<CallJob> {
    store.job(id).await.unwrap().expect("the job is there")
}

pub fn tag() -> Tag {
    Tag::new(chance())
}

pub fn call_sid() -> CallSid {
    format!("CA{:032x}", chance()).parse().unwrap()
}

/// The job after an event that moves it.
pub fn after(job: &CallJob, event: &Event, now: Timestamp) -> CallJob {
    match job.step(event, &rules(), now) {
        Step::Moved(next, _) => *next,
        Step::Ignored(why) => panic!("{event:?} was ignored: {}", why.as_str()),
    }
}

/// Stores what an event makes of a job.
pub async fn tell(store: &dyn Store, id: &JobId, event: Event) -> CallJob {
    let before = read(store, id).await;
    let next = after(&before.record, &event, store.now());
    store.commit(Write { job: Some(move_of(&before, &next)), ..Write::default() }).await.unwrap();
    next
}

/// The dial of a waiting job.
pub fn dial(waiting: &Stored<CallJob>, gate: Gate, now: Timestamp) -> BeginDial {
    let due = waiting.record.due().expect("a waiting job");
    let dialing = after(&waiting.record, &Event::DialBegun { tag: tag() }, now);
    let announce = Announcement::of_job(&waiting.record, &dialing, now);
    BeginDial { job: move_of(waiting, &dialing), due, closes: None, gate, announce }
}

/// Reads a waiting job and asks to dial it.
pub async fn begin(store: &dyn Store, id: &JobId, gate: Gate) -> Begun {
    let waiting = read(store, id).await;
    store.begin_dial(dial(&waiting, gate, store.now())).await.unwrap()
}

/// A campaign's gate with limits of its own.
pub fn campaign_gate(account: Capacity, id: &CampaignId, calls_per_second: Option<f64>, lines: Option<u32>) -> Gate {
    Gate {
        account,
        campaign: Some((id.clone(), CampaignCapacity { calls_per_second, lines, ..CampaignCapacity::default() })),
    }
}

/// The event that ends the open attempt of a job that is being dialled: the line was busy.
pub async fn end_busy(store: &dyn Store, id: &JobId) -> CallJob {
    let job = read(store, id).await.record;
    assert_eq!(job.status(), Status::Dialing);
    let tag = job.open_attempt().expect("an open attempt").tag.clone();
    let event = Event::CallNews {
        tag: Some(tag),
        call: call_sid(),
        status: CallStatus::Busy,
        at: None,
        duration_s: None,
        price: None,
        answered_by: None,
    };
    tell(store, id, event).await
}

pub fn entry(kind: &str) -> NewEntry {
    NewEntry { at: start(), kind: kind.into(), detail: json!({ "said": kind }), ignored: None }
}
