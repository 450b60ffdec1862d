//! Campaigns that are changed by their people, and deleted.

use jiff::Timestamp;

use super::{CampaignError, Ledger, MAX_RACES};
use crate::campaign::{ActionError, Campaign, Counts};
use crate::id::CampaignId;
use crate::job::Status;
use crate::store::{CampaignWrite, JobQuery, ReplyWrite, Store, StoreError, Stored, Write};

impl Ledger {
    /// Stores what `change` makes of a campaign. If somebody else was faster it is asked again, with what they left,
    /// so that neither change is lost. `reply` makes the reply to keep from the result.
    pub async fn change_campaign<E: From<CampaignError>>(
        &self,
        id: &CampaignId,
        mut change: impl FnMut(&Campaign, &Counts, Timestamp) -> Result<Campaign, E>,
        reply: impl Fn(&Campaign, &Counts) -> Option<ReplyWrite>,
    ) -> Result<(Campaign, Counts), E> {
        for _ in 0..MAX_RACES {
            let stored = there(self.store.as_ref(), id).await?;
            let counts = self.store.counts(&stored.record.run).await.map_err(CampaignError::from)?;
            let campaign = change(&stored.record, &counts, self.now())?;
            let write = CampaignWrite { campaign: campaign.clone(), from: Some(stored.version), begins: None };
            let reply = reply(&campaign, &counts);
            match self.store.commit(Write { campaign: Some(write), reply, ..Write::default() }).await {
                Ok(()) => return Ok((campaign, counts)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(CampaignError::from(error).into()),
            }
        }
        Err(CampaignError::from(StoreError::Conflict).into())
    }

    /// Deletes a campaign that does not call and will not. Its record stays, and so do its jobs; it is shown no more.
    pub async fn delete_campaign(&self, id: &CampaignId, reply: Option<ReplyWrite>) -> Result<(), CampaignError> {
        // Of any run: its number stays held until a person decides, who must still find it.
        let unclear =
            JobQuery { campaign: Some(id.clone()), status: Some(Status::Quarantined), limit: 1, ..JobQuery::default() };
        let unclear = self.store.jobs(unclear).await?;
        // One that cannot be read is on no page, but behind it are others.
        if !unclear.items.is_empty() || unclear.next.is_some() {
            return Err(ActionError::Unclear.into());
        }
        let delete = |campaign: &Campaign, counts: &Counts, now| Ok(campaign.delete(counts, now)?);
        self.change_campaign::<CampaignError>(id, delete, |_, _| reply.clone()).await?;
        tracing::info!(campaign_id = %id, "campaign {id}: deleted");
        Ok(())
    }
}

/// The campaign, if it is there and was not deleted.
pub(super) async fn there(store: &dyn Store, id: &CampaignId) -> Result<Stored<Campaign>, CampaignError> {
    let stored = store.campaign(id).await?.filter(|stored| stored.record.deleted_at.is_none());
    stored.ok_or(CampaignError::Missing)
}
