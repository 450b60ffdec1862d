//! Campaigns that a limit stops, and those that go on by themselves.
//!
//! The gate holds the limits; what it refuses for one of them pauses the campaign here. Whoever is refused, or makes
//! the move that opens the breaker, does it, by compare-and-set: it happens once, whatever many find out together.

use jiff::Timestamp;
use serde_json::json;

use super::{CampaignError, Ledger, MAX_RACES};
use crate::breaker::Ending;
use crate::calling_day::CallingDay;
use crate::campaign::{Action, Campaign, CampaignState, PausedReason};
use crate::id::CampaignId;
use crate::job::{CallJob, Status};
use crate::spend::Amount;
use crate::store::{CampaignCapacity, NewEntry, Refusal, StoreError};

/// What stops a campaign.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Budget { cap: Option<Amount> },
    Day { calls: Option<u32>, ends_at: Timestamp },
    CircuitBreaker,
}

impl Limit {
    /// In words, for the history.
    fn told(self) -> String {
        match self {
            Limit::Budget { cap } => {
                let cap = cap.unwrap_or_default();
                format!("with one more call the run could cost more than its cap of {cap}")
            }
            Limit::Day { calls, ends_at } => {
                format!("the day's {} calls are made; the next day begins at {ends_at}", calls.unwrap_or_default())
            }
            Limit::CircuitBreaker => "half or more of the latest calls failed".to_owned(),
        }
    }

    fn pause(self) -> Action {
        match self {
            Limit::Budget { .. } => Action::Pause(PausedReason::Budget),
            Limit::Day { ends_at, .. } => Action::PauseUntil(PausedReason::DailyLimit, ends_at),
            Limit::CircuitBreaker => Action::Pause(PausedReason::CircuitBreaker),
        }
    }
}

impl Ledger {
    /// Pauses the campaign of a job whose dial was refused, if a limit was the reason.
    pub(super) async fn refused(
        &self,
        job: &CallJob,
        refusal: &Refusal,
        asked: CampaignCapacity,
        day: CallingDay,
    ) -> Result<(), StoreError> {
        let limit = match refusal {
            Refusal::Budget => Limit::Budget { cap: asked.spend_cap },
            Refusal::DailyLimit => Limit::Day { calls: asked.day.and_then(|day| day.calls), ends_at: day.ends_at },
            Refusal::CircuitBreaker => Limit::CircuitBreaker,
            _ => return Ok(()),
        };
        self.stop_by(limit, job).await
    }

    /// Pauses the campaign of a job whose call failed, if too many have. The move is stored, and the gate refuses the
    /// next dial whatever becomes of this: so that it fails is no failure of the move.
    pub(super) async fn ended(&self, job: &CallJob, ending: Option<Ending>) {
        if ending == Some(Ending::Failed)
            && let Err(error) = self.stop_by(Limit::CircuitBreaker, job).await
        {
            tracing::error!(job_id = %job.id(), %error, "job {}: its campaign may have to be paused, and cannot: {error}", job.id());
        }
    }

    async fn stop_by(&self, limit: Limit, job: &CallJob) -> Result<(), StoreError> {
        let Some(of) = job.membership() else { return Ok(()) };
        for _ in 0..MAX_RACES {
            let Some(stored) = self.store.campaign(&of.campaign).await? else { return Ok(()) };
            let campaign = &stored.record;
            // The endings are read after the version that the pause is written over: a resume in between forgets them,
            // and makes this a conflict.
            let present = campaign.state == CampaignState::Running && campaign.run == of.run;
            if !present || !self.still_stops(limit, campaign).await? {
                self.memory.forget_terms(&of.campaign);
                return Ok(());
            }
            let entry = NewEntry {
                at: self.now(),
                kind: "campaign_paused".to_owned(),
                detail: json!({ "reason": limit.pause().reason(), "why": limit.told() }),
                ignored: None,
            };
            let notes = Some((job.id().clone(), vec![entry]));
            match self.carry_out(&stored, limit.pause(), notes, |_, _| None).await {
                Ok(_) => {
                    tracing::warn!(
                        campaign_id = %of.campaign, job_id = %job.id(),
                        "campaign {}: paused, because {}", of.campaign, limit.told()
                    );
                    return Ok(());
                }
                Err(CampaignError::Store(StoreError::Conflict)) => {}
                Err(CampaignError::Store(error)) => return Err(error),
                Err(CampaignError::Missing | CampaignError::Action(_) | CampaignError::Lacking(_)) => return Ok(()),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Whether the limit by which a dial was refused is still the campaign's: it was remembered, and may have been
    /// raised meanwhile.
    async fn still_stops(&self, limit: Limit, campaign: &Campaign) -> Result<bool, StoreError> {
        Ok(match limit {
            Limit::Budget { cap } => campaign.policy.spend_cap == cap,
            Limit::Day { calls, .. } => campaign.policy.max_calls_per_day == calls,
            // Where nobody waits there is nobody to spare. Whoever waits again is refused at the gate, and stops it then.
            Limit::CircuitBreaker => {
                self.store.endings(&campaign.id).await?.is_tripped()
                    && self.store.counts(&campaign.run).await?.of(Status::Waiting) > 0
            }
        })
    }

    /// Resumes every campaign whose pause was to end by now, and says when the next one's is. Any number of processes
    /// may do it: of those that find the same campaign one resumes it.
    pub async fn resume_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut next: Option<Timestamp> = None;
        for campaign in self.campaigns_where(|campaign| campaign.pause_ends_at().is_some()).await? {
            match campaign.pause_ends_at() {
                Some(at) if at <= self.now() => self.resume_if_due(&campaign.id).await?,
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        Ok(next)
    }

    async fn resume_if_due(&self, id: &CampaignId) -> Result<(), StoreError> {
        for _ in 0..MAX_RACES {
            let Some(stored) = self.store.campaign(id).await? else { return Ok(()) };
            if stored.record.pause_ends_at().is_none_or(|at| at > self.now()) {
                return Ok(());
            }
            match self.carry_out(&stored, Action::Resume, None, |_, _| None).await {
                Ok(_) | Err(CampaignError::Missing | CampaignError::Action(_) | CampaignError::Lacking(_)) => {
                    return Ok(());
                }
                Err(CampaignError::Store(StoreError::Conflict)) => {}
                Err(CampaignError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
