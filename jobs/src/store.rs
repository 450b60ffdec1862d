//! The contract of a store: the one place where records are kept.
//!
//! Every keeper promises the same, and one suite of tests holds each to it:
//!
//! - **Durable**: a write that returned `Ok` survives the death of the process and of the machine.
//! - **Whole**: a write happens completely or not at all, whatever dies.
//! - **Compare and set**: a record changes only from the version its writer had read.
//! - **One clock**: everybody who shares a store shares its time, [`Store::now`].
//! - **No domain logic**: keepers compare, set and count. What a job becomes is decided by
//!   [`crate::job::CallJob::step`] alone; the one exception is the gate of [`Store::begin_dial`].

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::announcement::{Announcement, AnnouncementId, Announcements};
use crate::breaker::Endings;
use crate::campaign::{Campaign, Counts};
use crate::endpoint::Endpoint;
use crate::id::{CampaignId, EndpointId, ImportId, JobId, RunId};
use crate::job::{CallJob, Status};
use crate::phone::PhoneNumber;
use crate::run::Run;

pub mod clock;
pub mod gate;
mod kept;
mod pace;
pub mod redis;
pub mod reply;
pub mod sqlite;
mod unreadable;
mod write;

pub use gate::{BeginDial, Begun, CampaignCapacity, Capacity, DayOfCalls, Gate, Refusal};
pub use reply::{ReplyWrite, SavedReply};
pub(crate) use unreadable::pass_over;
pub use write::{CampaignWrite, EndpointWrite, JobWrite, NewEntry, Write};

/// Keeps campaigns, jobs, their histories, the suppression list and saved replies.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The store's time.
    fn now(&self) -> Timestamp;

    /// A feed of what changes from now on. A receiver that falls behind loses news, never truth:
    /// it must look at the records again.
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Whether the store may have forgotten what it had confirmed. While it may, no dial begins: a call
    /// that was forgotten would be made again. The embedded keeper never forgets.
    fn doubts(&self) -> watch::Receiver<Option<Doubt>>;

    /// Everything that was asked of Twilio since [`Doubt::since`] has been written back: dialling may go on.
    async fn dispel(&self, doubt: &Doubt) -> Result<(), StoreError>;

    /// Carries out a write as one whole.
    async fn commit(&self, write: Write) -> Result<(), StoreError>;

    /// Lets a dial begin, or says why not, in one atomic step: see [`gate`].
    async fn begin_dial(&self, begin: BeginDial) -> Result<Begun, StoreError>;

    /// Begins an import into a run. Its jobs stay invisible until it is published.
    /// A campaign has one open import at a time: [`StoreError::Busy`].
    async fn open_import(&self, import: &ImportId, campaign: &CampaignId, run: &RunId) -> Result<(), StoreError>;

    /// Adds waiting jobs to an open import. Answers for each, in order, whether it was taken:
    /// `false` for a number that the run has already.
    async fn stage(&self, import: &ImportId, jobs: Vec<CallJob>) -> Result<Vec<bool>, StoreError>;

    /// Makes all jobs of an import visible at once, together with the saved reply, the campaign's record, and what others
    /// are to hear of it. [`StoreError::Conflict`] leaves the import open, so that its owner can decide again.
    async fn publish_import(
        &self,
        import: &ImportId,
        reply: Option<ReplyWrite>,
        campaign: Option<CampaignWrite>,
        announce: Vec<Announcement>,
    ) -> Result<(), StoreError>;

    /// Forgets an import that was not published.
    async fn drop_import(&self, import: &ImportId) -> Result<(), StoreError>;

    /// One job.
    async fn job(&self, id: &JobId) -> Result<Option<Stored<CallJob>>, StoreError>;

    /// Jobs in the order they were accepted.
    async fn jobs(&self, query: JobQuery) -> Result<Page<Stored<CallJob>>, StoreError>;

    /// The history of a job after the entry numbered `after`, oldest first.
    async fn entries(&self, job: &JobId, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// The job whose open attempt keeps this number from being called, if there is one.
    async fn number_holder(&self, phone: &PhoneNumber) -> Result<Option<JobId>, StoreError>;

    /// One campaign.
    async fn campaign(&self, id: &CampaignId) -> Result<Option<Stored<Campaign>>, StoreError>;

    /// Campaigns, the newest first.
    async fn campaigns(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<Campaign>>, StoreError>;

    /// How many jobs of a run stand where, and their tally. Costs the same with ten jobs and a million.
    async fn counts(&self, run: &RunId) -> Result<Counts, StoreError>;

    /// One run that has begun.
    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError>;

    /// The runs of a campaign that have begun, the latest first.
    async fn runs(&self, campaign: &CampaignId, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError>;

    /// Runs that have begun and not ended, of all campaigns.
    async fn open_runs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Run>, StoreError>;

    /// Campaigns whose next run is to begin by now, the longest due first, at most `limit`; and when the next one's is.
    async fn fires(&self, limit: u32) -> Result<Fires, StoreError>;

    /// Waiting jobs of runs that are not their campaign's present one, at most `limit`. Where there are none this
    /// costs next to nothing.
    async fn superseded(&self, limit: u32) -> Result<Vec<JobId>, StoreError>;

    /// How the latest calls of a campaign ended, since it last began to run.
    async fn endings(&self, campaign: &CampaignId) -> Result<Endings, StoreError>;

    /// Jobs that may be dialled now: single calls first, because somebody waits for them, then those of
    /// running campaigns, the longest due first; at most `limit`, and no more than free lines and the
    /// pace allow at this moment.
    async fn due(&self, capacity: Capacity, limit: u32) -> Result<DueNow, StoreError>;

    /// Jobs whose deadline has passed, the longest overdue first, at most `limit`; and when the next
    /// one's deadline is.
    async fn overdue(&self, limit: u32) -> Result<Overdue, StoreError>;

    /// Jobs that are neither waiting nor final nor quarantined, for a look at them after a start.
    async fn open_jobs(&self, cursor: Option<String>, limit: u32) -> Result<Page<Stored<CallJob>>, StoreError>;

    /// Whether, and since when, a number may not be called.
    async fn suppression(&self, phone: &PhoneNumber) -> Result<Option<Suppression>, StoreError>;

    /// For each of these numbers, in order: whether the run has it already, and whether it may not be called.
    /// No more than a thousand or so at a time: all are looked at in one moment.
    async fn standings(&self, run: Option<&RunId>, phones: Vec<PhoneNumber>) -> Result<Vec<Standing>, StoreError>;

    /// Suppresses many numbers as one write; known numbers keep their first entry. Answers for each, in order,
    /// whether it was new, and whose open attempt holds it. No more than a thousand or so at a time.
    async fn suppress_all(&self, list: Vec<Suppression>) -> Result<Vec<Suppressed>, StoreError>;

    /// The suppression list, by number.
    async fn suppressions(&self, cursor: Option<String>, limit: u32) -> Result<Page<Suppression>, StoreError>;

    /// What was announced after `after`, the oldest first, at most `limit`. The last
    /// [`crate::announcement::KEPT`] are kept.
    async fn announcements(&self, after: AnnouncementId, limit: u32) -> Result<Announcements, StoreError>;

    /// The latest announcement; [`AnnouncementId::START`] if there was none yet.
    async fn last_announcement(&self) -> Result<AnnouncementId, StoreError>;

    /// One endpoint that announcements are delivered to.
    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Stored<Endpoint>>, StoreError>;

    /// All of them, the oldest first. There are few.
    async fn endpoints(&self) -> Result<Vec<Stored<Endpoint>>, StoreError>;

    /// The reply kept for an idempotency key, if it is younger than 24 hours.
    async fn saved_reply(&self, key: &str) -> Result<Option<SavedReply>, StoreError>;
}

/// A record and the version that the next write must name.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// The record.
    pub record: T,
    /// Its version: 1 when new, one more with every write.
    pub version: u64,
}

/// An entry of a job's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number: larger is later, without promise of being gapless.
    pub number: u64,
    /// The entry.
    pub entry: NewEntry,
}

