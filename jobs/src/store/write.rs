//! What is written, as one whole.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReplyWrite, Suppression};
use crate::announcement::Announcement;
use crate::breaker::Ending;
use crate::campaign::Campaign;
use crate::endpoint::Endpoint;
use crate::id::{EndpointId, JobId};
use crate::job::CallJob;
use crate::phone::PhoneNumber;
use crate::run::Run;
use crate::tally::Tally;

/// One atomic write: all of its parts or none.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// A job, new or changed.
    pub job: Option<JobWrite>,
    /// A campaign, new or changed.
    pub campaign: Option<CampaignWrite>,
    /// A run that has ended: [`super::StoreError::Conflict`] if it had ended already, or a job of it is open. Whatever write
    /// brings it an open job later takes its end back.
    pub ends: Option<Run>,
    /// A number that may not be called from now on. Known numbers keep their first entry.
    pub suppress: Option<Suppression>,
    /// A number that may be called again.
    pub unsuppress: Option<PhoneNumber>,
    /// Entries for the history of a job that does not change itself.
    pub notes: Option<(JobId, Vec<NewEntry>)>,
    /// What others are to hear of it, in order.
    pub announce: Vec<Announcement>,
    /// An endpoint that announcements are delivered to.
    pub endpoint: Option<EndpointWrite>,
    /// The reply to keep for an idempotency key.
    pub reply: Option<ReplyWrite>,
}

/// A job to be stored, with the times that index it.
#[derive(Debug, Clone)]
pub struct JobWrite {
    /// The job. Shared, because its writer goes on with it.
    pub job: Arc<CallJob>,
    /// The version it was read at; none for a new job.
    pub from: Option<u64>,
    /// When the sweep must look at it: [`CallJob::deadline`].
    pub deadline: Option<Timestamp>,
    /// Until when it may hold a line: [`CallJob::line_until`].
    pub line_until: Option<Timestamp>,
    /// What it adds to the counters of its run: [`Tally::between`] what was read and this.
    pub tally: Tally,
    /// How a call of its campaign ended with this write, if one did: [`crate::breaker::ending`].
    pub ending: Option<Ending>,
    /// What happened, for its history.
    pub entries: Vec<NewEntry>,
}

impl JobWrite {
    /// A job that is stored for the first time.
    pub fn new(job: impl Into<Arc<CallJob>>) -> Self {
        let job = job.into();
        Self {
            tally: Tally::of(&job),
            from: None,
            deadline: None,
            line_until: None,
            ending: None,
            entries: Vec::new(),
            job,
        }
    }
}

/// A campaign to be stored.
#[derive(Debug, Clone)]
pub struct CampaignWrite {
    /// The campaign.
    pub campaign: Campaign,
    /// The version it was read at; none for a new one.
    pub from: Option<u64>,
    /// The run that begins with this write.
    pub begins: Option<Run>,
}

/// An endpoint to be stored or forgotten.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one at a time, and mostly the large one")]
pub enum EndpointWrite {
    /// To be stored.
    Put {
        /// The endpoint.
        endpoint: Endpoint,
        /// The version it was read at; none for a new one.
        from: Option<u64>,
    },
    /// To be forgotten, at whatever version.
    Remove(EndpointId),
}

/// Something that happened to a job, for its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEntry {
    /// When.
    pub at: Timestamp,
    /// What: an event's name, `agent_said`, `gym_said`, …
    pub kind: String,
    /// Its details.
    pub detail: serde_json::Value,
    /// Why it changed nothing, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}
