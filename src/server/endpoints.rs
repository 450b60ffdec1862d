//! Where events are delivered to: outgoing webhooks.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::announcement::Kind;
use gymcall_jobs::endpoint::Endpoint;
use gymcall_jobs::id::{CampaignId, EndpointId};
use gymcall_jobs::store::{EndpointWrite, Write};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Server;
use super::error::Problem;
use super::idempotency::Asked;
use super::input;
use super::reply;
use crate::notify::signature;

/// How many endpoints there may be.
const MOST: usize = 50;

/// Where events are delivered to, and how that goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct EndpointJson<'a> {
    /// Its id.
    id: &'a EndpointId,
    /// Where it is.
    url: &'a str,
    /// Which events are delivered; all if the list is empty.
    events: &'a [Kind],
    /// Of which campaign; null: of all, and of single calls.
    campaign_id: Option<&'a CampaignId>,
    /// `active`, or `disabled` once it has answered 410.
    status: &'static str,
    /// When it was created.
    created_at: Timestamp,
    /// The event up to which everything was told or given up.
    position: String,
    /// How many events it has taken.
    delivered: u64,
    /// How many were given up after the last try.
    given_up: u64,
    /// When the event that was not taken is tried again.
    next_try_at: Option<Timestamp>,
    /// How often it was tried.
    tries: u32,
    /// What went wrong last, if nothing was taken since.
    last_error: Option<ErrorJson<'a>>,
    /// When events were found not to be kept any more before they were delivered.
    gap_at: Option<Timestamp>,
    /// What deliveries are signed with: only in the reply that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

/// What went wrong with a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookError)]
pub(super) struct ErrorJson<'a> {
    /// When.
    at: Timestamp,
    /// In words.
    detail: &'a str,
}

impl<'a> EndpointJson<'a> {
    fn of(endpoint: &'a Endpoint) -> Self {
        let error = endpoint.last_error.as_ref();
        Self {
            id: &endpoint.id,
            url: &endpoint.url,
            events: &endpoint.events,
            campaign_id: endpoint.campaign.as_ref(),
            status: if endpoint.disabled_at.is_some() { "disabled" } else { "active" },
            created_at: endpoint.created_at,
            position: endpoint.position.to_string(),
            delivered: endpoint.delivered,
            given_up: endpoint.given_up,
            next_try_at: endpoint.ready_at(),
            tries: endpoint.trying.as_ref().map_or(0, |trying| trying.tries),
            last_error: error.map(|error| ErrorJson { at: error.at, detail: &error.detail }),
            gap_at: endpoint.gap_at,
            secret: None,
        }
    }
}

/// Where events are delivered to.
#[utoipa::path(
    get, path = "/v1/webhooks",
    responses((status = 200, description = "All of them", body = reply::List<EndpointJson<'_>>))
)]
pub(super) async fn list(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let endpoints = server.ledger.store().endpoints().await?;
    let items: Vec<_> = endpoints.iter().map(|stored| EndpointJson::of(&stored.record)).collect();
    Ok(reply::page(items, None))
}

/// Where events are to be delivered to from now on.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointRequest {
    /// An https URL on the public internet.
    #[schema(example = "https://example.com/gymcall")]
    url: String,
    /// Which events; without any, all.
    #[serde(default)]
    events: Vec<String>,
    /// Only those of this campaign.
    campaign_id: Option<String>,
}

/// Delivers what happens from now on. The secret is in this reply and in no other.
#[utoipa::path(
    post, path = "/v1/webhooks", request_body = EndpointRequest,
    responses((status = 201, description = "The webhook, with its secret", body = EndpointJson<'_>))
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let request: EndpointRequest = input::read(&body)?;
    let refused = |error: crate::notify::target::TargetError| Problem::field("/url", error.code(), error.to_string());
    let url = server.sender.check(request.url.trim()).await.map_err(refused)?;
    let events = kinds(&request.events)?;
    let campaign = campaign(&server, request.campaign_id).await?;
    let store = server.ledger.store();
    if store.endpoints().await?.len() >= MOST {
        return Err(Problem::conflict(format!("there are {MOST} webhooks already: delete one first")));
    }
    let now = server.ledger.now();
    let (id, secret) = (EndpointId::new(now, rand::random()), signature::secret(&rand::random()));
    let all = Endpoint::new(id, url.into(), secret, store.last_announcement().await?, now);
    let endpoint = Endpoint { events, campaign, ..all };
    let put = EndpointWrite::Put { endpoint: endpoint.clone(), from: None };
    let shown = EndpointJson { secret: Some(endpoint.secret.expose()), ..EndpointJson::of(&endpoint) };
    keyed.commit(StatusCode::CREATED, &shown, Write { endpoint: Some(put), ..Write::default() }).await
}

fn kinds(names: &[String]) -> Result<Vec<Kind>, Problem> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let unknown = |error| {
            let known = Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            Problem::field(&format!("/events/{index}"), "unknown", format!("{error}; there are {known}"))
        };
        let kind = name.parse().map_err(|error: gymcall_jobs::announcement::UnknownKind| unknown(error))?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

async fn campaign(server: &Server, id: Option<String>) -> Result<Option<CampaignId>, Problem> {
    let Some(text) = id else { return Ok(None) };
    let unknown = || Problem::field("/campaign_id", "unknown", "no such campaign");
    let id: CampaignId = text.parse().map_err(|_| unknown())?;
    server.ledger.store().campaign(&id).await?.ok_or_else(unknown)?;
    Ok(Some(id))
}

/// Takes a webhook away: what was not delivered by then is not delivered any more.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", responses((status = 204, description = "It is gone")))]
pub(super) async fn remove(Path(id): Path<String>, Asked { keyed, .. }: Asked) -> Result<Response, Problem> {
    let id: EndpointId = id.parse().map_err(|_| Problem::missing("webhook"))?;
    keyed.commit_silently(Write { endpoint: Some(EndpointWrite::Remove(id)), ..Write::default() }).await
}
