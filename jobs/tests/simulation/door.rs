//! A process's way to the store: slow, and now and then cut, before or after the store did as asked.

use async_trait::async_trait;
use gymcall_jobs::announcement::{Announcement, AnnouncementId, Announcements};
use gymcall_jobs::breaker::Endings;
use gymcall_jobs::campaign::{Campaign, Counts};
use gymcall_jobs::endpoint::Endpoint;
use gymcall_jobs::id::{CampaignId, EndpointId, ImportId, JobId, RunId};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::run::Run;
use gymcall_jobs::store::{
    BeginDial, Begun, CampaignWrite, Capacity, Change, Doubt, DueNow, Entry, Fires, JobQuery, Overdue, Page,
    ReplyWrite, SavedReply, Standing, Store, StoreError, Stored, Suppressed, Suppression, Write,
};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use super::world::{MS, SECOND, Shared, Trip, World, instant, say};

/// The store, as a process sees it.
pub(crate) struct Door {
    pub(crate) world: Shared,
    pub(crate) process: usize,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) doubts: watch::Sender<Option<Doubt>>,
}

impl Door {
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let trip = self.world.with(trip);
        let reply = self.world.ask(trip, work).await;
        reply.ok_or_else(|| StoreError::Failed("the connection broke".to_owned()))
    }
}

fn trip(world: &mut World) -> Trip {
    let there = world.dice.between(MS / 10, 3 * MS);
    if world.now < world.outage_until {
        return Trip { there: None, back: world.dice.between(MS, SECOND), answered: false };
    }
    if !world.calm && world.dice.of_thousand(world.plan.store_faults) {
        let back = world.dice.between(10 * MS, 2 * SECOND);
        let there = match world.dice.below(3) {
            0 => {
                world.fault("store: the request is lost");
                None
            }
            1 => {
                world.fault("store: the reply is lost");
                Some(there.min(back - 1))
            }
            _ => {
                world.fault("store: written after its caller gave up");
                Some(back + world.dice.between(MS, 3 * SECOND))
            }
        };
        world.tally.lost_replies += 1;
        // Whoever does not learn that a move was stored does not give its orders either.
        world.judge.orders_lost();
        return Trip { there, back, answered: false };
    }
    Trip { there: Some(there), back: 2 * there, answered: true }
}

impl World {
    /// The store's outage: everybody is refused for a while.
    pub(crate) fn outage(&mut self) {
        if !self.calm {
            let long = self.dice.between(SECOND, 40 * SECOND);
            self.outage_until = self.now + long;
            self.fault("store: an outage");
        }
    }

    fn commit(&mut self, write: Write) -> Result<(), StoreError> {
        let (job, entries) = match (&write.job, &write.notes) {
            (Some(write), _) => (Some(CallJob::clone(&write.job)), write.entries.clone()),
            (None, Some((id, entries))) => (self.keeper.job(id).cloned(), entries.clone()),
            (None, None) => (None, Vec::new()),
        };
        let moves = write.job.is_some();
        let result = self.keeper.commit(write);
        match (&result, &job) {
            (Ok(before), Some(job)) => {
                for entry in &entries {
                    let why = entry.ignored.as_deref().map_or(String::new(), |why| format!(" ignored: {why}"));
                    say!(self, "{} {} -> {}{why} {}", name(job), entry.kind, job.status(), entry.detail);
                }
                self.tally.told(entries.len());
                if moves {
                    self.moved(before.as_ref(), job, &entries);
                    self.changed();
                } else {
                    self.judge.recorder.note(job, &entries);
                }
            }
            (Ok(_), None) => self.changed(),
            (Err(StoreError::Busy(_)), Some(job)) => {
                let job = name(job);
                self.judge.object(format!("{job} takes a number that another attempt holds"));
            }
            (Err(_), _) => {}
        }
        result.map(drop)
    }

    fn begin_dial(&mut self, begin: BeginDial) -> Begun {
        let (job, entries) = (begin.job.job.clone(), begin.job.entries.clone());
        match self.keeper.begin(begin, self.now) {
            Ok(before) => {
                say!(self, "{} dial_begun", name(&job));
                self.tally.told(1);
                self.moved(Some(&before), &job, &entries);
                self.granted(&job);
                self.changed();
                Begun::Go
            }
            Err(refusal) => {
                self.tally.refused(&refusal);
                Begun::Refused(refusal)
            }
        }
    }
}

/// A short name of a job, for people.
pub(crate) fn name(job: &CallJob) -> String {
    let id = job.id().as_str();
    format!("job …{} ({})", &id[id.len() - 4..], job.gym().phone.as_str())
}

/// The simulated desk has no imports, its store forgets nothing, and nobody asks it for these pages and replies.
fn not_here<T>() -> Result<T, StoreError> {
    Err(StoreError::Missing("such thing in the simulation"))
}

