//! The embedded keeper: one SQLite file in a folder that this process has for itself.
//!
//! - `lock`: one process per folder, for as long as it lives.
//! - `schema`: the tables and what they mean; migrations.
//! - `queue`, `task`, `writer`: one thread writes; everybody who waits shares its next
//!   commit, and imports come in between, in small pieces.
//! - `reader`: reads go on beside it, each on the snapshot of its moment.
//! - `checkpoint`: the log is moved into the file off the writer's path.
//! - `commit`, `dial`, `import`: the writes. `pace` spaces the dials, `limits` counts what campaigns limit.
//! - `due`, `list`, `campaigns`, `runs`, `suppressions`, `replies`, `announcements`,
//!   `endpoints`: the questions.
//! - `jobs`, `rows`: records as rows.

mod announcements;
mod campaigns;
mod checkpoint;
mod commit;
mod dial;
mod due;
mod endpoints;
mod error;
mod import;
mod jobs;
mod limits;
mod list;
mod lock;
mod pace;
mod queue;
mod reader;
mod replies;
mod rows;
mod runs;
mod schema;
mod suppressions;
mod task;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

pub use self::error::OpenError;

use self::checkpoint::Checkpoints;
use self::import::{Clearing, Staging};
use self::reader::Readers;
use self::rows::JobRow;
use self::writer::Writer;
use super::clock::Clock;
use super::kept::{self, micros};
use super::{
    BeginDial, Begun, CampaignWrite, Capacity, Change, Doubt, DueNow, Entry, Fires, JobQuery, Overdue, Page,
    ReplyWrite, SavedReply, Standing, Store, StoreError, Stored, Suppressed, Suppression, Write,
};
use crate::announcement::{Announcement, AnnouncementId, Announcements};
use crate::breaker::Endings;
use crate::campaign::{Campaign, Counts};
use crate::endpoint::Endpoint;
use crate::id::{CampaignId, EndpointId, ImportId, JobId, RunId};
use crate::job::CallJob;
use crate::phone::PhoneNumber;
use crate::run::Run;

/// News that a slow listener may be behind before it loses some.
const FEED: usize = 4_096;

/// The embedded keeper. Dropping it finishes what was asked for and closes the file.
pub struct SqliteStore {
    clock: Arc<dyn Clock>,
    feed: broadcast::Sender<Change>,
    doubts: watch::Sender<Option<Doubt>>,
    writer: Writer,
    checkpoints: Arc<Checkpoints>,
    readers: Option<Readers>,
    writer_thread: Option<JoinHandle<()>>,
    other_threads: Vec<JoinHandle<()>>,
    // Last: the folder is free for others only when every thread is gone.
    _lock: lock::FolderLock,
}

