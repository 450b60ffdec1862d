//! The shared keeper: one Redis that any number of processes share.
//!
//! - `check`: what a server must be like before records are trusted to it.
//! - `link`: the connection, made again when it breaks; `server_time`: the server's clock, seen from here.
//! - `era`: whether the server may have forgotten something, and what follows.
//! - `keys`: every key and what it means; `record`: records as values; `packing`: small ones.
//! - `script`: the writes. Each is one Lua script, so it happens whole or not at all; their texts are in `lua/`.
//! - `commit`, `dial`, `import`: what the scripts are given, and what their answers mean.
//! - `due`, `list`, `runs`, `suppressions`, `announcements`, `endpoints`: the questions, put together from plain
//!   reads.
//! - `feed`: news from the other processes.
//!
//! Durability is the server's: with `appendfsync always` it answers a write only once it is on the disk.

mod announcements;
mod check;
mod commit;
mod dial;
mod due;
mod endpoints;
mod era;
mod error;
mod feed;
mod import;
mod keys;
mod link;
mod list;
mod packing;
mod record;
mod runs;
mod script;
mod server_time;
mod suppressions;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

pub use self::check::Durability;
pub use self::error::OpenError;

use self::link::Link;
use super::clock::Clock;
use super::kept;
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

/// The shared keeper.
pub struct RedisStore {
    link: Arc<Link>,
    /// Ends with the store: the feed, the beat.
    tasks: JoinSet<()>,
}

impl RedisStore {
    /// Connects to the server at `url` (`redis://`, or `redis+unix://` and a socket's path), and checks that it can
    /// be trusted. Processes that use the same server and database share everything.
    pub async fn connect(url: &str, durability: Durability) -> Result<Self, OpenError> {
        Self::with_clock(url, durability, None).await
    }

    /// As [`RedisStore::connect`], by a clock that a test turns in place of the server's own.
    pub async fn with_clock(
        url: &str,
        durability: Durability,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, OpenError> {
        let (feed, _) = broadcast::channel(FEED);
        let link = Arc::new(Link::open(url, durability, clock, feed).await?);
        let listening = feed::listen(Arc::clone(&link)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(listening);
        tasks.spawn(era::beat(Arc::clone(&link)));
        tasks.spawn(import::clear_dropped(Arc::clone(&link)));
        Ok(Self { link, tasks })
    }

    /// Ends what the store does by itself. Everything that was confirmed is with the server already.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
        if let Err(error) = era::leave(&self.link).await {
            tracing::warn!(%error, "Redis was not told of the end of this process: {error}");
        }
    }

    /// What this process calls itself among those that share the server.
    pub fn process(&self) -> &str {
        self.link.origin()
    }
}

#[async_trait]
impl Store for RedisStore {
    fn now(&self) -> Timestamp {
        self.link.now()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.link.feed().subscribe()
    }

    fn doubts(&self) -> watch::Receiver<Option<Doubt>> {
        self.link.doubts().subscribe()
    }

    async fn dispel(&self, doubt: &Doubt) -> Result<(), StoreError> {
        era::dispel(&self.link, doubt).await
    }

    async fn commit(&self, write: Write) -> Result<(), StoreError> {
        commit::commit(&self.link, write).await
    }

    async fn begin_dial(&self, begin: BeginDial) -> Result<Begun, StoreError> {
        dial::begin(&self.link, begin).await
    }

    async fn open_import(&self, import: &ImportId, campaign: &CampaignId, run: &RunId) -> Result<(), StoreError> {
        import::open(&self.link, import, campaign, run).await
    }

    async fn stage(&self, import: &ImportId, jobs: Vec<CallJob>) -> Result<Vec<bool>, StoreError> {
        import::stage(&self.link, import, jobs).await
    }

    async fn publish_import(
        &self,
        import: &ImportId,
        reply: Option<ReplyWrite>,
        campaign: Option<CampaignWrite>,
        announce: Vec<Announcement>,
    ) -> Result<(), StoreError> {
        import::publish(&self.link, import, reply, campaign, &announce).await
    }

