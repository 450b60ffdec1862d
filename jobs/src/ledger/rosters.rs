//! The gyms of a campaign: filled by imports, replaced, copied to another campaign.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::campaigns::CampaignError;
use super::change::there;
use super::{Ledger, MAX_RACES};
use crate::announcement::Announcement;
use crate::campaign::{ActionError, Campaign, CampaignState, CampaignStatus, Counts};
use crate::id::{CampaignId, ImportId, RunId};
use crate::job::Status;
use crate::outcome::words;
use crate::run::{Cause, Run};
use crate::store::{CampaignWrite, ReplyWrite, StoreError, Stored};

words!(
    /// What becomes of the gyms that a campaign has when it gets a list.
    ImportMode {
        /// They stay, and those of the list come to them.
        Add = "add",
        /// The list takes their place, in a run of its own.
        Replace = "replace",
    }
);

/// An import that is open: its jobs are to be staged as members of `campaign`.
#[derive(Debug, Clone)]
pub struct OpenImport {
    /// The import.
    pub id: ImportId,
    /// The campaign, its present run being the one that the list goes into.
    pub campaign: Campaign,
    mode: ImportMode,
}

impl OpenImport {
    /// Whether every column that `campaign` says was said when this began, and so was looked for in every row.
    fn is_looked_through_for(&self, campaign: &Campaign) -> bool {
        let known = self.campaign.placeholders();
        campaign.placeholders().iter().all(|said| known.iter().any(|known| known.column == said.column))
    }
}

impl Ledger {
    /// Opens an import under `id`. `run` is the id of a new run, for a list that replaces.
    ///
    /// After [`StoreError::Failed`] it may be open all the same, and is to be dropped.
    pub async fn open_import(
        &self,
        id: ImportId,
        campaign: &CampaignId,
        mode: ImportMode,
        run: RunId,
    ) -> Result<OpenImport, CampaignError> {
        for _ in 0..MAX_RACES {
            let before = self.importable(campaign).await?;
            let into = match mode {
                ImportMode::Add => before.run,
                ImportMode::Replace => run.clone(),
            };
            self.store.open_import(&id, campaign, &into).await?;
            // While it is open nobody else changes the present run; until then somebody may have.
            match self.importable(campaign).await {
                Ok(now) if mode == ImportMode::Replace || now.run == into => {
                    return Ok(OpenImport { id, campaign: Campaign { run: into, ..now }, mode });
                }
                Ok(_) => self.store.drop_import(&id).await?,
                Err(error) => {
                    self.store.drop_import(&id).await?;
                    return Err(error);
                }
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn importable(&self, id: &CampaignId) -> Result<Campaign, CampaignError> {
        let campaign = there(self.store.as_ref(), id).await?.record;
        campaign.takes_gyms()?;
        Ok(campaign)
    }

    /// Shows an import. A list that replaces becomes the present run in the same write. Refused if its campaign takes
    /// none any more, or says something by now that its rows were not looked through for.
    pub async fn publish_import(&self, import: &OpenImport, reply: Option<ReplyWrite>) -> Result<(), CampaignError> {
        self.show_import(import, reply).await?;
        self.check_windows(&import.campaign.id, import.campaign.policy.window.as_ref()).await;
        Ok(())
    }

    async fn show_import(&self, import: &OpenImport, reply: Option<ReplyWrite>) -> Result<(), CampaignError> {
        for _ in 0..MAX_RACES {
            let Stored { record, version } = there(self.store.as_ref(), &import.campaign.id).await?;
            record.takes_gyms()?;
            if !import.is_looked_through_for(&record) {
                return Err(ActionError::Reworded.into());
            }
            let counts = self.store.counts(&record.run).await?;
            let now = self.now();
            let (campaign, begins) = match import.mode {
                // As it is: whoever changes it at this moment sees the gyms or is seen here.
                ImportMode::Add => (record.clone(), None),
                ImportMode::Replace => record.replaced(&import.campaign.run, &counts, now),
            };
            let announce = Announcement::of_campaign(&record, &campaign, &counts, now).into_iter().collect();
            let write = CampaignWrite { campaign, from: Some(version), begins };
            match self.store.publish_import(&import.id, reply.clone(), Some(write), announce).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Stores `copy`, a new campaign, fills it with the gyms of `original`'s present run, and says how they stand.
    /// `reply` makes the reply to keep from that.
    ///
    /// The campaign is seen once it has its gyms. If this breaks off, what is left of it is a deleted one.
    pub async fn duplicate(
        &self,
        original: &Campaign,
        copy: &Campaign,
        reply: impl Fn(&Counts) -> Option<ReplyWrite>,
        chance: fn() -> u128,
    ) -> Result<Counts, StoreError> {
        let unseen = Campaign { deleted_at: Some(copy.created_at), ..copy.clone() };
        self.create_campaign(unseen, None).await?;
        let import = ImportId::new(self.now(), chance());
        self.store.open_import(&import, &copy.id, &copy.run).await?;
        let copied = async {
            let gyms = self.copy_gyms(original, copy, &import, chance).await?;
            let counts = Counts::from_pairs([(Status::Waiting, gyms)]);
            // The version that was written above: nobody changes what nobody sees.
            let shown = CampaignWrite { campaign: copy.clone(), from: Some(1), begins: None };
            self.store.publish_import(&import, reply(&counts), Some(shown), Vec::new()).await?;
            Ok(counts)
        };
        let copied = copied.await;
        if copied.is_err() {
            // An import that stays open is in nobody's way: nobody sees its campaign.
            let _ = self.store.drop_import(&import).await;
        }
        copied
    }
}

impl Campaign {
    fn takes_gyms(&self) -> Result<(), ActionError> {
        if self.state == CampaignState::Cancelled {
            return Err(ActionError::Conflict { status: CampaignStatus::Cancelled, verb: "get gyms" });
        }
        Ok(())
    }

    /// The campaign once a list has taken the place of its gyms, and the run that begins with it: at once where the
    /// present run is under way or nothing else would begin one, else at the next time or start.
    fn replaced(&self, run: &RunId, counts: &Counts, now: Timestamp) -> (Campaign, Option<Run>) {
        let mut next = Campaign { run: run.clone(), run_begun: false, updated_at: now, ..self.clone() };
        let under_way = self.has_begun() && (counts.open() > 0 || self.next_fire.is_none());
        let begins = match self.state {
            CampaignState::Draft | CampaignState::Scheduled | CampaignState::Failed | CampaignState::Cancelled => None,
            CampaignState::Running | CampaignState::Paused(_) if under_way => {
                let begins = next.begin_run(Cause::Replace, None, now);
                (next.state, next.resumes_at) = (self.state, self.resumes_at);
                Some(begins)
            }
            CampaignState::Running => {
                next.state = CampaignState::Scheduled;
                None
            }
            CampaignState::Paused(_) => None,
        };
        (next, begins)
    }
}
