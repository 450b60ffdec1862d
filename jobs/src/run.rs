//! A run: one pass of a campaign over its gyms, with jobs of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{CampaignId, RunId};
use crate::outcome::words;

/// A run that has begun. It is written when it begins and when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Which run of its campaign it is, from 1.
    pub number: u32,
    /// Why it began.
    pub cause: Cause,
    /// When it was to begin, if by a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its last job was over. A gym that is added or redialled later opens it again, until that is over, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

words!(
    /// Why a run began.
    Cause {
        /// Somebody started the campaign.
        Start = "start",
        /// Its time had come.
        Schedule = "schedule",
        /// The gyms were replaced while the campaign was calling.
        Replace = "replace",
    }
);
