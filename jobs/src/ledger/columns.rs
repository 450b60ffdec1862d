//! Whether every gym has what a campaign says.

use super::{CampaignError, Ledger};
use crate::campaign::{Campaign, CampaignState};
use crate::phone::PhoneNumber;
use crate::placeholder::{Place, Placeholder};
use crate::store::JobQuery;

/// How many gyms are read at a time.
const PAGE: u32 = 1_000;

/// A gym lacks a column that is said: it would be asked half a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} says {{{{{column}}}}}, and the gym {phone} has no such column: import the gyms again with it")]
pub struct Lacking {
    /// Where the column is said.
    pub place: Place,
    /// The column, as it is written there.
    pub column: String,
    /// The first gym that lacks it.
    pub phone: PhoneNumber,
}

impl Ledger {
    /// Refuses a campaign that is about to start if one of its gyms lacks a column that is said. An import looks for
    /// them itself, but what is said may have changed since.
    pub(super) async fn check_columns(&self, campaign: &Campaign) -> Result<(), CampaignError> {
        let said = campaign.placeholders();
        if said.is_empty() || !matches!(campaign.state, CampaignState::Draft | CampaignState::Failed) {
            return Ok(());
        }
        let mut cursor = None;
        loop {
            let (of, run) = (Some(campaign.id.clone()), Some(campaign.run.clone()));
            let query = JobQuery { campaign: of, run, cursor, limit: PAGE, ..JobQuery::default() };
            let page = self.store.jobs(query).await?;
            for stored in &page.items {
                let gym = stored.record.gym();
                let lacks = |placeholder: &&Placeholder| gym.variable(&placeholder.column).is_none();
                if let Some(Placeholder { place, column }) = said.iter().find(lacks) {
                    let lacking = Lacking { place: *place, column: column.clone(), phone: gym.phone.clone() };
                    return Err(CampaignError::Lacking(lacking));
                }
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(()),
            }
        }
    }
}
