//! The one writer of jobs: load, step, compare-and-set, effects.
//!
//! Whoever has news tells the ledger, and when `tell` has returned `Ok` the news is durable.
//! Nobody else changes a job, so nobody else has to know how to lose a race: a job that was
//! changed meanwhile is read again and stepped again.

mod campaigns;
mod change;
mod columns;
mod firing;
mod forecast;
mod forgotten;
mod hours;
mod jobs;
mod limits;
mod memory;
mod moment;
mod over;
mod rosters;
mod runs;
#[cfg(test)]
mod tests;

pub use campaigns::CampaignError;
pub use columns::Lacking;
pub use firing::Firings;
pub use moment::News;
pub use rosters::{ImportMode, OpenImport};

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::announcement::Announcement;
use crate::breaker;
use crate::calling_day::CallingDay;
use crate::event::Event;
use crate::id::{JobId, Tag};
use crate::job::{CallJob, Phase};
use crate::rules::Rules;
use crate::step::{Effect, Ignored, Step};
use crate::store::{
    BeginDial, Begun, CampaignCapacity, Capacity, DayOfCalls, Gate, JobWrite, NewEntry, Refusal, ReplyWrite, Store,
    StoreError, Write,
};
use crate::tally::Tally;

use self::memory::{Memory, Seen, Terms};
use self::moment::{Moment, entry_of, suppression};
use self::over::Over;

/// Something to be done outside for a job, after its move was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The job.
    pub job: JobId,
    /// What is to be done.
    pub effect: Effect,
}

/// What telling came to.
#[derive(Debug, Clone)]
pub enum Told {
    /// The job moved, and is now this.
    Moved(Arc<CallJob>),
    /// Nothing changed, and the job is still this.
    Ignored(Ignored, Arc<CallJob>),
    /// There is no such job.
    NoSuchJob,
}

/// The one writer of jobs. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    rules: Rules,
    for_single_call: Arc<Terms>,
    capacity: Capacity,
    orders: mpsc::UnboundedSender<Order>,
    memory: Arc<Memory>,
    over: Arc<Over>,
}

/// A race for one record that is lost this often in a row is not a race any more.
const MAX_RACES: u32 = 64;

