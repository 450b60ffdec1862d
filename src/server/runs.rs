//! The runs of a campaign, and campaigns made of others.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::campaign::{Campaign, Counts};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::run::{Cause, Run};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Server;
use super::campaigns;
use super::campaigns::reply::{CampaignReply, Counters};
use super::error::Problem;
use super::idempotency::{Asked, Keyed};
use super::input::{self, check_text};
use super::page::ListQuery;
use super::query::Query;
use super::reply::{List, json, page};

/// A run as users see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(super) struct RunReply<'a> {
    /// Its id.
    id: &'a RunId,
    /// Which run of its campaign it is, from 1.
    number: u32,
    /// Why it began.
    cause: Cause,
    /// When it was to begin, if by a schedule.
    due_at: Option<Timestamp>,
    /// When it began.
    started_at: Timestamp,
    /// When its last job was over.
    ended_at: Option<Timestamp>,
    /// How its jobs stand.
    counters: Counters,
}

impl<'a> RunReply<'a> {
    fn of(run: &'a Run, counts: &Counts) -> Self {
        let Run { id, number, cause, due_at, started_at, ended_at, campaign: _ } = run;
        Self {
            id,
            number: *number,
            cause: *cause,
            due_at: *due_at,
            started_at: *started_at,
            ended_at: *ended_at,
            counters: Counters::of(counts),
        }
    }
}

/// Lists a campaign's runs that have begun, the latest first, with their counters.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/runs", params(ListQuery),
    responses((status = 200, description = "Some of them", body = List<RunReply<'_>>))
)]
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let store = server.ledger.store();
    let found = store.runs(&campaign.id, query.cursor, query.limit.or_usual()).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for run in &found.items {
        items.push(RunReply::of(run, &store.counts(&run.id).await?));
    }
    Ok(page(items, found.next))
}

/// What a copy of a campaign is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DuplicateRequest {
    /// Its name; that of the original unless another is given.
    name: Option<String>,
    /// Whether it has the original's gyms.
    gyms: bool,
}

impl Default for DuplicateRequest {
    fn default() -> Self {
        Self { name: None, gyms: true }
    }
}

/// Makes a campaign that asks the same, and has not been started.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/duplicate", request_body = Option<DuplicateRequest>,
    responses((status = 201, description = "The new campaign", body = CampaignReply<'_>))
)]
pub(super) async fn duplicate(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let original = campaigns::find(&server, &id).await?;
    let request = if body.is_empty() { DuplicateRequest::default() } else { input::read(&body)? };
    if let Some(name) = &request.name {
        check_text("/name", name, 200)?;
    }
    let work = Arc::clone(&server);
    server.see_through("a copy of a campaign", async move { copy(&work, &original, request, keyed).await }).await
}

async fn copy(
    server: &Server,
    original: &Campaign,
    request: DuplicateRequest,
    keyed: Keyed,
) -> Result<Response, Problem> {
    let now = server.ledger.now();
    let name = request.name.map_or_else(|| original.name.clone(), |name| name.trim().to_owned());
    let Campaign { on_behalf_of, greeting, questions, policy, schedule, .. } = original.clone();
    let draft = Campaign::new(CampaignId::new(now, rand::random()), RunId::new(now, rand::random()), name, now);
    // Where nobody has said on whose behalf, it is the name.
    let on_behalf_of = if on_behalf_of == original.name { draft.on_behalf_of } else { on_behalf_of };
    let copy = Campaign { on_behalf_of, greeting, questions, policy, schedule, ..draft };
    let saved = |counts: &Counts| keyed.keep(StatusCode::CREATED, &CampaignReply::of(&copy, counts), now);
    let copied = if request.gyms {
        server.ledger.duplicate(original, &copy, saved, rand::random).await
    } else {
        let empty = Counts::default();
        server.ledger.create_campaign(copy.clone(), saved(&empty)).await.map(|()| empty)
    };
    keyed.answer(copied.map(|counts| json(StatusCode::CREATED, &CampaignReply::of(&copy, &counts)))).await
}
