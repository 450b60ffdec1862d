//! Which run of a campaign a request is about, and which runs came before it.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::RunId;
use gymcall_jobs::store::StoreError;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Server;
use super::error::Problem;
use super::page::{self, Limit};

/// The query of what is told of one run.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RunQuery {
    /// The run; without one, the campaign's present run.
    pub(super) run: Option<RunId>,
    /// How many at most: 1 to 1000, usually 50.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Limit,
    /// The `next_cursor` of the list before.
    pub(super) cursor: Option<String>,
}

/// The run that is asked for: the campaign's present one unless another is named.
pub(super) async fn find(server: &Server, campaign: &Campaign, asked: Option<RunId>) -> Result<RunId, Problem> {
    // The present one may not have begun, and is then only a list of gyms.
    let Some(run) = asked.filter(|run| *run != campaign.run) else { return Ok(campaign.run.clone()) };
    let found = server.ledger.store().run(&run).await?;
    found.filter(|found| found.campaign == campaign.id).map(|found| found.id).ok_or_else(|| Problem::missing("run"))
}

/// The runs before this one, the latest first, at most so many.
pub(super) async fn before(
    server: &Server,
    campaign: &Campaign,
    run: &RunId,
    most: usize,
) -> Result<Vec<RunId>, StoreError> {
    let store = server.ledger.store();
    let number = store.run(run).await?.map_or(u32::MAX, |run| run.number);
    let (mut earlier, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.runs(&campaign.id, cursor, page::MOST).await?;
        earlier.extend(page.items.into_iter().filter(|of| of.number < number).map(|of| of.id));
        match page.next {
            Some(next) if earlier.len() < most => cursor = Some(next),
            _ => break,
        }
    }
    earlier.truncate(most);
    Ok(earlier)
}
