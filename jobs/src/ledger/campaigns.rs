//! Campaigns: created, started, paused, resumed, cancelled.

use super::change::there;
use super::columns::Lacking;
use super::{Ledger, MAX_RACES};
use crate::announcement::Announcement;
use crate::campaign::{Action, ActionError, Campaign, CampaignState, Counts, PausedReason};
use crate::event::Event;
use crate::id::{CampaignId, JobId};
use crate::job::{CallJob, Status};
use crate::run::Run;
use crate::store::{CampaignWrite, JobQuery, NewEntry, ReplyWrite, StoreError, Stored, Write, pass_over};

/// Why a campaign did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// There is none with this id.
    #[error("no such campaign")]
    Missing,
    /// It does not fit where the campaign stands.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// A gym lacks what it says.
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// Stores a new campaign.
    pub async fn create_campaign(&self, campaign: Campaign, reply: Option<ReplyWrite>) -> Result<(), StoreError> {
        let campaign = Some(CampaignWrite { campaign, from: None, begins: None });
        self.store.commit(Write { campaign, reply, ..Write::default() }).await
    }

    /// The campaign whose words a job's call speaks; none for a single call that is no test of one.
    pub async fn campaign_of(&self, job: &CallJob) -> Result<Option<Campaign>, StoreError> {
        let Some(campaign) = job.scripted_by() else { return Ok(None) };
        Ok(self.store.campaign(campaign).await?.map(|stored| stored.record))
    }

    /// Carries out what a person asked of a campaign. `reply` makes the reply to keep from the result.
    pub async fn act(
        &self,
        id: &CampaignId,
        action: Action,
        reply: impl Fn(&Campaign, &Counts) -> Option<ReplyWrite>,
    ) -> Result<(Campaign, Counts), CampaignError> {
        for _ in 0..MAX_RACES {
            let stored = there(self.store.as_ref(), id).await?;
            if action == Action::Start {
                self.check_columns(&stored.record).await?;
            }
            match self.carry_out(&stored, action, None, &reply).await {
                Err(CampaignError::Store(StoreError::Conflict)) => {}
                acted => return acted,
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Carries out an action on a campaign as it was read, together with notes for a job's history.
    pub(super) async fn carry_out(
        &self,
        stored: &Stored<Campaign>,
        action: Action,
        notes: Option<(JobId, Vec<NewEntry>)>,
        reply: impl Fn(&Campaign, &Counts) -> Option<ReplyWrite>,
    ) -> Result<(Campaign, Counts), CampaignError> {
        let counts = self.store.counts(&stored.record.run).await?;
        let now = self.now();
        let (campaign, begins) = stored.record.act(action, &counts, now)?;
        let is_cancelled = |campaign: &Campaign| campaign.state == CampaignState::Cancelled;
        let cancels = is_cancelled(&campaign) && !is_cancelled(&stored.record);
        // Nothing of its run is left: this write tells of the end, so no other may.
        let ends = if cancels && counts.open() == 0 { self.store.run(&campaign.run).await? } else { None };
        let ends = ends.filter(|run| run.ended_at.is_none()).map(|run| Run { ended_at: Some(now), ..run });
        let write = Write {
            ends,
            announce: Announcement::of_campaign(&stored.record, &campaign, &counts, now).into_iter().collect(),
            reply: reply(&campaign, &counts),
            campaign: Some(CampaignWrite { campaign: campaign.clone(), from: Some(stored.version), begins }),
            notes,
            ..Write::default()
        };
        self.store.commit(write).await?;
        let id = &campaign.id;
        tracing::info!(campaign_id = %id, status = %campaign.status(&counts), "campaign {id}: {action:?}");
        Ok((campaign, counts))
    }

    /// Pauses every running campaign, because nothing can be called at all.
    pub async fn pause_everything(&self, reason: PausedReason) -> Result<(), StoreError> {
        for campaign in self.campaigns_where(|campaign| campaign.state == CampaignState::Running).await? {
            match self.act(&campaign.id, Action::Pause(reason), |_, _| None).await {
                Ok(_) | Err(CampaignError::Missing | CampaignError::Action(_) | CampaignError::Lacking(_)) => {}
                Err(CampaignError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Cancels waiting jobs of cancelled campaigns, at most 500 a campaign at a time; says whether
    /// some are left. Dialling stopped with the campaign's own record, so nothing depends on when this runs.
    pub async fn clear_cancelled(&self) -> Result<bool, StoreError> {
        let mut left = false;
        for campaign in self.campaigns_where(|campaign| campaign.state == CampaignState::Cancelled).await? {
            if self.store.counts(&campaign.run).await?.of(Status::Waiting) == 0 {
                continue;
            }
            let query = JobQuery {
                campaign: Some(campaign.id.clone()),
                status: Some(Status::Waiting),
                limit: 500,
                ..JobQuery::default()
            };
            let page = self.store.jobs(query).await?;
            // Of a page that cannot be read nothing is cancelled, and to look again would be of no use.
            left |= page.next.is_some() && !page.items.is_empty();
            let cancels = page.items.iter().map(|stored| self.tell(stored.record.id(), Event::Cancel));
            let told = futures_util::future::join_all(cancels).await;
            for (stored, told) in page.items.iter().zip(told) {
                pass_over(stored.record.id(), told)?;
            }
        }
        Ok(left)
    }

    pub(super) async fn campaigns_where(&self, which: impl Fn(&Campaign) -> bool) -> Result<Vec<Campaign>, StoreError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.store.campaigns(cursor, 100).await?;
            found.extend(page.items.into_iter().map(|stored| stored.record).filter(&which));
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }
}
