//! A campaign: which questions are put to which gyms, and whether it is calling now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{CampaignId, RunId};
use crate::job::Status;
use crate::outcome::words;
use crate::question::Question;
use crate::rules::Policy;
use crate::tally::Tally;

/// A campaign's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Its name, for people.
    pub name: String,
    /// On whose behalf the agent says that it calls.
    pub on_behalf_of: String,
    /// What is asked, in this order.
    pub questions: Vec<Question>,
    /// How it is called.
    pub policy: Policy,
    /// What its people have decided.
    pub state: CampaignState,
    /// Its present run: the jobs that are worked on.
    pub run: RunId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was first started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When its hours changed, until everything that waits has been told: see
    /// [`crate::ledger::Ledger::follow_hours`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_changed_at: Option<Timestamp>,
}

/// What people have decided for a campaign. Whether it is complete, or still pausing, follows
/// from its jobs and is not stored: see [`Campaign::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum CampaignState {
    /// Not started yet.
    Draft,
    /// Its due jobs are dialled.
    Running,
    /// Nothing new is dialled; live calls finish.
    Paused(PausedReason),
    /// As paused, and its waiting jobs are cancelled.
    Cancelled,
}

words!(
    /// Why a campaign is paused.
    PausedReason {
        /// Somebody paused it.
        Manual = "manual",
        /// Twilio refuses the account or its settings.
        Credentials = "credentials",
    }
);

words!(
    /// A campaign's status, as users see it.
    CampaignStatus {
        /// It has no gyms yet.
        Draft = "draft",
        /// It has gyms and can be started.
        Ready = "ready",
        /// It is calling.
        Running = "running",
        /// It was paused, and live calls are finishing.
        Pausing = "pausing",
        /// It is paused.
        Paused = "paused",
        /// Every gym is done.
        Completed = "completed",
        /// It was taken back.
        Cancelled = "cancelled",
    }
);

/// What a person can do with a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Begin to call.
    Start,
    /// Call nobody new.
    Pause(PausedReason),
    /// Go on after a pause.
    Resume,
    /// Take it back for good.
    Cancel,
}

/// The action does not fit where the campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// There is nobody to call.
    #[error("the campaign has no gyms: import a CSV first")]
    NoGyms,
    /// It does not fit this status.
    #[error("a campaign that is {status} cannot {verb}")]
    Conflict {
        /// Where it stands.
        status: CampaignStatus,
        /// What was asked.
        verb: &'static str,
    },
}

impl Campaign {
    /// Its status, from what was decided and how its run's jobs stand.
    pub fn status(&self, counts: &Counts) -> CampaignStatus {
        match self.state {
            CampaignState::Draft if counts.total() == 0 => CampaignStatus::Draft,
            CampaignState::Draft => CampaignStatus::Ready,
            CampaignState::Cancelled => CampaignStatus::Cancelled,
            CampaignState::Paused(_) if counts.live() > 0 => CampaignStatus::Pausing,
            CampaignState::Paused(_) => CampaignStatus::Paused,
            CampaignState::Running if counts.open() == 0 => CampaignStatus::Completed,
            CampaignState::Running => CampaignStatus::Running,
        }
    }

    /// Why it is paused, if it is.
    pub fn paused_reason(&self) -> Option<PausedReason> {
        match self.state {
            CampaignState::Paused(reason) => Some(reason),
            _ => None,
        }
    }

    /// The same with another policy, and with the usual hours if that names none. Where its hours change, it is on
    /// record that what waits has yet to be told.
    #[must_use]
    pub fn with_policy(self, policy: Policy, now: Timestamp) -> Campaign {
        let policy = policy.with_usual_hours();
        let same = policy.window == self.policy.window;
        let hours_changed_at = if same { self.hours_changed_at } else { Some(now) };
        Campaign { policy, hours_changed_at, updated_at: now, ..self }
    }

