//! A campaign: which questions are put to which gyms, and whether it is calling now.

mod counts;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::id::{CampaignId, RunId};
use crate::job::Membership;
use crate::outcome::words;
use crate::question::Question;
use crate::rules::Policy;
use crate::run::{Cause, Run};
use crate::schedule::Schedule;

pub use counts::Counts;

/// A campaign's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Its name, for people.
    pub name: String,
    /// On whose behalf the agent says that it calls.
    pub on_behalf_of: String,
    /// What the agent says once it has said who calls, and before it asks. May name `{{column}}`s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
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
    /// When its runs begin; none means once, when it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// When the next run is to begin. Nothing happens then while it is paused, but for its run's spend cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_fire: Option<Timestamp>,
    /// How many of its runs have begun.
    #[serde(default)]
    pub runs: u32,
    /// Whether the present run has begun: until then it is the list that the imports fill.
    #[serde(default)]
    pub run_begun: bool,
    /// When a pause ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
    /// When it was deleted: from then on it is kept and shown to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// What people have decided for a campaign. Whether it is complete, or still pausing, follows
/// from its jobs and is not stored: see [`Campaign::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum CampaignState {
    /// Not started yet.
    Draft,
    /// Started, and its present run begins at its next time.
    Scheduled,
    /// Its due jobs are dialled.
    Running,
    /// Nothing new is dialled; live calls finish.
    Paused(PausedReason),
    /// As paused, and its waiting jobs are cancelled.
    Cancelled,
    /// Its one time was missed, and it lets missed times go. Somebody has to start it.
    Failed,
}

words!(
    /// Why a campaign is paused.
    PausedReason {
        /// Somebody paused it.
        Manual = "manual",
        /// Too many of its latest calls failed.
        CircuitBreaker = "circuit_breaker",
        /// Its run may not spend more.
        Budget = "budget",
        /// It has made its calls of the day.
        DailyLimit = "daily_limit",
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
        /// It waits for its next time.
        Scheduled = "scheduled",
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
        /// It never ran: its one time was missed.
        Failed = "failed",
    }
);

/// What a person can do with a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Begin to call.
    Start,
    /// Call nobody new.
    Pause(PausedReason),
    /// Call nobody new until then.
    PauseUntil(PausedReason, Timestamp),
    /// Go on after a pause.
    Resume,
    /// Take it back for good.
    Cancel,
}

impl Action {
    /// Why it pauses, if it does.
    pub const fn reason(self) -> Option<PausedReason> {
        match self {
            Action::Pause(reason) | Action::PauseUntil(reason, _) => Some(reason),
            Action::Start | Action::Resume | Action::Cancel => None,
        }
    }

    /// When the pause is to end by itself.
    const fn until(self) -> Option<Timestamp> {
        match self {
            Action::PauseUntil(_, until) => Some(until),
            _ => None,
        }
    }
}

