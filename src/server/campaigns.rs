//! Campaigns: created, listed, shown, started, paused, resumed, cancelled.

pub(super) mod reply;
mod request;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gymcall_jobs::campaign::{Action, Campaign, CampaignState, Counts, PausedReason};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::ledger::CampaignError;
use gymcall_jobs::question::Question;
use gymcall_jobs::store::StoreError;

use super::Server;
use super::error::Problem;
use super::idempotency::Keyed;
use super::input;
use super::page::ListQuery;
use super::reply::{List, json, page};
use super::schedule;
use reply::CampaignReply;
use request::CampaignRequest;

/// Makes a new campaign, which has no gyms yet.
#[utoipa::path(
    post, path = "/v1/campaigns", request_body = CampaignRequest,
    responses((status = 201, description = "The campaign", body = CampaignReply<'_>))
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let keyed = match Keyed::begin(&server, &headers, "POST /v1/campaigns", &body).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    let request: CampaignRequest = input::read(&body)?;
    request.check()?;
    let now = server.ledger.now();
    let schedule = request.schedule.map(|written| schedule::read(written, now)).transpose()?;
    let name = request.name.trim().to_owned();
    let campaign = Campaign {
        id: CampaignId::new(now, rand::random()),
        on_behalf_of: request.on_behalf_of.map_or_else(|| name.clone(), |text| text.trim().to_owned()),
        greeting: request.greeting.map(|text| text.trim().to_owned()),
        name,
        questions: request.questions.unwrap_or_else(Question::defaults),
        policy: request.policy.with_usual_hours(),
        state: CampaignState::Draft,
        run: RunId::new(now, rand::random()),
        created_at: now,
        updated_at: now,
        started_at: None,
        hours_changed_at: None,
        schedule,
        next_fire: None,
        runs: 0,
        run_begun: false,
        resumes_at: None,
    };
    let reply = CampaignReply::of(&campaign, &Counts::default());
    let saved = keyed.keep(StatusCode::CREATED, &reply, now);
    match server.ledger.create_campaign(campaign.clone(), saved).await {
        Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(&server, &saved).await),
        created => created.map(|()| json(StatusCode::CREATED, &reply)).map_err(Problem::from),
    }
}

/// Lists campaigns, the newest first.
#[utoipa::path(
    get, path = "/v1/campaigns", params(ListQuery),
    responses((status = 200, description = "Some of them", body = List<CampaignReply<'_>>))
)]
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let store = server.ledger.store();
    let found = store.campaigns(query.cursor, query.limit.or_usual()).await?;
    let mut counted = Vec::with_capacity(found.items.len());
    for stored in found.items {
        let counts = store.counts(&stored.record.run).await?;
        counted.push((stored.record, counts));
    }
    let items: Vec<_> = counted.iter().map(|(campaign, counts)| CampaignReply::of(campaign, counts)).collect();
    Ok(page(items, found.next))
}

/// Shows a campaign and how its jobs stand.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}", responses((status = 200, description = "The campaign", body = CampaignReply<'_>))
)]
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let campaign = find(&server, &id).await?;
    let counts = server.ledger.store().counts(&campaign.run).await?;
    Ok(json(StatusCode::OK, &CampaignReply::of(&campaign, &counts)))
}

/// The campaign with this id.
pub(super) async fn find(server: &Server, id: &str) -> Result<Campaign, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let stored = server.ledger.store().campaign(&id).await?;
    Ok(stored.ok_or_else(|| Problem::missing("campaign"))?.record)
}

macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $action:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, responses((status = 200, description = "The campaign", body = CampaignReply<'_>)))]
        pub(super) async fn $name(
            State(server): State<Arc<Server>>,
            Path(id): Path<String>,
            headers: HeaderMap,
        ) -> Result<Response, Problem> {
            act(&server, &id, &headers, stringify!($name), $action).await
        }
    };
}

action!(
    /// Begins to call.
    start, "/v1/campaigns/{id}/start", Action::Start
);
action!(
    /// Calls nobody new; live calls finish.
    pause, "/v1/campaigns/{id}/pause", Action::Pause(PausedReason::Manual)
);
action!(
    /// Goes on after a pause.
    resume, "/v1/campaigns/{id}/resume", Action::Resume
);
action!(
    /// Takes the campaign back for good; live calls finish.
    cancel, "/v1/campaigns/{id}/cancel", Action::Cancel
);

async fn act(server: &Server, id: &str, headers: &HeaderMap, verb: &str, action: Action) -> Result<Response, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let operation = format!("POST /v1/campaigns/{id}/{verb}");
    let keyed = match Keyed::begin(server, headers, &operation, &[]).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    if matches!(action, Action::Start | Action::Resume)
        && let Err(missing) = &server.can_call
    {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, missing.clone()));
    }
    let now = server.ledger.now();
    let reply =
        |campaign: &Campaign, counts: &Counts| keyed.keep(StatusCode::OK, &CampaignReply::of(campaign, counts), now);
    match server.ledger.act(&id, action, reply).await {
        Ok((campaign, counts)) => Ok(json(StatusCode::OK, &CampaignReply::of(&campaign, &counts))),
        Err(CampaignError::Store(StoreError::KeyTaken(saved))) => Ok(keyed.taken(server, &saved).await),
        Err(error) => Err(error.into()),
    }
}