    /// The campaign after `action`; the same again where it is there already.
    pub fn act(&self, action: Action, counts: &Counts, now: Timestamp) -> Result<Campaign, ActionError> {
        let conflict = |verb| ActionError::Conflict { status: self.status(counts), verb };
        let state = match (action, self.state) {
            (Action::Start, CampaignState::Draft) if counts.total() == 0 => return Err(ActionError::NoGyms),
            (Action::Start, CampaignState::Draft | CampaignState::Running) => CampaignState::Running,
            (Action::Start, _) => return Err(conflict("start")),
            (Action::Pause(reason), CampaignState::Running) => CampaignState::Paused(reason),
            (Action::Pause(_), CampaignState::Paused(reason)) => CampaignState::Paused(reason),
            (Action::Pause(_), _) => return Err(conflict("pause")),
            (Action::Resume, CampaignState::Paused(_) | CampaignState::Running) => CampaignState::Running,
            (Action::Resume, _) => return Err(conflict("resume")),
            // Its gyms were called: a word that says otherwise would hide that from its people.
            (Action::Cancel, CampaignState::Running) if counts.total() > 0 && counts.open() == 0 => {
                return Err(conflict("cancel"));
            }
            (Action::Cancel, _) => CampaignState::Cancelled,
        };
        let started_at = match state {
            CampaignState::Running => self.started_at.or(Some(now)),
            _ => self.started_at,
        };
        Ok(Campaign { state, started_at, updated_at: now, ..self.clone() })
    }
}

/// How many jobs of a run stand where, and what its calls came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    by_status: [u64; Status::ALL.len()],
    tally: Tally,
}

impl Counts {
    /// The counts from pairs; a status that is not named has none.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Status, u64)>) -> Self {
        let mut counts = Self::default();
        for (status, number) in pairs {
            counts.by_status[status as usize] += number;
        }
        counts
    }

    /// The same counts with the tally of the run's jobs.
    #[must_use]
    pub fn with_tally(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }

    /// The calls of the run's jobs, and what they cost.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Which part of the calls that are over was answered by a person; none before the first is over.
    pub fn pick_up_rate(&self) -> Option<f64> {
        (self.tally.ended > 0).then(|| self.tally.connected as f64 / self.tally.ended as f64)
    }

    /// How many stand at this status.
    pub fn of(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// All jobs.
    pub fn total(&self) -> u64 {
        self.by_status.iter().sum()
    }

    /// Jobs with a call under way, or with one that may be.
    pub fn live(&self) -> u64 {
        self.sum(Status::is_live)
    }

    /// Jobs that are waiting or live: those that time alone will still move.
    pub fn open(&self) -> u64 {
        self.sum(|status| !status.is_final())
    }

    fn sum(&self, which: impl Fn(Status) -> bool) -> u64 {
        Status::ALL.iter().filter(|status| which(**status)).map(|status| self.of(*status)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_that_is_completed_cannot_be_cancelled() {
        let now = Timestamp::UNIX_EPOCH;
        let campaign = |state| Campaign {
            id: CampaignId::new(now, 1),
            name: "Day passes".to_owned(),
            on_behalf_of: "us".to_owned(),
            questions: Vec::new(),
            policy: Policy::default(),
            state,
            run: RunId::new(now, 1),
            created_at: now,
            updated_at: now,
            started_at: None,
            hours_changed_at: None,
        };
        let over = Counts::from_pairs([(Status::Completed, 2), (Status::Quarantined, 1)]);
        let refused = campaign(CampaignState::Running).act(Action::Cancel, &over, now);
        assert_eq!(refused, Err(ActionError::Conflict { status: CampaignStatus::Completed, verb: "cancel" }));

        let open = Counts::from_pairs([(Status::Completed, 2), (Status::Waiting, 1)]);
        let paused = CampaignState::Paused(PausedReason::Manual);
        for (state, counts) in [
            (CampaignState::Running, &open),
            (paused, &over),
            // Whoever asks twice gets what they asked for.
            (CampaignState::Cancelled, &over),
        ] {
            let cancelled = campaign(state).act(Action::Cancel, counts, now).map(|campaign| campaign.state);
            assert_eq!(cancelled, Ok(CampaignState::Cancelled), "{state:?}");
        }
    }
}
