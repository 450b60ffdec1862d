//! A random walk of a store and the model side by side.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::campaign::{CampaignState, Counts, PausedReason};
use gymcall_jobs::event::{Event, Fate, NonCreation};
use gymcall_jobs::id::{ImportId, JobId};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::step::Step;
use gymcall_jobs::store::{
    Begun, CampaignWrite, Capacity, JobQuery, Refusal, ReplyWrite, SavedReply, Store, StoreError, Stored, Suppression,
    Write,
};
use gymcall_jobs::tally::Tally;
use jiff::SignedDuration;

use super::plain::Plain;
use crate::contract::fixtures::*;
use crate::hand_clock::HandClock;

/// Chance that is the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        (!things.is_empty()).then(|| &things[self.below(things.len() as u64) as usize])
    }
}

struct Walk<'a> {
    store: &'a dyn Store,
    plain: Plain,
    dice: Dice,
    imports: Vec<ImportId>,
}

pub async fn walk(store: &dyn Store, clock: &HandClock, seed: u64, steps: usize) {
    let mut walk = Walk { store, plain: Plain::default(), dice: Dice(seed), imports: Vec::new() };
    for step in 0..steps {
        let what = match walk.dice.below(16) {
            0 => walk.put_campaign().await,
            1 | 2 => walk.add_job().await,
            3..=6 => walk.begin_dial().await,
            7..=10 => walk.tell().await,
            11 => walk.suppress().await,
            12 | 13 => walk.import().await,
            14 => walk.claim().await,
            _ => {
                let ms = match walk.dice.below(3) {
                    0 => walk.dice.below(2_000),
                    1 => walk.dice.below(90_000),
                    _ => walk.dice.below(3_600_000),
                };
                clock.set(store.now() + SignedDuration::from_millis(ms as i64));
                ("time", String::new(), String::new())
            }
        };
        assert_eq!(what.1, what.2, "seed {seed}, step {step}: {}", what.0);
        if step % 5 == 4 {
            walk.compare(&format!("seed {seed}, step {step}, after {}", what.0)).await;
        }
    }
    walk.compare(&format!("seed {seed}, at the end")).await;
}

