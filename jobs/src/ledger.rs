//! The one writer of jobs: load, step, compare-and-set, effects.
//!
//! Whoever has news tells the ledger, and when `tell` has returned `Ok` the news is durable.
//! Nobody else changes a job, so nobody else has to know how to lose a race: a job that was
//! changed meanwhile is read again and stepped again.

mod campaigns;
mod forgotten;
mod jobs;

pub use campaigns::CampaignError;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::event::Event;
use crate::id::{JobId, Tag};
use crate::job::{CallJob, Phase};
use crate::rules::Rules;
use crate::step::{Effect, Ignored, Step};
use crate::store::gate::CampaignCapacity;
use crate::store::{
    BeginDial, Begun, Capacity, Gate, JobWrite, NewEntry, Refusal, ReplyWrite, Store, StoreError, Stored, Suppression,
    Write,
};

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
    Moved(Box<CallJob>),
    /// Nothing changed, and the job is still this.
    Ignored(Ignored, Box<CallJob>),
    /// There is no such job.
    NoSuchJob,
}

/// The one writer of jobs. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    rules: Rules,
    capacity: Capacity,
    orders: mpsc::UnboundedSender<Order>,
}

/// A race for one record that is lost this often in a row is not a race any more.
const MAX_RACES: u32 = 64;

impl Ledger {
    /// A ledger over a store, and the orders that its moves give.
    pub fn new(store: Arc<dyn Store>, rules: Rules, capacity: Capacity) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, receiver) = mpsc::unbounded_channel();
        (Self { store, rules, capacity, orders }, receiver)
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
        for _ in 0..MAX_RACES {
            let Some(stored) = self.store.job(id).await? else {
                return Ok(Told::NoSuchJob);
            };
            let (rules, _) = self.terms(&stored.record).await?;
            let now = self.now();
            match stored.record.step(&event, &rules, now) {
                Step::Moved(job, effects) => {
                    let mut write = self.write_of(&job, stored.version, &event, &effects, &rules, now);
                    write.reply = reply(&job);
                    match crate::in_flight!(event.name(), self.store.commit(write)).await {
                        Ok(()) => {
                            log_move(&stored.record, &job, &event);
                            self.order(id, effects);
                            return Ok(Told::Moved(job));
                        }
                        Err(StoreError::Conflict) => {}
                        Err(error) => return Err(error),
                    }
                }
                Step::Ignored(why) => {
                    tracing::debug!(job_id = %id, event = event.name(), why = why.as_str(), "job {id}: {} ignored", event.name());
                    if event != Event::Tick {
                        let entry = NewEntry { ignored: Some(why.as_str().to_owned()), ..entry_of(&event, now) };
                        self.note(id, vec![entry]).await?;
                    }
                    return Ok(Told::Ignored(why, Box::new(stored.record)));
                }
            }
        }
        Err(StoreError::Conflict)
    }

    /// Asks the store to let this job's dial begin. On [`Begun::Go`] the intent is stored, and this
    /// caller alone may make the one request with `tag`.
    pub async fn begin_dial(&self, id: &JobId, tag: Tag) -> Result<(Begun, Option<Box<CallJob>>), StoreError> {
        let Some(Stored { record, version }) = self.store.job(id).await? else {
            return Ok((Begun::Refused(Refusal::Changed), None));
        };
        let (rules, campaign) = self.terms(&record).await?;
        let Phase::Waiting { due, window } = *record.phase() else {
            return Ok((Begun::Refused(Refusal::Changed), None));
        };
        let event = Event::DialBegun { tag };
        let now = self.now();
        let Step::Moved(job, _) = record.step(&event, &rules, now) else {
            return Ok((Begun::Refused(Refusal::Changed), None));
        };
        let begin = BeginDial {
            job: JobWrite {
                deadline: job.deadline(&rules),
                line_until: job.line_until(&rules),
                from: Some(version),
                entries: vec![entry_of(&event, now)],
                job: (*job).clone(),
            },
            due: record.due().unwrap_or(due),
            closes: window.map(|window| window.closes),
            gate: Gate { account: self.capacity, campaign },
        };
        let begun = self.store.begin_dial(begin).await?;
        if begun == Begun::Go {
            log_move(&record, &job, &event);
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

    /// The rules and limits for a job: the operator's, as its campaign narrows them.
    async fn terms(
        &self,
        job: &CallJob,
    ) -> Result<(Rules, Option<(crate::id::CampaignId, CampaignCapacity)>), StoreError> {
        let Some(membership) = job.membership() else {
            return Ok((self.rules.for_single_call(), None));
        };
        let campaign = self.store.campaign(&membership.campaign).await?.ok_or(StoreError::Missing("campaign"))?;
        let policy = &campaign.record.policy;
        let own = CampaignCapacity { calls_per_second: policy.calls_per_second, lines: policy.max_concurrent_calls };
        Ok((self.rules.for_policy(policy), Some((membership.campaign.clone(), own))))
    }

    fn write_of(
        &self,
        job: &CallJob,
        from: u64,
        event: &Event,
        effects: &[Effect],
        rules: &Rules,
        now: Timestamp,
    ) -> Write {
        let suppress = effects.contains(&Effect::Suppress).then(|| Suppression {
            phone: job.gym().phone.clone(),
            since: now,
            reason: match event {
                Event::DoNotCallHeard { quote, .. } => format!("said on the phone: {quote}"),
                _ => "asked not to be called".to_owned(),
            },
        });
        Write {
            job: Some(JobWrite {
                deadline: job.deadline(rules),
                line_until: job.line_until(rules),
                from: Some(from),
                entries: vec![entry_of(event, now)],
                job: job.clone(),
            }),
            suppress,
            ..Write::default()
        }
    }
}

fn entry_of(event: &Event, now: Timestamp) -> NewEntry {
    NewEntry { at: now, kind: event.name().to_owned(), detail: event.detail(), ignored: None }
}

fn log_move(before: &CallJob, after: &CallJob, event: &Event) {
    let (id, from, to) = (after.id(), before.status(), after.status());
    let call = after.call().or(before.call()).map_or("-", |call| call.as_str());
    tracing::info!(
        job_id = %id, call_sid = call, event = event.name(), %from, %to,
        "job {id}: {} ({from} -> {to}) call {call}", event.name()
    );
}
