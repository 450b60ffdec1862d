//! What is told to those who watch from outside: the events of the HTTP interface and of outgoing webhooks.
//!
//! An announcement is stored in the write that it tells of, so none is lost and none is made up. It is small: it says
//! what happened to whom, and whoever wants more reads the job. The store numbers announcements and keeps
//! the last [`KEPT`] of them, so that a reader who comes back goes on where it left off.

mod follow;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::CallStatus;
use crate::campaign::{Campaign, CampaignState, CampaignStatus, Counts, PausedReason};
use crate::id::{CampaignId, JobId, RunId};
use crate::job::{CallJob, Phase, Status};
use crate::outcome::{Outcome, words};

pub use follow::{Follower, Pace};

/// How many announcements are kept, at least: a night of 20,000 calls. Keepers may keep a few more.
pub const KEPT: u32 = 100_000;

words!(
    /// What happened.
    Kind {
        /// A campaign began to call, or went on after a pause.
        CampaignStarted = "campaign.started",
        /// A campaign calls nobody new.
        CampaignPaused = "campaign.paused",
        /// A campaign's run is over, or it was cancelled.
        CampaignEnded = "campaign.ended",
        /// A gym is about to be called.
        JobDialing = "job.dialing",
        /// It rings there.
        JobRinging = "job.ringing",
        /// Somebody, or something, picked up.
        JobAnswered = "job.answered",
        /// Over, with an answer, which is stored.
        JobCompleted = "job.completed",
        /// Over, without.
        JobFailed = "job.failed",
        /// Not called.
        JobSkipped = "job.skipped",
        /// Still unclear after every look-up: a person has to decide.
        JobQuarantined = "job.quarantined",
    }
);

/// The text is not the name of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of an event")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        let known = Kind::ALL.iter().copied().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// To whom.
    pub about: About,
}

/// Whom an announcement is about, as it stood then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A campaign.
    Campaign {
        /// The campaign.
        campaign: CampaignId,
        /// Its run.
        run: RunId,
        /// Its status.
        status: CampaignStatus,
        /// Why it is paused, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paused_reason: Option<PausedReason>,
    },
    /// A job.
    Job {
        /// The job.
        job: JobId,
        /// Its campaign; none for a single call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        /// Its run; none for a single call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Its status.
        status: Status,
        /// How it ended, once it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
}

impl Announcement {
    /// The campaign that it is about, or whose job it is about.
    pub fn campaign(&self) -> Option<&CampaignId> {
        match &self.about {
            About::Campaign { campaign, .. } => Some(campaign),
            About::Job { campaign, .. } => campaign.as_ref(),
        }
    }

    /// What is told of a job that became `after`. Late facts about a job that is over are not told.
    pub fn of_job(before: &CallJob, after: &CallJob, at: Timestamp) -> Vec<Self> {
        if before.status().is_final() && before.status() == after.status() {
            return Vec::new();
        }
        let about = |kind| Self {
            at,
            kind,
            about: About::Job {
                job: after.id().clone(),
                campaign: after.membership().map(|of| of.campaign.clone()),
                run: after.membership().map(|of| of.run.clone()),
                status: after.status(),
                outcome: after.outcome().cloned(),
            },
        };
        let mut told = Vec::new();
        if rings(after) && !rings(before) {
            told.push(about(Kind::JobRinging));
        }
        if picked_up(after).is_some() && picked_up(after) != picked_up(before) {
            told.push(about(Kind::JobAnswered));
        }
        if before.status() != after.status() {
            told.extend(reached(after.status()).map(about));
        }
        told
    }

