//! Campaigns: created, listed, shown, started, paused, resumed, cancelled.

mod patch;
pub(super) mod reply;
mod request;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gymcall_jobs::campaign::{Action, Campaign, CampaignState, Counts, PausedReason};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::store::Stored;

use super::Server;
use super::error::Problem;
use super::idempotency::{Asked, Keyed};
use super::input;
use super::page::ListQuery;
use super::query::Query;
use super::reply::{List, json, page};
use super::schedule;
use patch::Patch;
use reply::CampaignReply;
use request::CampaignRequest;

/// Makes a new campaign, which has no gyms yet.
#[utoipa::path(
    post, path = "/v1/campaigns", request_body = CampaignRequest,
    responses((status = 201, description = "The campaign", body = CampaignReply<'_>))
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let request: CampaignRequest = input::read(&body)?;
    request.check()?;
    let now = server.ledger.now();
    let schedule = request.schedule.map(|written| schedule::read(written, now)).transpose()?;
    let name = request.name.trim().to_owned();
    let (id, run) = (CampaignId::new(now, rand::random()), RunId::new(now, rand::random()));
    let draft = Campaign::new(id, run, name, now);
    let campaign = Campaign {
        on_behalf_of: request.on_behalf_of.map_or(draft.on_behalf_of, |text| text.trim().to_owned()),
        greeting: request.greeting.map(|text| text.trim().to_owned()),
        questions: request.questions.unwrap_or(draft.questions),
        policy: request.policy.with_usual_hours(),
        schedule,
        ..draft
    };
    let reply = CampaignReply::of(&campaign, &Counts::default());
    let saved = keyed.keep(StatusCode::CREATED, &reply, now);
    let created = server.ledger.create_campaign(campaign.clone(), saved).await;
    keyed.answer(created.map(|()| json(StatusCode::CREATED, &reply))).await
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
    let (mut counted, mut cursor, mut left) = (Vec::new(), query.cursor, query.limit.or_usual());
    let next = loop {
        let found = store.campaigns(cursor, left).await?;
        for Stored { record, .. } in found.items.into_iter().filter(|stored| stored.record.deleted_at.is_none()) {
            let counts = store.counts(&record.run).await?;
            counted.push((record, counts));
            left -= 1;
        }
        // Deleted ones take no room in the list, so what they leave is filled up.
        match found.next {
            Some(next) if left > 0 => cursor = Some(next),
            next => break next,
        }
    };
    let items: Vec<_> = counted.iter().map(|(campaign, counts)| CampaignReply::of(campaign, counts)).collect();
    Ok(page(items, next))
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

/// Changes a campaign: what the body names, and nothing else.
///
/// Each field is checked as in a new campaign; null takes it back to what it is when nobody says it. Policy and schedule
/// may change while it calls; what is said may not, once it was started.
#[utoipa::path(
    patch, path = "/v1/campaigns/{id}",
    request_body(content((Patch = "application/merge-patch+json"), (Patch = "application/json"))),
    responses((status = 200, description = "The campaign", body = CampaignReply<'_>))
)]
pub(super) async fn change(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let patch: Patch = input::read(&body)?;
    let claimed_at = server.ledger.now();
    let change = |campaign: &Campaign, _: &Counts, now| patch.apply(campaign, now);
    let reply = |campaign: &Campaign, counts: &Counts| {
        keyed.keep(StatusCode::OK, &CampaignReply::of(campaign, counts), claimed_at)
    };
    let changed: Result<_, Problem> = server.ledger.change_campaign(&id, change, reply).await;
    let shown = |(campaign, counts)| json(StatusCode::OK, &CampaignReply::of(&campaign, &counts));
    keyed.answer(changed.map(shown)).await
}

/// Deletes a campaign that does not call. Its jobs can still be seen by their ids.
#[utoipa::path(delete, path = "/v1/campaigns/{id}", responses((status = 204, description = "It is shown no more")))]
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, .. }: Asked,
) -> Result<Response, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let saved = keyed.claim(StatusCode::NO_CONTENT, String::new(), server.ledger.now());
    let deleted = server.ledger.delete_campaign(&id, saved).await;
    keyed.answer(deleted.map(|()| StatusCode::NO_CONTENT.into_response())).await
}

/// The campaign with this id.
pub(super) async fn find(server: &Server, id: &str) -> Result<Campaign, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let stored = server.ledger.store().campaign(&id).await?.filter(|stored| stored.record.deleted_at.is_none());
    Ok(stored.ok_or_else(|| Problem::missing("campaign"))?.record)
}

/// The campaign with this id, unless it is cancelled.
pub(super) async fn find_open(server: &Server, id: &str) -> Result<Campaign, Problem> {
    let campaign = find(server, id).await?;
    match campaign.state {
        CampaignState::Cancelled => Err(Problem::conflict("the campaign is cancelled")),
        _ => Ok(campaign),
    }
}

macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $action:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, responses((status = 200, description = "The campaign", body = CampaignReply<'_>)))]
        pub(super) async fn $name(
            State(server): State<Arc<Server>>,
            Path(id): Path<String>,
            Asked { keyed, .. }: Asked,
        ) -> Result<Response, Problem> {
            act(&server, &id, &keyed, $action).await
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

async fn act(server: &Server, id: &str, keyed: &Keyed, action: Action) -> Result<Response, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    if matches!(action, Action::Start | Action::Resume)
        && let Err(missing) = &server.can_call
    {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, missing.clone()));
    }
    let now = server.ledger.now();
    let reply =
        |campaign: &Campaign, counts: &Counts| keyed.keep(StatusCode::OK, &CampaignReply::of(campaign, counts), now);
    let acted = server.ledger.act(&id, action, reply).await;
    keyed.answer(acted.map(|(campaign, counts)| json(StatusCode::OK, &CampaignReply::of(&campaign, &counts)))).await
}