impl SqliteStore {
    /// Opens the store in a folder, which is created if need be. Fails after half a second if another
    /// process has it. Reads and writes files: not for the middle of asynchronous work.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let lock = lock::FolderLock::take(folder)?;
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        let db = schema::open_writer(folder)?;
        let left_over = import::drop_left_over(&db)?;
        let (feed, _) = broadcast::channel(FEED);
        let (readers, mut other_threads) = Readers::start(folder)?;
        let (checkpoints, thread) = Checkpoints::start(folder)?;
        other_threads.push(thread);
        let (writer, thread) = Writer::start(db, feed.clone(), checkpoints.clone()).map_err(unusable)?;
        for batch in left_over {
            writer.quiet(Box::new(Clearing(batch)));
        }
        Ok(Self {
            clock,
            feed,
            doubts: watch::Sender::new(None),
            writer,
            checkpoints,
            readers: Some(readers),
            writer_thread: Some(thread),
            other_threads,
            _lock: lock,
        })
    }

    /// Finishes what was asked for and closes the file.
    pub async fn close(self) {
        // Joining threads would hold up the others on this runtime's thread.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// How many transactions were run so far: for measuring how well writes share them.
    pub fn transactions(&self) -> u64 {
        self.writer.transactions()
    }

    async fn ask<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        F: FnOnce(&rusqlite::Connection) -> Result<T, error::Trouble> + Send + 'static,
        T: Send + 'static,
    {
        match &self.readers {
            Some(readers) => readers.ask(question).await,
            None => Err(error::gone()),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer.close();
        self.readers = None;
        self.checkpoints.close();
        for thread in self.other_threads.drain(..) {
            let _ = thread.join();
        }
        // The writer's connection is the last to close, which empties the log into the file.
        if let Some(thread) = self.writer_thread.take() {
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn now(&self) -> Timestamp {
        whole_micros(self.clock.as_ref())
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.feed.subscribe()
    }

    fn doubts(&self) -> watch::Receiver<Option<Doubt>> {
        self.doubts.subscribe()
    }

    async fn dispel(&self, _: &Doubt) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(&self, write: Write) -> Result<(), StoreError> {
        let prepared = commit::Prepared::new(write)?;
        let clock = self.clock.clone();
        let run = move |db: &_, changes: &mut _| prepared.run(db, micros(whole_micros(clock.as_ref())), changes);
        self.writer.run(run).await
    }

    async fn begin_dial(&self, begin: BeginDial) -> Result<Begun, StoreError> {
        let dial = dial::Dial::new(begin)?;
        let clock = self.clock.clone();
        let run = move |db: &_, changes: &mut _| dial.run(db, whole_micros(clock.as_ref()), changes);
        self.writer.run(run).await
    }

    async fn open_import(&self, import: &ImportId, campaign: &CampaignId, run: &RunId) -> Result<(), StoreError> {
        let (import, campaign, run) = (import.to_string(), campaign.to_string(), run.to_string());
        self.writer.run(move |db, _| import::open(db, &import, &campaign, &run)).await
    }

    async fn stage(&self, import: &ImportId, jobs: Vec<CallJob>) -> Result<Vec<bool>, StoreError> {
        let rows = jobs.iter().map(|job| JobRow::new(job, None, None)).collect::<Result<_, _>>()?;
        let (staging, staged) = Staging::new(import.to_string(), rows);
        self.writer.quiet(Box::new(staging));
        staged.await.unwrap_or_else(|_| Err(error::gone()))
    }

    async fn publish_import(
        &self,
        import: &ImportId,
        reply: Option<ReplyWrite>,
        campaign: Option<CampaignWrite>,
        announce: Vec<Announcement>,
    ) -> Result<(), StoreError> {
        let import = import.to_string();
        let campaign = campaign.map(campaigns::CampaignChange::new).transpose()?;
        let announce = rows::encode_all(&announce)?;
        let clock = self.clock.clone();
        let run = move |db: &_, changes: &mut _| {
            let now = micros(whole_micros(clock.as_ref()));
            import::publish(db, &import, reply.as_ref(), campaign.as_ref(), now, changes)?;
            Ok(announcements::write(db, &announce, now)?)
        };
        self.writer.run(run).await
    }

    async fn drop_import(&self, import: &ImportId) -> Result<(), StoreError> {
        let import = import.to_string();
        let batch = self.writer.run(move |db, _| import::drop_open(db, &import)).await?;
        self.writer.quiet(Box::new(Clearing(batch)));
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<Stored<CallJob>>, StoreError> {
        let id = id.to_string();
        self.ask(move |db| list::one(db, &id)).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Page<Stored<CallJob>>, StoreError> {
        self.ask(move |db| list::jobs(db, &query)).await
    }

    async fn entries(&self, job: &JobId, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let job = job.to_string();
        self.ask(move |db| list::entries(db, &job, after, limit)).await
    }

    async fn number_holder(&self, phone: &PhoneNumber) -> Result<Option<JobId>, StoreError> {
        let phone = phone.as_str().to_owned();
        self.ask(move |db| Ok(jobs::holder(db, &phone)?.map(|id| kept::id(&id)).transpose()?)).await
    }

    async fn campaign(&self, id: &CampaignId) -> Result<Option<Stored<Campaign>>, StoreError> {
        let id = id.to_string();
        self.ask(move |db| campaigns::one(db, &id)).await
    }

    async fn campaigns(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<Campaign>>, StoreError> {
        self.ask(move |db| campaigns::list(db, cursor.as_deref(), limit)).await
    }

    async fn counts(&self, run: &RunId) -> Result<Counts, StoreError> {
        let run = run.to_string();
        self.ask(move |db| campaigns::counts(db, &run)).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let id = id.to_string();
        self.ask(move |db| runs::one(db, &id)).await
    }

    async fn runs(&self, campaign: &CampaignId, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError> {
        let campaign = campaign.to_string();
        self.ask(move |db| runs::list(db, &campaign, cursor.as_deref(), limit)).await
    }

    async fn open_runs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError> {
        self.ask(move |db| runs::open(db, cursor.as_deref(), limit)).await
    }

    async fn fires(&self, limit: u32) -> Result<Fires, StoreError> {
        let clock = self.clock.clone();
        self.ask(move |db| runs::fires(db, limit, whole_micros(clock.as_ref()))).await
    }

    async fn superseded(&self, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.ask(move |db| runs::superseded(db, limit)).await
    }

    async fn endings(&self, campaign: &CampaignId) -> Result<Endings, StoreError> {
        let campaign = campaign.to_string();
        self.ask(move |db| Ok(limits::endings_by_id(db, &campaign)?)).await
    }

    async fn due(&self, capacity: Capacity, limit: u32) -> Result<DueNow, StoreError> {
        let clock = self.clock.clone();
        self.ask(move |db| due::due(db, capacity, limit, whole_micros(clock.as_ref()))).await
    }

    async fn overdue(&self, limit: u32) -> Result<Overdue, StoreError> {
        let clock = self.clock.clone();
        self.ask(move |db| due::overdue(db, limit, whole_micros(clock.as_ref()))).await
    }

    async fn open_jobs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<CallJob>>, StoreError> {
        self.ask(move |db| list::open_jobs(db, cursor.as_deref(), limit)).await
    }

    async fn suppression(&self, phone: &PhoneNumber) -> Result<Option<Suppression>, StoreError> {
        let phone = phone.as_str().to_owned();
        self.ask(move |db| suppressions::one(db, &phone)).await
    }

    async fn standings(&self, run: Option<&RunId>, phones: Vec<PhoneNumber>) -> Result<Vec<Standing>, StoreError> {
        let run = run.map(ToString::to_string);
        self.ask(move |db| suppressions::standings(db, run.as_deref(), &phones)).await
    }

    async fn suppress_all(&self, list: Vec<Suppression>) -> Result<Vec<Suppressed>, StoreError> {
        let rows = list.iter().map(suppressions::row).collect::<Result<Vec<_>, _>>()?;
        self.writer.run(move |db, changes| suppressions::add_all(db, &rows, changes)).await
    }

    async fn suppressions(&self, cursor: Option<String>, limit: u32) -> Result<Page<Suppression>, StoreError> {
        self.ask(move |db| suppressions::list(db, cursor.as_deref(), limit)).await
    }

    async fn announcements(&self, after: AnnouncementId, limit: u32) -> Result<Announcements, StoreError> {
        self.ask(move |db| announcements::list(db, after, limit)).await
    }

    async fn last_announcement(&self) -> Result<AnnouncementId, StoreError> {
        self.ask(announcements::last).await
    }

    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Stored<Endpoint>>, StoreError> {
        let id = id.to_string();
        self.ask(move |db| endpoints::one(db, &id)).await
    }

    async fn endpoints(&self) -> Result<Vec<Stored<Endpoint>>, StoreError> {
        self.ask(endpoints::all).await
    }

    async fn saved_reply(&self, key: &str) -> Result<Option<SavedReply>, StoreError> {
        let key = key.to_owned();
        let clock = self.clock.clone();
        self.ask(move |db| replies::one(db, &key, micros(whole_micros(clock.as_ref())))).await
    }
}

/// The time as the file can hold it: what is stored and read again compares as it did before.
fn whole_micros(clock: &dyn Clock) -> Timestamp {
    let now = clock.now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