    /// What is told of a campaign that became `after`. That its run is over is told with the run's end: see
    /// [`Announcement::of_end`].
    pub fn of_campaign(before: &Campaign, after: &Campaign, counts: &Counts, at: Timestamp) -> Option<Self> {
        let paused = |campaign: &Campaign| campaign.paused_reason().is_some();
        let is = |campaign: &Campaign, state| campaign.state == state;
        let status = after.status(counts);
        let goes_on = is(before, CampaignState::Running) && before.run == after.run && before.runs == after.runs;
        let (kind, status) = if is(after, CampaignState::Running) && !goes_on {
            // Also where nobody is left to be called: that is told next.
            (Kind::CampaignStarted, CampaignStatus::Running)
        } else if paused(after) && !paused(before) {
            (Kind::CampaignPaused, status)
        } else if is(after, CampaignState::Cancelled)
            && !is(before, CampaignState::Cancelled)
            && (!before.has_begun() || counts.open() == 0)
        {
            // No run of it is still to end.
            (Kind::CampaignEnded, status)
        } else {
            return None;
        };
        Some(Self::about(after, after.run.clone(), kind, status, at))
    }

    /// What is told of a campaign whose run is over. `counts` are those of its present run.
    pub fn of_end(campaign: &Campaign, run: &RunId, counts: &Counts, at: Timestamp) -> Self {
        Self::about(campaign, run.clone(), Kind::CampaignEnded, campaign.status(counts), at)
    }

    fn about(campaign: &Campaign, run: RunId, kind: Kind, status: CampaignStatus, at: Timestamp) -> Self {
        let paused_reason = campaign.paused_reason();
        Self { at, kind, about: About::Campaign { campaign: campaign.id.clone(), run, status, paused_reason } }
    }
}

const fn reached(status: Status) -> Option<Kind> {
    match status {
        Status::Dialing => Some(Kind::JobDialing),
        Status::Completed => Some(Kind::JobCompleted),
        Status::Failed => Some(Kind::JobFailed),
        Status::Skipped => Some(Kind::JobSkipped),
        Status::Quarantined => Some(Kind::JobQuarantined),
        Status::Waiting
        | Status::Unknown
        | Status::Placed
        | Status::InProgress
        | Status::Closing
        | Status::Cancelled => None,
    }
}

fn rings(job: &CallJob) -> bool {
    matches!(job.phase(), Phase::Placed { last_word: CallStatus::Ringing, .. })
}

/// The number of the latest attempt, if that was picked up. News of a call comes in any order: a report tells it, too.
fn picked_up(job: &CallJob) -> Option<u32> {
    let talks = matches!(job.phase(), Phase::Talking { .. } | Phase::Closing { .. });
    let attempt = job.attempts().last()?;
    let said = matches!(attempt.status, Some(CallStatus::InProgress | CallStatus::Completed));
    (talks || said || attempt.started_at.is_some()).then_some(attempt.number)
}

/// Names an announcement: a later one has a larger id. A store that is set back to an old copy gives no id again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnnouncementId {
    /// What orders ids.
    pub(crate) major: u64,
    /// What else is needed to tell them apart.
    pub(crate) minor: u64,
}

impl AnnouncementId {
    /// Before the first.
    pub const START: Self = Self { major: 0, minor: 0 };
}

impl fmt::Display for AnnouncementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}-{}", self.major, self.minor)
    }
}

/// The text is not an announcement's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of an event, as evt_1764233590123-0")]
pub struct AnnouncementIdError(String);

impl FromStr for AnnouncementId {
    type Err = AnnouncementIdError;

    fn from_str(text: &str) -> Result<Self, AnnouncementIdError> {
        let parts = text.strip_prefix("evt_").and_then(|rest| rest.split_once('-'));
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
        let id = parts.and_then(|(major, minor)| Some(Self { major: number(major)??, minor: number(minor)?? }));
        id.ok_or_else(|| AnnouncementIdError(text.to_owned()))
    }
}

impl TryFrom<String> for AnnouncementId {
    type Error = AnnouncementIdError;

    fn try_from(text: String) -> Result<Self, AnnouncementIdError> {
        text.parse()
    }
}

impl From<AnnouncementId> for String {
    fn from(id: AnnouncementId) -> String {
        id.to_string()
    }
}

/// An announcement as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Announced {
    /// Its id.
    pub id: AnnouncementId,
    /// The announcement.
    pub announcement: Announcement,
}

/// A part of the list of announcements.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Announcements {
    /// The announcements, the oldest first.
    pub items: Vec<Announced>,
    /// Whether some between the id that was asked for and the first of these may be missing, because they are not
    /// kept any more, or because the id is none of this store's.
    pub gap: bool,
}
