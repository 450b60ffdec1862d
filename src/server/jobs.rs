//! Jobs: listed, shown with their history, cancelled, redialled, resolved.

mod evidence;
mod history;
pub(super) mod reply;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::event::{Event, Fate};
use gymcall_jobs::id::{JobId, RunId};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::Told;
use gymcall_jobs::question::Question;
use gymcall_jobs::store::{JobQuery, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::idempotency::{Asked, Keyed};
use super::input;
use super::page::Limit;
use super::query::Query;
use super::redial::again;
use super::reply::{List, json, page};
use evidence::Evidence;
use history::{EventReply, TurnReply};
use reply::JobReply;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    /// Only those at this status.
    status: Option<Status>,
    /// Only those of this run; of all runs without it.
    run: Option<RunId>,
    /// How many at most: 1 to 1000, usually 50.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `next_cursor` of the list before.
    cursor: Option<String>,
}

/// Lists a campaign's jobs in the order they were accepted, without transcripts.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/jobs", params(JobsQuery),
    responses((status = 200, description = "Some of them", body = List<JobReply<'_>>))
)]
pub(super) async fn of_campaign(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<JobsQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let query = JobQuery {
        campaign: Some(campaign.id),
        run: query.run,
        status: query.status,
        cursor: query.cursor,
        limit: query.limit.or_usual(),
    };
    let found = server.ledger.store().jobs(query).await?;
    let items: Vec<_> = found.items.iter().map(|stored| JobReply::of(&stored.record, &campaign.questions)).collect();
    Ok(page(items, found.next))
}

/// A job, what was said in its calls, and what is known of an unclear one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobInFull)]
pub(super) struct FullReply<'a> {
    #[serde(flatten)]
    job: JobReply<'a>,
    /// What was said, in order.
    transcript: Vec<TurnReply>,
    /// For a job that is `unknown` or `quarantined`: what is known of its call. Null for any other.
    evidence: Option<Evidence<'a>>,
}

/// Shows a job, what was said in its calls, and what is known of an unclear one.
#[utoipa::path(get, path = "/v1/jobs/{id}", responses((status = 200, description = "The job", body = FullReply<'_>)))]
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let job = find(&server, &id).await?;
    let questions = questions_of(&server, &job).await?;
    let entries = server.ledger.store().entries(job.id(), 0, MOST_ENTRIES).await?;
    let reply = FullReply {
        job: JobReply::of(&job, &questions),
        transcript: entries.iter().filter_map(TurnReply::of).collect(),
        evidence: Evidence::of(&job, &entries),
    };
    Ok(json(StatusCode::OK, &reply))
}

/// A history is as long as its calls; this bounds one reply, not the history.
const MOST_ENTRIES: u32 = 10_000;

async fn find(server: &Server, id: &str) -> Result<CallJob, Problem> {
    let id: JobId = id.parse().map_err(|_| Problem::missing("job"))?;
    Ok(server.ledger.store().job(&id).await?.ok_or_else(|| Problem::missing("job"))?.record)
}

/// What a job's call asks: its campaign's questions, or the usual ones.
pub(super) async fn questions_of(server: &Server, job: &CallJob) -> Result<Vec<Question>, StoreError> {
    if job.scripted_by().is_none() {
        return Ok(Question::defaults());
    }
    Ok(server.ledger.campaign_of(job).await?.map(|campaign| campaign.questions).unwrap_or_default())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// The `next_cursor` of the list before.
    cursor: Option<u64>,
    /// How many at most: 1 to 1000, usually 1000.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
}

/// Lists everything that happened to a job, the oldest first.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/events", params(EventsQuery),
    responses((status = 200, description = "Some of it", body = List<EventReply<'_>>))
)]
pub(super) async fn events(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    let job = find(&server, &id).await?;
    let limit = query.limit.or_most();
    let entries = server.ledger.store().entries(job.id(), query.cursor.unwrap_or(0), limit).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|length| length == limit);
    let next = entries.last().filter(|_| full).map(|entry| entry.number.to_string());
    let items: Vec<_> = entries.iter().map(EventReply::of).collect();
    Ok(page(items, next))
}

/// Takes a job back: its call is hung up, and it is `cancelled` once that is over.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", responses((status = 200, description = "The job", body = JobReply<'_>)))]
pub(super) async fn cancel(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, .. }: Asked,
) -> Result<Response, Problem> {
    tell(&server, &id, &keyed, "cancel", Event::Cancel).await
}

/// What a person found out about a quarantined call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resolution {
    /// Whether the gym was called.
    fate: Fate,
}

/// Says what became of the call of a quarantined job.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/resolve", request_body = Resolution,
    responses((status = 200, description = "The job", body = JobReply<'_>))
)]
pub(super) async fn resolve(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let Resolution { fate } = input::read(&body)?;
    tell(&server, &id, &keyed, "resolve", Event::Resolved { fate }).await
}

async fn tell(server: &Server, id: &str, keyed: &Keyed, verb: &str, event: Event) -> Result<Response, Problem> {
    let job = find(server, id).await?;
    let questions = questions_of(server, &job).await?;
    let now = server.ledger.now();
    let reply = |job: &CallJob| keyed.keep(StatusCode::OK, &JobReply::of(job, &questions), now);
    match server.ledger.tell_with(job.id(), event, reply).await {
        Err(error) => keyed.answer(Err(error)).await,
        Ok(Told::NoSuchJob) => Err(Problem::missing("job")),
        Ok(Told::Moved(job)) => Ok(json(StatusCode::OK, &JobReply::of(&job, &questions))),
        Ok(Told::Ignored(_, job))
            if verb == "cancel" && (job.cancel_requested() || job.status() == Status::Cancelled) =>
        {
            Ok(json(StatusCode::OK, &JobReply::of(&job, &questions)))
        }
        Ok(Told::Ignored(why, job)) => {
            Err(Problem::conflict(format!("a job that is {} cannot {verb}: {}", job.status(), why.as_str())))
        }
    }
}

/// Makes a new job for the gym of one that is over.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/redial", responses((status = 201, description = "The new job", body = JobReply<'_>))
)]
pub(super) async fn redial(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, .. }: Asked,
) -> Result<Response, Problem> {
    let old = find(&server, &id).await?;
    if !old.status().is_final() || old.status() == Status::Quarantined {
        return Err(Problem::conflict(format!("a job that is {} cannot be redialled: it is not over", old.status())));
    }
    let campaign = server.ledger.campaign_of(&old).await?;
    if campaign.as_ref().is_some_and(|campaign| campaign.state == CampaignState::Cancelled) {
        return Err(Problem::conflict("the campaign is cancelled"));
    }
    if server.ledger.store().suppression(&old.gym().phone).await?.is_some() {
        return Err(Problem::conflict(format!("{} may not be called any more", old.gym().phone)));
    }
    let questions = questions_of(&server, &old).await?;
    let now = server.ledger.now();
    let id = JobId::new(now, rand::random());
    let new = again(&old, id, campaign.as_ref(), now);
    let saved = keyed.keep(StatusCode::CREATED, &JobReply::of(&new, &questions), now);
    let accepted = server.ledger.accept(new, saved).await;
    keyed.answer(accepted.map(|new| json(StatusCode::CREATED, &JobReply::of(&new, &questions)))).await
}
