//! Which run of a campaign a request is about, and which runs came before it.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::RunId;
use gymcall_jobs::store::JobQuery;
use serde::Deserialize;

use super::Server;
use super::error::Problem;
use super::page::{self, Limit};

/// The query of what is told of one run.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RunQuery {
    /// The run; without one, the campaign's present run.
    pub(super) run: Option<RunId>,
    #[serde(default)]
    pub(super) limit: Limit,
    pub(super) cursor: Option<String>,
}

/// The run that is asked for: the campaign's present one unless another is named.
pub(super) async fn find(server: &Server, campaign: &Campaign, asked: Option<RunId>) -> Result<RunId, Problem> {
    let Some(run) = asked else { return Ok(campaign.run.clone()) };
    if run == campaign.run {
        return Ok(run);
    }
    let query =
        JobQuery { campaign: Some(campaign.id.clone()), run: Some(run.clone()), limit: 1, ..JobQuery::default() };
    let page = server.ledger.store().jobs(query).await?;
    if page.items.is_empty() { Err(Problem::missing("run")) } else { Ok(run) }
}

/// The runs before this one, the latest first, at most so many.
pub(super) async fn before(
    server: &Server,
    campaign: &Campaign,
    run: &RunId,
    most: usize,
) -> Result<Vec<RunId>, Problem> {
    let (mut runs, mut cursor) = (std::collections::BTreeSet::new(), None);
    loop {
        let query = JobQuery { campaign: Some(campaign.id.clone()), cursor, limit: page::MOST, ..JobQuery::default() };
        let page = server.ledger.store().jobs(query).await?;
        let found = page.items.iter().filter_map(|stored| stored.record.membership());
        // Ids made later sort later.
        runs.extend(found.map(|membership| &membership.run).filter(|of| *of < run).cloned());
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(runs.into_iter().rev().take(most).collect()),
        }
    }
}