impl Ledger {
    /// A ledger over a store, and the orders that its moves give.
    pub fn new(store: Arc<dyn Store>, rules: Rules, capacity: Capacity) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, receiver) = mpsc::unbounded_channel();
        let memory = Arc::new(Memory::new(store.changes()));
        let for_single_call = Arc::new(Terms::of_single_call(rules.for_single_call()));
        (Self { store, rules, for_single_call, capacity, orders, memory, over: Arc::default() }, receiver)
    }

    /// The store, for reading.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The operator's rules, before any campaign's policy.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the account can do at once.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The time that this ledger's records are written by.
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// Tells a job what happened. `Ok` means that the news, and what followed from it, is durable.
    pub async fn tell(&self, id: &JobId, event: Event) -> Result<Told, StoreError> {
        self.tell_with(id, event, |_| None).await
    }

    /// As [`Ledger::tell`]; a move is stored together with the reply that is made of it.
    pub async fn tell_with(
        &self,
        id: &JobId,
        event: Event,
        reply: impl Fn(&CallJob) -> Option<ReplyWrite>,
    ) -> Result<Told, StoreError> {
        self.write_down(id, event, &[], reply).await
    }

    /// As [`Ledger::tell`], for a moment in which more happened: all of it is stored in one transaction, or, if
    /// `event` changes nothing, nothing but that.
    pub async fn tell_together(&self, id: &JobId, event: Event, further: &[News]) -> Result<Told, StoreError> {
        self.write_down(id, event, further, |_| None).await
    }

    async fn write_down(
        &self,
        id: &JobId,
        event: Event,
        further: &[News],
        reply: impl Fn(&CallJob) -> Option<ReplyWrite>,
    ) -> Result<Told, StoreError> {
        let mut remembered = self.memory.job(id);
        for _ in 0..MAX_RACES {
            let from_memory = remembered.is_some();
            let Seen { job: before, version } = match remembered.take() {
                Some(seen) => seen,
                None => match self.read(id).await? {
                    Some(seen) => seen,
                    None => return Ok(Told::NoSuchJob),
                },
            };
            let terms = self.terms(&before).await?;
            let now = self.now();
            match before.step(&event, &terms.rules, now) {
                Step::Moved(job, effects) => {
                    let moment = Moment::new(*job, effects, entry_of(&event, now)).and(further, &terms.rules, now);
                    let moment = moment.within(terms.run.as_ref(), &terms.rules, now);
                    let Moment { job, effects, entries } = moment;
                    let job = Arc::new(job);
                    let suppress = suppression(&job, &event, further, &effects, now);
                    let write = JobWrite { entries, ..job_write(&before, &job, version, &event, &terms.rules, now) };
                    let ending = write.ending;
                    let announce = Announcement::of_job(&before, &job, now);
                    let reply = reply(&job);
                    let write = Write { job: Some(write), suppress, reply, announce, ..Write::default() };
                    match crate::in_flight!(event.name(), self.store.commit(write)).await {
                        Ok(()) => {
                            self.memory.wrote(Seen { job: Arc::clone(&job), version: version + 1 });
                            log_move(&before, &job, &event);
                            self.over.count(&before, &job);
                            self.order(id, effects);
                            self.ended(&job, ending).await;
                            return Ok(Told::Moved(job));
                        }
                        Err(StoreError::Conflict) => {}
                        Err(error) => return Err(error),
                    }
                }
                // What is news to the job as it is now may be none to the job as it was.
                Step::Ignored(_) if from_memory => {}
                Step::Ignored(why) => {
                    tracing::debug!(job_id = %id, event = event.name(), why = why.as_str(), "job {id}: {} ignored", event.name());
                    if event != Event::Tick {
                        let entry = NewEntry { ignored: Some(why.as_str().to_owned()), ..entry_of(&event, now) };
                        self.note(id, vec![entry]).await?;
                    }
                    return Ok(Told::Ignored(why, before));
                }
            }
        }
        Err(StoreError::Conflict)
    }

    /// Asks the store to let this job's dial begin. On [`Begun::Go`] the intent is stored, and this
    /// caller alone may make the one request with `tag`.
    pub async fn begin_dial(&self, id: &JobId, tag: Tag) -> Result<(Begun, Option<Arc<CallJob>>), StoreError> {
        let changed = Ok((Begun::Refused(Refusal::Changed), None));
        // Always read: who waits is mostly not remembered, and what was would be refused without being asked about.
        let Some(Seen { job: before, version }) = self.read(id).await? else {
            return changed;
        };
        let terms = self.terms(&before).await?;
        let Phase::Waiting { due, window } = *before.phase() else {
            return changed;
        };
        // What the store compares is the job's window: one that was made by other hours must not get that far.
        if !before.waits_by(terms.rules.hours.as_ref()) {
            return Ok((Begun::Refused(Refusal::HoursChanged), None));
        }
        // It has no hours: nobody knows its zone, or they never come.
        if window.is_none() && terms.rules.hours.is_some() {
            return Ok((Begun::Refused(Refusal::WindowClosed), None));
        }
        let event = Event::DialBegun { tag };
        let now = self.now();
        let Step::Moved(job, _) = before.step(&event, &terms.rules, now) else {
            return changed;
        };
        let job: Arc<CallJob> = Arc::from(job);
        let today = CallingDay::at(now, &terms.zone);
        let own = CampaignCapacity { day: day_of_call(&before, &terms, today), ..terms.own };
        let campaign = before.membership().map(|membership| (membership.campaign.clone(), own));
        let begin = BeginDial {
            job: job_write(&before, &job, version, &event, &terms.rules, now),
            due: before.due().unwrap_or(due),
            closes: window.map(|window| window.closes),
            gate: Gate { account: self.capacity, campaign },
            announce: Announcement::of_job(&before, &job, now),
        };
        let begun = self.store.begin_dial(begin).await?;
        match &begun {
            Begun::Go => {
                self.memory.wrote(Seen { job: Arc::clone(&job), version: version + 1 });
                log_move(&before, &job, &event);
            }
            Begun::Refused(refusal) => self.refused(&before, refusal, own, today).await?,
        }
        Ok((begun, Some(job)))
    }

    /// Adds entries to a job's history that change nothing about it, such as what was said.
    pub async fn note(&self, id: &JobId, entries: Vec<NewEntry>) -> Result<(), StoreError> {
        self.store.commit(Write { notes: Some((id.clone(), entries)), ..Write::default() }).await
    }

    /// Repeats orders for a job that may have been lost with an earlier process.
    pub fn order(&self, id: &JobId, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            if effect != Effect::Suppress {
                // Nobody listens only while the process ends; the job's deadline brings it back.
                let _ = self.orders.send(Order { job: id.clone(), effect });
            }
        }
    }

    async fn read(&self, id: &JobId) -> Result<Option<Seen>, StoreError> {
        let Some(stored) = self.store.job(id).await? else { return Ok(None) };
        self.memory.read(id, stored.version);
        Ok(Some(Seen { job: Arc::new(stored.record), version: stored.version }))
    }

    /// The rules for a job: the operator's, as its campaign narrows them.
    pub async fn rules_for(&self, job: &CallJob) -> Result<Rules, StoreError> {
        Ok(self.terms(job).await?.rules.clone())
    }

    /// The same with the limits, as they are remembered.
    async fn terms(&self, job: &CallJob) -> Result<Arc<Terms>, StoreError> {
        let Some(membership) = job.membership() else {
            return self.terms_of_single(job).await;
        };
        let id = &membership.campaign;
        if let Some(terms) = self.memory.terms(id) {
            return Ok(terms);
        }
        let asked_at = Instant::now();
        let campaign = self.store.campaign(id).await?.ok_or(StoreError::Missing("campaign"))?;
        let policy = &campaign.record.policy;
        let own = CampaignCapacity {
            calls_per_second: policy.calls_per_second,
            lines: policy.max_concurrent_calls,
            day: None,
            spend_cap: policy.spend_cap,
        };
        let calls_per_day = policy.max_calls_per_day;
        let (rules, zone) = (self.rules.for_policy(policy), campaign.record.zone());
        let terms = Arc::new(Terms { rules, own, run: Some(campaign.record.run.clone()), calls_per_day, zone });
        self.memory.read_terms(id, Arc::clone(&terms), asked_at);
        Ok(terms)
    }

    /// A test call is a single call that treats machines as its campaign does: whoever tests one may want to hear its
    /// message. It is tried once, at any hour and within no limit of the campaign's.
    async fn terms_of_single(&self, job: &CallJob) -> Result<Arc<Terms>, StoreError> {
        let Some(campaign) = self.campaign_of(job).await? else {
            return Ok(Arc::clone(&self.for_single_call));
        };
        let message = self.rules.for_policy(&campaign.policy).message;
        let rules = Rules { message, ..self.rules.for_single_call() };
        Ok(Arc::new(Terms::of_single_call(rules)))
    }
}