/// What was done, what the store said, and what the model says.
type Said = (&'static str, String, String);

fn name(result: &Result<(), StoreError>) -> String {
    match result {
        Ok(()) => "ok",
        Err(StoreError::Conflict) => "conflict",
        Err(StoreError::KeyTaken(_)) => "taken",
        Err(StoreError::Busy(_)) => "busy",
        Err(StoreError::Missing(_)) => "missing",
        Err(error) => panic!("{error}"),
    }
    .to_owned()
}

impl Walk<'_> {
    async fn commit(&mut self, what: &'static str, mut write: Write) -> Said {
        if self.dice.one_in(8) {
            write.reply = Some(ReplyWrite::Claim(self.reply()));
        }
        if self.dice.one_in(8) {
            let id = self.any_job().map_or_else(|| job(None, 0, start()).id().clone(), |job| job.id().clone());
            write.notes = Some((id, vec![entry("note")]));
        }
        let wanted = self.plain.commit(&write, self.store.now()).to_owned();
        (what, name(&self.store.commit(write).await), wanted)
    }

    fn any_job(&mut self) -> Option<CallJob> {
        let jobs: Vec<_> = self.plain.jobs.iter().map(|kept| kept.job.clone()).collect();
        self.dice.of(&jobs).cloned()
    }

    fn stored(&self, id: &JobId) -> Stored<CallJob> {
        let kept = self.plain.jobs.iter().find(|kept| kept.job.id() == id).unwrap();
        Stored { record: kept.job.clone(), version: kept.version }
    }

    fn reply(&mut self) -> SavedReply {
        let key = format!("key {}", self.dice.below(4));
        SavedReply { key, request: "digest".into(), reply: None, job: None, at: self.store.now() }
    }

    async fn put_campaign(&mut self) -> Said {
        let states = [CampaignState::Running, CampaignState::Paused(PausedReason::Manual), CampaignState::Running];
        let state = *self.dice.of(&states).unwrap();
        let known = self.dice.of(&self.plain.campaigns).filter(|_| self.plain.campaigns.len() > 2).cloned();
        let (campaign, from) = match known {
            Some((known, version)) => (known, Some(version + u64::from(self.dice.one_in(5)))),
            None => (campaign(state), if self.dice.one_in(9) { Some(1) } else { None }),
        };
        let campaign = gymcall_jobs::campaign::Campaign { state, ..campaign };
        self.commit(
            "campaign",
            Write { campaign: Some(CampaignWrite { campaign, from, begins: None }), ..Write::default() },
        )
        .await
    }

    fn new_job(&mut self) -> CallJob {
        let campaign = self.dice.of(&self.plain.campaigns).map(|(campaign, _)| membership(campaign));
        let campaign = campaign.filter(|_| !self.dice.one_in(3));
        let due = self.store.now() + seconds(self.dice.below(60) as i64 - 40);
        job(campaign.as_ref(), self.dice.below(6) as u32, due)
    }

    async fn add_job(&mut self) -> Said {
        let job = match self.any_job() {
            Some(known) if self.dice.one_in(6) => known,
            _ => self.new_job(),
        };
        self.commit("a new job", write_of(&job, None)).await
    }

    async fn begin_dial(&mut self) -> Said {
        let Some(job) = self.any_job() else { return ("nothing", String::new(), String::new()) };
        let mut waiting = self.stored(job.id());
        if !matches!(job.phase(), Phase::Waiting { .. }) {
            return ("nothing", String::new(), String::new());
        }
        waiting.version += u64::from(self.dice.one_in(10));
        let account = Capacity { lines: 2 + self.dice.below(3) as u32, ..WIDE };
        let mut gate = gymcall_jobs::store::Gate { account, campaign: None };
        if let Some(of) = job.membership() {
            let own = self.dice.one_in(2).then_some(1 + self.dice.below(2) as u32);
            gate = campaign_gate(account, &of.campaign, None, own);
        }
        let now = self.store.now();
        let mut asked = dial(&waiting, gate, now);
        asked.closes = self.dice.one_in(5).then(|| now + seconds(self.dice.below(20) as i64 - 10));
        let wanted = self.plain.begin(&asked, now).to_owned();
        let begun = match self.store.begin_dial(asked).await.unwrap() {
            Begun::Go => "go",
            Begun::Refused(refusal) => match refusal {
                Refusal::Changed => "changed",
                Refusal::NotDue(_) => "not due",
                Refusal::WindowClosed => "closed",
                Refusal::HoursChanged => "hours changed",
                Refusal::NotRunning => "not running",
                Refusal::Superseded => "superseded",
                Refusal::Suppressed => "suppressed",
                Refusal::NumberHeld(_) => "held",
                Refusal::NoLine => "no line",
                Refusal::Pace(_) => "pace",
                Refusal::CircuitBreaker => "tripped",
                Refusal::DailyLimit => "daily limit",
                Refusal::Budget => "budget",
                Refusal::InDoubt => "in doubt",
            },
        };
        ("a dial", begun.to_owned(), wanted)
    }

    fn event(&mut self, job: &CallJob) -> Event {
        let tag = job.open_attempt().map_or_else(tag, |attempt| attempt.tag.clone());
        let call = job.call().cloned().unwrap_or_else(call_sid);
        match self.dice.below(9) {
            0 => Event::Cancel,
            1 => Event::DialerDied,
            2 => Event::NotCreated { tag, why: NonCreation::TryAgain, detail: "throttled".into() },
            3 => Event::Resolved { fate: if self.dice.one_in(2) { Fate::Called } else { Fate::NotCalled } },
            4 | 5 => Event::Created { tag, call },
            6 => Event::Tick,
            7 => Event::DialBegun { tag },
            _ => {
                let statuses = [CallStatus::InProgress, CallStatus::Busy, CallStatus::Completed];
                let status = *self.dice.of(&statuses).unwrap();
                let price = self.dice.one_in(3).then(|| "-0.0140".to_owned());
                let (at, duration_s, answered_by) = (None, Some(self.dice.below(200) as u32), None);
                Event::CallNews { tag: Some(tag), call, status, at, duration_s, price, answered_by }
            }
        }
    }

    async fn tell(&mut self) -> Said {
        let Some(job) = self.any_job() else { return ("nothing", String::new(), String::new()) };
        let stored = self.stored(job.id());
        let event = self.event(&job);
        let Step::Moved(next, _) = stored.record.step(&event, &rules(), self.store.now()) else {
            return ("nothing", String::new(), String::new());
        };
        let mut write = move_of(&stored, &next);
        write.from = Some(stored.version + u64::from(self.dice.one_in(10)));
        write.entries = vec![entry(event.name())];
        self.commit("an event", Write { job: Some(write), ..Write::default() }).await
    }

    async fn suppress(&mut self) -> Said {
        let phone = phone(self.dice.below(6) as u32);
        let suppression = Suppression { phone: phone.clone(), since: self.store.now(), reason: "asked".into() };
        let write = match self.dice.one_in(2) {
            true => Write { suppress: Some(suppression), ..Write::default() },
            false => Write { unsuppress: Some(phone), ..Write::default() },
        };
        self.commit("a suppression", write).await
    }

    async fn claim(&mut self) -> Said {
        let reply = self.reply();
        let reply = if self.dice.one_in(3) { ReplyWrite::Complete(reply) } else { ReplyWrite::Claim(reply) };
        self.commit("a reply", Write { reply: Some(reply), ..Write::default() }).await
    }

    async fn import(&mut self) -> Said {
        let Some(import) = self.dice.of(&self.imports).filter(|_| !self.dice.one_in(4)).cloned() else {
            let Some((campaign, _)) = self.dice.of(&self.plain.campaigns).cloned() else {
                return ("nothing", String::new(), String::new());
            };
            let import = import_id();
            let opened = self.store.open_import(&import, &campaign.id, &campaign.run).await;
            let busy = self.plain.imports.values().any(|open| *open == campaign.id);
            if !busy {
                self.plain.imports.insert(import.clone(), campaign.id.clone());
                self.imports.push(import);
            }
            return ("an import opened", name(&opened), if busy { "busy" } else { "ok" }.to_owned());
        };
        let Some(campaign) = self.plain.imports.get(&import).cloned() else {
            let published = self.store.publish_import(&import, None, None, Vec::new()).await;
            return ("a second publishing", name(&published), "missing".to_owned());
        };
        match self.dice.below(5) {
            0 => {
                assert!(self.plain.publish(&import));
                (
                    "an import published",
                    name(&self.store.publish_import(&import, None, None, Vec::new()).await),
                    "ok".to_owned(),
                )
            }
            1 => {
                assert!(self.plain.drop_import(&import));
                ("an import dropped", name(&self.store.drop_import(&import).await), "ok".to_owned())
            }
            _ => {
                let campaign = self.plain.campaigns.iter().find(|(known, _)| known.id == campaign).unwrap();
                let of = membership(&campaign.0);
                let due = self.store.now();
                let rows: Vec<_> = (0..3).map(|_| job(Some(&of), self.dice.below(8) as u32, due)).collect();
                let wanted = self.plain.stage(&import, &rows);
                let taken = self.store.stage(&import, rows).await.unwrap();
                ("rows staged", format!("{taken:?}"), format!("{wanted:?}"))
            }
        }
    }

    /// Everything that can be seen.
    async fn compare(&self, when: &str) {
        let (store, plain, now) = (self.store, &self.plain, self.store.now());
        let listed = store.jobs(JobQuery { limit: 1_000, ..JobQuery::default() }).await.unwrap();
        let listed: Vec<_> = listed.items.into_iter().map(|stored| (stored.version, stored.record)).collect();
        let kept: Vec<_> = plain.seen().map(|kept| (kept.version, kept.job.clone())).collect();
        // In short first: whole records are hard to read.
        let short = |jobs: &[(u64, CallJob)]| -> Vec<_> {
            jobs.iter().map(|(version, job)| format!("{} {version} {}", job.id(), job.status())).collect()
        };
        assert_eq!(short(&listed), short(&kept), "{when}: jobs");
        assert_eq!(listed, kept, "{when}: jobs");
        for hidden in plain.jobs.iter().filter(|kept| kept.hidden.is_some()) {
            assert_eq!(store.job(hidden.job.id()).await.unwrap(), None, "{when}: a hidden job");
        }
        for (campaign, version) in &plain.campaigns {
            let stored = store.campaign(&campaign.id).await.unwrap().unwrap();
            assert_eq!((&stored.record, stored.version), (campaign, *version), "{when}: campaign");
            let of = |job: &CallJob| job.membership().is_some_and(|of| of.run == campaign.run);
            let jobs: Vec<_> = plain.seen().map(|kept| &kept.job).filter(|job| of(job)).collect();
            let tally = jobs.iter().map(|job| Tally::of(job)).fold(Tally::default(), Tally::plus);
            let counts = Counts::from_pairs(jobs.iter().map(|job| (job.status(), 1))).with_tally(tally);
            assert_eq!(store.counts(&campaign.run).await.unwrap(), counts, "{when}: counts");
        }
        for number in 0..8 {
            let holder = store.number_holder(&phone(number)).await.unwrap();
            assert_eq!(holder.as_ref(), plain.holder(&phone(number)), "{when}: holder of {number}");
        }
        let mut due = store.due(WIDE, 200).await.unwrap();
        let mut wanted = plain.due(now);
        // Of one time, any order will do; the model knows the times.
        let time = |id: &JobId| {
            let kept = plain.seen().find(|kept| kept.job.id() == id).unwrap();
            (kept.job.membership().is_some(), kept.ready_at)
        };
        assert!(due.jobs.iter().map(time).is_sorted(), "{when}: the order of what is due");
        due.jobs.sort();
        wanted.jobs.sort();
        assert_eq!(due, wanted, "{when}: due");
        let mut overdue = store.overdue(1_000).await.unwrap();
        let mut wanted = plain.overdue(now);
        overdue.jobs.sort();
        wanted.jobs.sort();
        assert_eq!(overdue, wanted, "{when}: overdue");
        let live = plain.seen().map(|kept| &kept.job).filter(|job| job.status().is_live()).cloned();
        let open = store.open_jobs(None, 1_000).await.unwrap().items.into_iter().map(|stored| stored.record);
        assert_eq!(open.collect::<Vec<_>>(), live.collect::<Vec<_>>(), "{when}: open jobs");
        let suppressed = store.suppressions(None, 1_000).await.unwrap().items;
        assert_eq!(suppressed, plain.suppressed.values().cloned().collect::<Vec<_>>(), "{when}: suppressions");
        for key in (0..4).map(|number| format!("key {number}")) {
            assert_eq!(store.saved_reply(&key).await.unwrap().as_ref(), plain.reply(&key, now), "{when}: {key}");
        }
        for (job, entries) in &plain.entries {
            let stored = store.entries(job, 0, 1_000).await.unwrap();
            let stored: Vec<_> = stored.into_iter().map(|entry| entry.entry).collect();
            assert_eq!(stored, *entries, "{when}: entries of {job}");
        }
    }
}