/// Which jobs, and from where on.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Of this campaign; none for all jobs, single calls included.
    pub campaign: Option<CampaignId>,
    /// Of this run.
    pub run: Option<RunId>,
    /// At this status.
    pub status: Option<Status>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most so many; a keeper may cap it at 1,000.
    pub limit: u32,
}

/// Part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to ask with for the next part; none at the end.
    pub next: Option<String>,
}

/// What is due, and when to look again if nothing else happens before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DueNow {
    /// Jobs to be dialled.
    pub jobs: Vec<JobId>,
    /// When the next job is due or the next pace token is there; none when nothing waits, or when only
    /// a freed line can help, which [`Store::changes`] tells.
    pub again_at: Option<Timestamp>,
}

/// What is overdue, and when the next deadline is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overdue {
    /// Jobs to be told that time has passed.
    pub jobs: Vec<JobId>,
    /// The next deadline that has not passed.
    pub again_at: Option<Timestamp>,
}

/// What is to begin, and when the next is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fires {
    /// Campaigns whose next run is due.
    pub campaigns: Vec<CampaignId>,
    /// The next time that has not come.
    pub again_at: Option<Timestamp>,
}

/// A number that may not be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    /// The number.
    pub phone: PhoneNumber,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words: where known, what was said.
    pub reason: String,
}

/// How a number stands before it is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// A visible job of the run has it.
    pub in_run: bool,
    /// It may not be called.
    pub suppressed: bool,
}

/// What came of suppressing a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// It was not on the list before.
    pub new: bool,
    /// The job whose open attempt holds the number.
    pub holder: Option<JobId>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A job moved.
    Job {
        /// The job.
        id: JobId,
        /// Its run, if it has one.
        run: Option<RunId>,
        /// Where it stands now.
        status: Status,
    },
    /// A campaign changed, gyms were imported into it, or a run of it has ended.
    Campaign(CampaignId),
    /// A number was suppressed or released.
    Suppression,
    /// An endpoint was added or removed.
    Endpoint,
    /// News may have been lost, as when a connection broke: look at the records again.
    Gap,
}

/// The store may have forgotten the latest of what it had confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Which life of the store is in doubt.
    pub era: String,
    /// From when on things may have been forgotten.
    pub since: Timestamp,
}

/// Why a store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The record is not at the version that was read: read again and decide again.
    #[error("the record has changed since it was read")]
    Conflict,
    /// The idempotency key is taken.
    #[error("the idempotency key is in use")]
    KeyTaken(Box<SavedReply>),
    /// An import into this campaign is under way, or the data folder is in use.
    #[error("{0}")]
    Busy(String),
    /// There is no such import, campaign, run or job.
    #[error("no such {0}")]
    Missing(&'static str),
    /// A cursor that this store did not give out.
    #[error("the cursor is not one of ours")]
    BadCursor,
    /// A stored record cannot be read.
    #[error("a stored record cannot be read: {0}")]
    Corrupt(String),
    /// The disk, the database or the connection failed. Whether the write happened is not known.
    #[error("the store failed: {0}")]
    Failed(String),
}
