//! A night: a real ledger on the real embedded store, a clock that is turned by hand, and a world in which calls go on.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gymcall_jobs::campaign::{Action, Campaign, CampaignState, CampaignStatus};
use gymcall_jobs::event::Event;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CampaignId, ImportId, JobId, RunId, Tag};
use gymcall_jobs::job::{CallJob, Membership};
use gymcall_jobs::ledger::{Firings, Ledger, Order};
use gymcall_jobs::rules::{Policy, Rules};
use gymcall_jobs::schedule::Schedule;
use gymcall_jobs::spend::Amount;
use gymcall_jobs::store::sqlite::SqliteStore;
use gymcall_jobs::store::{Begun, CampaignWrite, Capacity, JobQuery, Refusal, Store, Suppression, Write};
use gymcall_jobs::sweep;
use gymcall_jobs::window::Hours;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use super::callee::{Call, Habits, PRICE_PER_MINUTE};
use crate::hand_clock::HandClock;
use crate::simulation::chance::Dice;

/// A dial that began.
#[derive(Debug, Clone)]
pub struct Dial {
    pub job: JobId,
    pub attempt: usize,
    pub at: Timestamp,
    pub gym: Gym,
}

pub struct World {
    pub ledger: Ledger,
    pub habits: Habits,
    pub dials: Vec<Dial>,
    /// When the last call ended.
    pub last_end: Option<Timestamp>,
    /// Micro-dollars, for calls that are over.
    pub cost: i64,
    pub dice: Dice,
    /// What begins the runs, and when it is to look next.
    firings: Firings,
    fires_at: Option<Timestamp>,
    clock: Arc<HandClock>,
    now: Timestamp,
    /// What is going to happen, the earliest first, by its number.
    coming: BinaryHeap<Reverse<(Timestamp, u64)>>,
    /// The same by its number: news for a job, and what its call has cost if that ends it.
    told_by: HashMap<u64, (JobId, Event, Option<i64>)>,
    next: u64,
    tags: HashSet<Tag>,
    _orders: UnboundedReceiver<Order>,
    _folder: TempDir,
}