#[async_trait]
impl Store for Door {
    fn now(&self) -> Timestamp {
        self.world.with(|world| instant(world.now + world.processes[self.process].skew))
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    fn doubts(&self) -> watch::Receiver<Option<Doubt>> {
        self.doubts.subscribe()
    }

    async fn dispel(&self, _: &Doubt) -> Result<(), StoreError> {
        not_here()
    }

    async fn commit(&self, write: Write) -> Result<(), StoreError> {
        self.ask(move |world| world.commit(write)).await?
    }

    async fn begin_dial(&self, begin: BeginDial) -> Result<Begun, StoreError> {
        self.ask(move |world| world.begin_dial(begin)).await
    }

    async fn open_import(&self, _: &ImportId, _: &CampaignId, _: &RunId) -> Result<(), StoreError> {
        not_here()
    }

    async fn stage(&self, _: &ImportId, _: Vec<CallJob>) -> Result<Vec<bool>, StoreError> {
        not_here()
    }

    async fn publish_import(
        &self,
        _: &ImportId,
        _: Option<ReplyWrite>,
        _: Option<CampaignWrite>,
        _: Vec<Announcement>,
    ) -> Result<(), StoreError> {
        not_here()
    }

    async fn drop_import(&self, _: &ImportId) -> Result<(), StoreError> {
        not_here()
    }

    async fn job(&self, id: &JobId) -> Result<Option<Stored<CallJob>>, StoreError> {
        let id = id.clone();
        self.ask(move |world| world.keeper.stored(&id)).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Page<Stored<CallJob>>, StoreError> {
        self.ask(move |world| world.keeper.select(&query)).await
    }

    async fn entries(&self, _: &JobId, _: u64, _: u32) -> Result<Vec<Entry>, StoreError> {
        not_here()
    }

    async fn number_holder(&self, phone: &PhoneNumber) -> Result<Option<JobId>, StoreError> {
        let phone = phone.clone();
        self.ask(move |world| world.keeper.holder(&phone).cloned()).await
    }

    async fn campaign(&self, id: &CampaignId) -> Result<Option<Stored<Campaign>>, StoreError> {
        // Read beside every step: a round trip of its own would only make the histories longer.
        Ok(self.world.with(|world| world.keeper.campaign(id)))
    }

    async fn campaigns(&self, _: Option<String>, _: u32) -> Result<Page<Stored<Campaign>>, StoreError> {
        self.ask(move |world| world.keeper.campaigns()).await
    }

    // These histories have more faults than calls: a breaker would only end them.
    async fn endings(&self, _: &CampaignId) -> Result<Endings, StoreError> {
        Ok(Endings::default())
    }

    async fn counts(&self, run: &RunId) -> Result<Counts, StoreError> {
        let run = run.clone();
        self.ask(move |world| world.keeper.counts(&run)).await
    }

    async fn run(&self, _: &RunId) -> Result<Option<Run>, StoreError> {
        not_here()
    }

    async fn runs(&self, _: &CampaignId, _: Option<String>, _: u32) -> Result<Page<Run>, StoreError> {
        not_here()
    }

    async fn open_runs(&self, _: Option<String>, _: u32) -> Result<Page<Run>, StoreError> {
        not_here()
    }

    async fn fires(&self, _: u32) -> Result<Fires, StoreError> {
        not_here()
    }

    async fn superseded(&self, _: u32) -> Result<Vec<JobId>, StoreError> {
        not_here()
    }

    async fn due(&self, capacity: Capacity, limit: u32) -> Result<DueNow, StoreError> {
        self.ask(move |world| world.keeper.due(capacity, limit as usize, world.now)).await
    }

    async fn overdue(&self, limit: u32) -> Result<Overdue, StoreError> {
        self.ask(move |world| world.keeper.overdue(limit as usize, world.instant())).await
    }

    async fn open_jobs(&self, _: Option<String>, _: u32) -> Result<Page<Stored<CallJob>>, StoreError> {
        self.ask(move |world| world.keeper.open_jobs()).await
    }

    async fn suppression(&self, phone: &PhoneNumber) -> Result<Option<Suppression>, StoreError> {
        let phone = phone.clone();
        self.ask(move |world| world.keeper.suppression(&phone).cloned()).await
    }

    async fn standings(&self, _: Option<&RunId>, _: Vec<PhoneNumber>) -> Result<Vec<Standing>, StoreError> {
        not_here()
    }

    async fn suppress_all(&self, _: Vec<Suppression>) -> Result<Vec<Suppressed>, StoreError> {
        not_here()
    }

    async fn suppressions(&self, _: Option<String>, _: u32) -> Result<Page<Suppression>, StoreError> {
        not_here()
    }

    async fn announcements(&self, _: AnnouncementId, _: u32) -> Result<Announcements, StoreError> {
        not_here()
    }

    async fn last_announcement(&self) -> Result<AnnouncementId, StoreError> {
        not_here()
    }

    async fn endpoint(&self, _: &EndpointId) -> Result<Option<Stored<Endpoint>>, StoreError> {
        not_here()
    }

    async fn endpoints(&self) -> Result<Vec<Stored<Endpoint>>, StoreError> {
        not_here()
    }

    async fn saved_reply(&self, _: &str) -> Result<Option<SavedReply>, StoreError> {
        not_here()
    }
}
