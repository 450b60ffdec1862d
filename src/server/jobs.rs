//! Jobs: listed, shown with their history, cancelled, redialled, resolved.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::event::{Event, Fate};
use gymcall_jobs::id::{JobId, RunId};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::Told;
use gymcall_jobs::question::Question;
use gymcall_jobs::store::{Entry, JobQuery, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::evidence::evidence_json;
use super::idempotency::Keyed;
use super::input;
use super::job_json::job_json;
use super::page::Limit;
use super::reply;

#[derive(Deserialize)]
pub(super) struct JobsQuery {
    status: Option<Status>,
    run: Option<RunId>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<String>,
}

/// `GET /v1/campaigns/{id}/jobs`
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
    let page = server.ledger.store().jobs(query).await?;
    let items: Vec<Value> = page.items.iter().map(|stored| job_json(&stored.record, &campaign.questions)).collect();
    Ok(reply::page(&items, page.next))
}

/// `GET /v1/jobs/{id}`: the job, what was said in its calls, and what is known of an unclear one.
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let job = find(&server, &id).await?;
    let mut json = job_json(&job, &questions_of(&server, &job).await?);
    let entries = server.ledger.store().entries(job.id(), 0, MOST_ENTRIES).await?;
    let transcript: Vec<Value> = entries.iter().filter_map(turn_json).collect();
    json["transcript"] = json!(transcript);
    json["evidence"] = evidence_json(&job, &entries);
    Ok(reply::json(StatusCode::OK, &json))
}

/// A history is as long as its calls; this bounds one reply, not the history.
const MOST_ENTRIES: u32 = 10_000;

fn turn_json(entry: &Entry) -> Option<Value> {
    let who = match entry.entry.kind.as_str() {
        "agent_said" => "agent",
        "gym_said" => "gym",
        _ => return None,
    };
    let mut turn = entry.entry.detail.clone();
    turn["who"] = json!(who);
    Some(turn)
}

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

#[derive(Deserialize)]
pub(super) struct EventsQuery {
    cursor: Option<u64>,
    #[serde(default)]
    limit: Limit,
}

/// `GET /v1/jobs/{id}/events`
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
    let items: Vec<Value> = entries
        .iter()
        .map(|Entry { number, entry }| {
            json!({
                "number": number, "at": entry.at, "event": entry.kind,
                "detail": entry.detail, "ignored": entry.ignored,
            })
        })
        .collect();
    Ok(reply::page(&items, next))
}

/// `POST /v1/jobs/{id}/cancel`
pub(super) async fn cancel(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    tell(&server, &id, &headers, "cancel", &[], Event::Cancel).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    fate: Fate,
}

/// `POST /v1/jobs/{id}/resolve`
pub(super) async fn resolve(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Resolution { fate } = input::read(&body)?;
    tell(&server, &id, &headers, "resolve", &body, Event::Resolved { fate }).await
}

async fn tell(
    server: &Server,
    id: &str,
    headers: &HeaderMap,
    verb: &str,
    body: &[u8],
    event: Event,
) -> Result<Response, Problem> {
    let job = find(server, id).await?;
    let keyed = match Keyed::begin(server, headers, &format!("POST /v1/jobs/{id}/{verb}"), body).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    let questions = questions_of(server, &job).await?;
    let now = server.ledger.now();
    let reply = |job: &CallJob| keyed.claim(StatusCode::OK, job_json(job, &questions).to_string(), now);
    match server.ledger.tell_with(job.id(), event, reply).await {
        Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(server, &saved).await),
        Err(error) => Err(error.into()),
        Ok(Told::NoSuchJob) => Err(Problem::missing("job")),
        Ok(Told::Moved(job)) => Ok(reply::json(StatusCode::OK, &job_json(&job, &questions))),
        Ok(Told::Ignored(_, job))
            if verb == "cancel" && (job.cancel_requested() || job.status() == Status::Cancelled) =>
        {
            Ok(reply::json(StatusCode::OK, &job_json(&job, &questions)))
        }
        Ok(Told::Ignored(why, job)) => {
            Err(Problem::conflict(format!("a job that is {} cannot {verb}: {}", job.status(), why.as_str())))
        }
    }
}

/// `POST /v1/jobs/{id}/redial`: a new job for the same gym.
pub(super) async fn redial(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let old = find(&server, &id).await?;
    let keyed = match Keyed::begin(&server, &headers, &format!("POST /v1/jobs/{id}/redial"), &[]).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
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
    let new = CallJob::new(id, old.membership().cloned(), old.gym().clone(), now, now)
        .keeping(campaign.as_ref().and_then(|campaign| campaign.policy.window.as_ref()));
    let reply = job_json(&new, &questions);
    let saved = keyed.claim(StatusCode::CREATED, reply.to_string(), now);
    match server.ledger.accept(new, saved).await {
        Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(&server, &saved).await),
        accepted => accepted.map(|_| reply::json(StatusCode::CREATED, &reply)).map_err(Problem::from),
    }
}