/// The day that a dial of this job counts for. A request that made no call was counted when it was made, and is not
/// again on the same day.
fn day_of_call(job: &CallJob, terms: &Terms, today: CallingDay) -> Option<DayOfCalls> {
    let again = job.attempts().last().filter(|attempt| attempt.may_ask_again());
    let counted = again.is_some_and(|attempt| CallingDay::at(attempt.begun_at, &terms.zone) == today);
    (!counted).then_some(DayOfCalls { number: today.number, calls: terms.calls_per_day })
}

fn job_write(
    before: &CallJob,
    job: &Arc<CallJob>,
    from: u64,
    event: &Event,
    rules: &Rules,
    now: Timestamp,
) -> JobWrite {
    JobWrite {
        job: Arc::clone(job),
        from: Some(from),
        deadline: job.deadline(rules),
        line_until: job.line_until(rules),
        tally: Tally::between(before, job),
        ending: breaker::ending(before, job),
        entries: vec![entry_of(event, now)],
    }
}

fn log_move(before: &CallJob, after: &CallJob, event: &Event) {
    let (id, from, to) = (after.id(), before.status(), after.status());
    let call = after.call().or(before.call()).map_or("-", |call| call.as_str());
    tracing::info!(
        job_id = %id, call_sid = call, event = event.name(), %from, %to,
        "job {id}: {} ({from} -> {to}) call {call}", event.name()
    );
}
