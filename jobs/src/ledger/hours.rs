//! Changed hours: what waits is told, so that nobody waits for hours that are no more.
//!
//! Nothing is called by the old hours meanwhile: the dial compares ([`Ledger::begin_dial`]). What this pass mends is
//! the other direction, a gym that might be called now and waits for its old morning.

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::{Ledger, MAX_RACES};
use crate::campaign::Campaign;
use crate::event::Event;
use crate::id::CampaignId;
use crate::job::Status;
use crate::store::{CampaignWrite, JobQuery, StoreError, Stored, Write, pass_over};
use crate::window::Hours;

/// How long after a change some process may still go by the hours before: longer than terms are remembered.
const SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// How many waiting jobs are looked at in one go.
const BATCH: u32 = 500;

impl Ledger {
    /// Gives waiting jobs the windows of their campaign's present hours, where those have changed. Says whether it is
    /// to be called again. Costs a look at the campaigns where nothing has changed; what is to be done is on their
    /// records, so a process that dies in the middle leaves it to the next.
    pub async fn follow_hours(&self) -> Result<bool, StoreError> {
        let mut left = false;
        for campaign in self.campaigns_where(|campaign| campaign.hours_changed_at.is_some()).await? {
            let settles = campaign.hours_changed_at.map(|at| crate::retry::later(at, SETTLES_AFTER));
            let settled = settles.is_none_or(|settles| settles <= self.now());
            self.follow_hours_of(&campaign).await?;
            left |= !settled || !self.have_followed(&campaign).await?;
        }
        Ok(left)
    }

    /// After jobs came into a campaign whose windows were made by these hours: has them looked through if it keeps
    /// others by now. Until then they wait for the old ones, and are not called by them.
    pub(super) async fn check_windows(&self, id: &CampaignId, made_by: Option<&Hours>) {
        if let Err(error) = self.mark_windows(id, made_by).await {
            tracing::error!(campaign_id = %id, %error, "campaign {id}: changed hours cannot be followed yet: {error}");
        }
    }

    async fn mark_windows(&self, id: &CampaignId, made_by: Option<&Hours>) -> Result<(), StoreError> {
        for _ in 0..MAX_RACES {
            let Some(Stored { record, version }) = self.store.campaign(id).await? else { return Ok(()) };
            if record.policy.window.as_ref() == made_by {
                return Ok(());
            }
            let campaign = Campaign { hours_changed_at: Some(self.now()), ..record };
            let write = CampaignWrite { campaign, from: Some(version), begins: None };
            match self.store.commit(Write { campaign: Some(write), ..Write::default() }).await {
                Err(StoreError::Conflict) => {}
                written => return written,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn follow_hours_of(&self, campaign: &Campaign) -> Result<(), StoreError> {
        let mut query = JobQuery {
            campaign: Some(campaign.id.clone()),
            run: Some(campaign.run.clone()),
            status: Some(Status::Waiting),
            limit: BATCH,
            ..JobQuery::default()
        };
        loop {
            let page = self.store.jobs(query.clone()).await?;
            let hours = campaign.policy.window.as_ref();
            let stale: Vec<_> =
                page.items.iter().map(|stored| &stored.record).filter(|job| !job.waits_by(hours)).collect();
            let told = join_all(stale.iter().map(|job| self.tell(job.id(), Event::HoursChanged))).await;
            for (job, told) in stale.iter().zip(told) {
                pass_over(job.id(), told)?;
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Writes down that everything waits by these hours. `false` if they have changed again meanwhile.
    async fn have_followed(&self, campaign: &Campaign) -> Result<bool, StoreError> {
        for _ in 0..MAX_RACES {
            let Some(stored) = self.store.campaign(&campaign.id).await? else { return Ok(true) };
            if stored.record.hours_changed_at != campaign.hours_changed_at {
                return Ok(stored.record.hours_changed_at.is_none());
            }
            let done = Campaign { hours_changed_at: None, ..stored.record };
            let write = CampaignWrite { campaign: done, from: Some(stored.version), begins: None };
            match self.store.commit(Write { campaign: Some(write), ..Write::default() }).await {
                Ok(()) => return Ok(true),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