    async fn drop_import(&self, import: &ImportId) -> Result<(), StoreError> {
        let batch = import::forget(&self.link, import.as_str(), None).await?;
        tokio::spawn(import::clear(Arc::clone(&self.link), batch));
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<Stored<CallJob>>, StoreError> {
        list::one(&self.link, id.as_str()).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Page<Stored<CallJob>>, StoreError> {
        list::jobs(&self.link, &query).await
    }

    async fn entries(&self, job: &JobId, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        list::entries(&self.link, job.as_str(), after, limit).await
    }

    async fn number_holder(&self, phone: &PhoneNumber) -> Result<Option<JobId>, StoreError> {
        let holder: Option<String> = self.link.ask(redis::cmd("GET").arg(keys::lock(phone.as_str()))).await?;
        holder.map(|id| kept::id(&id)).transpose()
    }

    async fn campaign(&self, id: &CampaignId) -> Result<Option<Stored<Campaign>>, StoreError> {
        let value: Option<Vec<u8>> = self.link.ask(redis::cmd("GET").arg(keys::campaign(id.as_str()))).await?;
        value.map(|value| record::campaign(&value)).transpose()
    }

    async fn campaigns(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<Campaign>>, StoreError> {
        list::campaigns(&self.link, cursor.as_deref(), limit).await
    }

    async fn counts(&self, run: &RunId) -> Result<Counts, StoreError> {
        list::counts(&self.link, run.as_str()).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        runs::one(&self.link, id.as_str()).await
    }

    async fn runs(&self, campaign: &CampaignId, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError> {
        runs::list(&self.link, campaign.as_str(), cursor.as_deref(), limit).await
    }

    async fn open_runs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError> {
        runs::open(&self.link, cursor.as_deref(), limit).await
    }

    async fn fires(&self, limit: u32) -> Result<Fires, StoreError> {
        runs::fires(&self.link, limit).await
    }

    async fn superseded(&self, limit: u32) -> Result<Vec<JobId>, StoreError> {
        runs::superseded(&self.link, limit).await
    }

    async fn endings(&self, campaign: &CampaignId) -> Result<Endings, StoreError> {
        let get = redis::cmd("HGET").arg(keys::limits(campaign)).arg("endings").to_owned();
        let list: Option<String> = self.link.ask(&get).await?;
        Ok(record::endings(list.as_deref()))
    }

    async fn due(&self, capacity: Capacity, limit: u32) -> Result<DueNow, StoreError> {
        due::due(&self.link, capacity, limit).await
    }

    async fn overdue(&self, limit: u32) -> Result<Overdue, StoreError> {
        due::overdue(&self.link, limit).await
    }

    async fn open_jobs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<CallJob>>, StoreError> {
        list::open_jobs(&self.link, cursor.as_deref(), limit).await
    }

    async fn suppression(&self, phone: &PhoneNumber) -> Result<Option<Suppression>, StoreError> {
        let get = redis::cmd("HGET").arg(keys::SUPPRESSED).arg(phone.as_str()).to_owned();
        let value: Option<Vec<u8>> = self.link.ask(&get).await?;
        value.map(|value| kept::decode(&value)).transpose()
    }

    async fn standings(&self, run: Option<&RunId>, phones: Vec<PhoneNumber>) -> Result<Vec<Standing>, StoreError> {
        suppressions::standings(&self.link, run, &phones).await
    }

    async fn suppress_all(&self, list: Vec<Suppression>) -> Result<Vec<Suppressed>, StoreError> {
        suppressions::add_all(&self.link, &list).await
    }

    async fn suppressions(&self, cursor: Option<String>, limit: u32) -> Result<Page<Suppression>, StoreError> {
        suppressions::list(&self.link, cursor.as_deref(), limit).await
    }

    async fn announcements(&self, after: AnnouncementId, limit: u32) -> Result<Announcements, StoreError> {
        announcements::list(&self.link, after, limit).await
    }

    async fn last_announcement(&self) -> Result<AnnouncementId, StoreError> {
        announcements::last(&self.link).await
    }

    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Stored<Endpoint>>, StoreError> {
        endpoints::one(&self.link, id.as_str()).await
    }

    async fn endpoints(&self) -> Result<Vec<Stored<Endpoint>>, StoreError> {
        endpoints::all(&self.link).await
    }

    async fn saved_reply(&self, key: &str) -> Result<Option<SavedReply>, StoreError> {
        list::saved_reply(&self.link, key).await
    }
}