/// The action does not fit where the campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// There is nobody to call.
    #[error("the campaign has no gyms: import a CSV first")]
    NoGyms,
    /// It waits for its last calls.
    #[error("calls of the campaign are still going on: it can be deleted once they are over")]
    Live,
    /// It is unclear whether somebody was called.
    #[error("it is unclear whether somebody was called: resolve the campaign's quarantined jobs first")]
    Unclear,
    /// What it says has changed under an import.
    #[error(
        "while the gyms were imported the campaign's words were changed, and they name other columns now: import the gyms again"
    )]
    Reworded,
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
    /// A draft that asks the usual questions, at any hour, in its own name.
    pub fn new(id: CampaignId, run: RunId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            on_behalf_of: name.clone(),
            name,
            greeting: None,
            questions: Question::defaults(),
            policy: Policy::default(),
            state: CampaignState::Draft,
            run,
            created_at: now,
            updated_at: now,
            started_at: None,
            hours_changed_at: None,
            schedule: None,
            next_fire: None,
            runs: 0,
            run_begun: false,
            resumes_at: None,
            deleted_at: None,
        }
    }

    /// Its status, from what was decided and how its run's jobs stand.
    pub fn status(&self, counts: &Counts) -> CampaignStatus {
        match self.state {
            CampaignState::Draft if counts.total() == 0 => CampaignStatus::Draft,
            CampaignState::Draft => CampaignStatus::Ready,
            CampaignState::Scheduled => CampaignStatus::Scheduled,
            CampaignState::Cancelled => CampaignStatus::Cancelled,
            CampaignState::Failed => CampaignStatus::Failed,
            CampaignState::Paused(_) if counts.live() > 0 => CampaignStatus::Pausing,
            CampaignState::Paused(_) => CampaignStatus::Paused,
            CampaignState::Running if counts.open() > 0 => CampaignStatus::Running,
            CampaignState::Running if self.next_fire.is_some() => CampaignStatus::Scheduled,
            CampaignState::Running => CampaignStatus::Completed,
        }
    }

    /// The clock by which its days are counted.
    pub fn zone(&self) -> TimeZone {
        let name = self.schedule.as_ref().and_then(Schedule::timezone);
        name.and_then(|name| TimeZone::get(name.as_str()).ok()).unwrap_or(TimeZone::UTC)
    }

    /// When its pause ends by itself, if it does.
    pub fn pause_ends_at(&self) -> Option<Timestamp> {
        self.resumes_at.filter(|_| matches!(self.state, CampaignState::Paused(_)))
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

    /// What a job of its present run belongs to.
    pub fn membership(&self) -> Membership {
        Membership { campaign: self.id.clone(), run: self.run.clone() }
    }

    /// When its next run begins, unless somebody has to act first. The cap that stopped a run is that run's alone.
    pub fn fires_at(&self) -> Option<Timestamp> {
        use CampaignState::{Paused, Running, Scheduled};
        self.next_fire.filter(|_| matches!(self.state, Scheduled | Running | Paused(PausedReason::Budget)))
    }

    /// Whether its present run has begun. A record from before there were schedules tells by its first start.
    pub fn has_begun(&self) -> bool {
        self.run_begun || (self.runs == 0 && self.schedule.is_none() && self.started_at.is_some())
    }

    /// The campaign after `action`, and the run that begins with it; the same again where it is there already.
    pub fn act(&self, action: Action, counts: &Counts, now: Timestamp) -> Result<(Campaign, Option<Run>), ActionError> {
        let conflict = |verb| ActionError::Conflict { status: self.status(counts), verb };
        let mut next = Campaign { updated_at: now, ..self.clone() };
        let mut begins = None;
        match (action, self.state) {
            (Action::Start, CampaignState::Draft | CampaignState::Failed) => {
                if counts.total() == 0 {
                    return Err(ActionError::NoGyms);
                }
                match &self.schedule {
                    Some(schedule) => next.wait_for(schedule.first(now)),
                    None => begins = Some(next.begin_run(Cause::Start, None, now)),
                }
            }
            (Action::Start, CampaignState::Scheduled | CampaignState::Running) => {}
            (Action::Start, _) => return Err(conflict("start")),
            (
                Action::Pause(reason) | Action::PauseUntil(reason, _),
                CampaignState::Scheduled | CampaignState::Running,
            ) => {
                next.state = CampaignState::Paused(reason);
                next.resumes_at = action.until();
            }
            // Whoever pauses what would go on by itself means that it shall not.
            (Action::Pause(PausedReason::Manual), CampaignState::Paused(_))
                if self.resumes_at.is_some() || self.fires_at().is_some() =>
            {
                next.state = CampaignState::Paused(PausedReason::Manual);
                next.resumes_at = None;
            }
            (Action::Pause(_) | Action::PauseUntil(..), CampaignState::Paused(_)) => {}
            (Action::Pause(_) | Action::PauseUntil(..), _) => return Err(conflict("pause")),
            (Action::Resume, CampaignState::Paused(_)) if self.has_begun() => {
                next.state = CampaignState::Running;
                next.resumes_at = None;
                // Whoever resumes a run wants it to go on: a time that passed meanwhile must not replace it.
                next.next_fire = self.schedule.as_ref().and_then(|schedule| schedule.next(now));
            }
            (Action::Resume, CampaignState::Paused(_)) => {
                next.state = CampaignState::Scheduled;
                next.resumes_at = None;
            }
            (Action::Resume, CampaignState::Scheduled | CampaignState::Running) => {}
            (Action::Resume, _) => return Err(conflict("resume")),
            // Its gyms were called: a word that says otherwise would hide that from its people.
            (Action::Cancel, _) if counts.total() > 0 && self.status(counts) == CampaignStatus::Completed => {
                return Err(conflict("cancel"));
            }
            (Action::Cancel, _) => {
                next.state = CampaignState::Cancelled;
                next.next_fire = None;
                next.resumes_at = None;
            }
        }
        Ok((next, begins))
    }

    /// The campaign with another schedule. One whose first run has begun goes on with it, and waits for the next time.
    pub fn reschedule(&self, schedule: Option<Schedule>, now: Timestamp) -> Campaign {
        // A record from before there were schedules tells that by having none, which may be over now.
        let mut next = Campaign { updated_at: now, run_begun: self.has_begun(), schedule, ..self.clone() };
        let first = next.schedule.as_ref().and_then(|schedule| schedule.first(now));
        match self.state {
            CampaignState::Draft | CampaignState::Cancelled | CampaignState::Failed => {}
            // Nothing would ever begin its run, however often it is resumed.
            CampaignState::Scheduled | CampaignState::Paused(_) if first.is_none() && !self.has_begun() => {
                next.state = CampaignState::Draft;
                next.next_fire = None;
                next.resumes_at = None;
            }
            CampaignState::Scheduled | CampaignState::Running | CampaignState::Paused(_) => next.next_fire = first,
        }
        next
    }

    /// The campaign once it is deleted. Nothing of it may be called then, whatever becomes of its jobs.
    pub fn delete(&self, counts: &Counts, now: Timestamp) -> Result<Campaign, ActionError> {
        use CampaignStatus::{Cancelled, Completed, Draft, Failed, Ready};
        match self.status(counts) {
            Draft | Ready | Completed | Cancelled | Failed if counts.live() > 0 => Err(ActionError::Live),
            Draft | Ready | Completed | Cancelled | Failed => {
                let state = CampaignState::Cancelled;
                Ok(Campaign { state, next_fire: None, deleted_at: Some(now), updated_at: now, ..self.clone() })
            }
            status => Err(ActionError::Conflict { status, verb: "be deleted: cancel it first" }),
        }
    }

    /// Waits for this time; for nothing if there is none.
    fn wait_for(&mut self, first: Option<Timestamp>) {
        self.state = CampaignState::Scheduled;
        self.next_fire = first;
    }

    /// Begins the present run.
    pub(crate) fn begin_run(&mut self, cause: Cause, due_at: Option<Timestamp>, now: Timestamp) -> Run {
        self.state = CampaignState::Running;
        self.resumes_at = None;
        self.runs += 1;
        self.run_begun = true;
        self.started_at.get_or_insert(now);
        Run {
            id: self.run.clone(),
            campaign: self.id.clone(),
            number: self.runs,
            cause,
            due_at,
            started_at: now,
            ended_at: None,
        }
    }
}