/// What a power cut leaves of a file is not what is tested here: where there is a disk in memory, the store is on it.
fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Ids for what the scheduler makes.
fn chance() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl World {
    pub fn new(seed: u64, now: Timestamp, capacity: Capacity, habits: Habits) -> Self {
        let (folder, clock) = (folder(), HandClock::new(now));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), clock.clone()).unwrap());
        let rules = Rules { price_per_minute: Some(Amount::from_micros(PRICE_PER_MINUTE)), ..Rules::default() };
        let (ledger, orders) = Ledger::new(store, rules, capacity);
        Self {
            firings: Firings::new(ledger.clone(), chance),
            fires_at: None,
            ledger,
            habits,
            dials: Vec::new(),
            last_end: None,
            cost: 0,
            dice: Dice::new(seed),
            clock,
            now,
            coming: BinaryHeap::new(),
            told_by: HashMap::new(),
            next: 0,
            tags: HashSet::new(),
            _orders: orders,
            _folder: folder,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn turn_to(&mut self, now: Timestamp) {
        assert!(self.now <= now, "time goes on");
        self.now = now;
        self.clock.set(now);
    }

    /// A campaign that nobody has started.
    pub async fn campaign(&mut self, policy: Policy, schedule: Option<Schedule>) -> Campaign {
        let campaign: Campaign = serde_json::from_value(json!({
            "id": CampaignId::new(self.now, self.dice.name()),
            "name": "Nightly",
            "on_behalf_of": "Fit Finder",
            "questions": [],
            "policy": policy,
            "state": CampaignState::Draft,
            "run": RunId::new(self.now, self.dice.name()),
            "created_at": self.now,
            "updated_at": self.now,
            "schedule": schedule,
        }))
        .unwrap();
        self.ledger.create_campaign(campaign.clone(), None).await.unwrap();
        campaign
    }

    pub async fn start(&mut self, campaign: &Campaign) {
        self.ledger.act(&campaign.id, Action::Start, |_, _| None).await.unwrap();
        self.fires_at = self.firings.once().await.unwrap();
    }

    /// Its record as it is now.
    pub async fn read(&self, campaign: &Campaign) -> Campaign {
        self.ledger.store().campaign(&campaign.id).await.unwrap().unwrap().record
    }

    /// Imports gyms as an upload does.
    pub async fn import(&mut self, campaign: &Campaign, gyms: Vec<Gym>) {
        let store = self.ledger.store();
        let import = ImportId::new(self.now, self.dice.name());
        store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
        let of = Membership { campaign: campaign.id.clone(), run: campaign.run.clone() };
        for gyms in gyms.chunks(500) {
            let jobs = gyms.iter().map(|gym| {
                let id = JobId::new(self.now, self.dice.name());
                let job = CallJob::new(id, Some(of.clone()), gym.clone(), self.now, self.now);
                job.keeping(campaign.policy.window.as_ref())
            });
            let jobs = jobs.collect();
            store.stage(&import, jobs).await.unwrap();
        }
        store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    }

    /// Gives the campaign other hours, as people do while it runs.
    pub async fn change_hours(&self, campaign: &Campaign, hours: Hours) {
        let stored = self.ledger.store().campaign(&campaign.id).await.unwrap().unwrap();
        let policy = Policy { window: Some(hours), ..stored.record.policy.clone() };
        let campaign = Some(CampaignWrite {
            campaign: stored.record.with_policy(policy, self.now),
            from: Some(stored.version),
            begins: None,
        });
        self.ledger.store().commit(Write { campaign, ..Write::default() }).await.unwrap();
    }

    pub async fn suppress(&self, gym: &Gym) {
        let listed = Suppression { phone: gym.phone.clone(), since: self.now, reason: "they said so".to_owned() };
        self.ledger.store().commit(Write { suppress: Some(listed), ..Write::default() }).await.unwrap();
    }

    /// Every job of the campaign's run, as it stands.
    pub async fn jobs(&self, campaign: &Campaign) -> Vec<CallJob> {
        let run = Some(campaign.run.clone());
        let mut query = JobQuery { campaign: Some(campaign.id.clone()), run, limit: 1_000, ..JobQuery::default() };
        let mut jobs = Vec::new();
        loop {
            let page = self.ledger.store().jobs(query.clone()).await.unwrap();
            jobs.extend(page.items.into_iter().map(|stored| stored.record));
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return jobs,
            }
        }
    }

    pub async fn status(&self, campaign: &Campaign) -> CampaignStatus {
        let campaign = self.read(campaign).await;
        campaign.status(&self.ledger.store().counts(&campaign.run).await.unwrap())
    }

    /// Lives on until nothing is left to happen, or until `until`.
    pub async fn live(&mut self, until: Timestamp) {
        loop {
            if self.fires_at.is_some_and(|at| at <= self.now) {
                self.firings.once().await.unwrap();
                // What has begun is news, after which the scheduler looks for the next time.
                self.fires_at = self.firings.once().await.unwrap();
            }
            let due = self.dial_what_is_due().await;
            let comes = self.coming.peek().map(|Reverse((at, _))| *at);
            match due.into_iter().chain(comes).chain(self.fires_at).min() {
                None => return,
                Some(next) if next > until => return self.turn_to(until),
                Some(next) => self.turn_to(next.max(self.now)),
            }
            self.what_comes().await;
            // Overdue deadlines, as in a process that sweeps once a minute.
            if comes.is_some() && self.dice.one_in(64) {
                sweep::once(&self.ledger).await.unwrap();
            }
        }
    }

    /// Dials everything that is due now; says when to look again.
    async fn dial_what_is_due(&mut self) -> Option<Timestamp> {
        let mut asked = HashSet::new();
        loop {
            let due = self.ledger.store().due(self.ledger.capacity(), 64).await.unwrap();
            let new: Vec<JobId> = due.jobs.into_iter().filter(|job| asked.insert(job.clone())).collect();
            if new.is_empty() {
                return due.again_at.map(|at| at.max(self.now + jiff::SignedDuration::from_millis(1)));
            }
            for job in new {
                self.dial(&job).await;
            }
        }
    }

    /// What a worker does with a due job.
    async fn dial(&mut self, id: &JobId) {
        let tag = Tag::new(self.dice.name());
        let (begun, job) = self.ledger.begin_dial(id, tag.clone()).await.unwrap();
        match begun {
            Begun::Go => {}
            Begun::Refused(Refusal::Suppressed) => return self.tell(id, Event::Suppressed).await,
            Begun::Refused(Refusal::WindowClosed) => return self.tell(id, Event::WindowClosed).await,
            Begun::Refused(Refusal::HoursChanged) => return self.tell(id, Event::HoursChanged).await,
            Begun::Refused(_) => return,
        }
        let job = job.unwrap();
        assert!(self.tags.insert(tag.clone()), "a secret is used once");
        self.dials.push(Dial { job: id.clone(), attempt: job.attempts().len(), at: self.now, gym: job.gym().clone() });
        let sid = format!("CA{:032x}", self.dice.name()).parse().unwrap();
        let call = Call::begin(&self.habits, &tag, sid, self.now, &mut self.dice);
        for (at, event) in call.events {
            let ends = matches!(&event, Event::CallNews { status, .. } if status.rank() == 4);
            self.coming.push(Reverse((at, self.next)));
            self.told_by.insert(self.next, (id.clone(), event, ends.then_some(call.cost)));
            self.next += 1;
        }
    }

    /// Tells everything whose time has come.
    async fn what_comes(&mut self) {
        while self.coming.peek().is_some_and(|Reverse((at, _))| *at <= self.now) {
            let Some(Reverse((at, number))) = self.coming.pop() else { return };
            let (job, event, ended) = self.told_by.remove(&number).unwrap();
            self.tell(&job, event).await;
            if let Some(cost) = ended {
                self.last_end = self.last_end.max(Some(at));
                self.cost += cost;
            }
        }
    }

    async fn tell(&self, id: &JobId, event: Event) {
        self.ledger.tell(id, event).await.unwrap();
    }
}
