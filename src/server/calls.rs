//! Single calls: one number, called now, followed to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CampaignId, JobId};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::outcome::{EndedReason, Outcome, SkipReason};
use gymcall_jobs::phone::{PhoneError, PhoneNumber, PhoneRules};
use gymcall_jobs::store::{Change, StoreError, Write};
use gymcall_jobs::zone::{GymZone, TimeZoneError, ZoneSource};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Server;
use super::error::Problem;
use super::idempotency::Keyed;
use super::input::{self, check_length};
use super::job_json::{Ending, job_json};
use super::reply;

/// How long a request waits for Twilio's SID before it answers 202.
const WAIT_FOR_SID: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallRequest {
    phone_number: String,
    gym_name: Option<String>,
    country: Option<String>,
    timezone: Option<String>,
    preferred_language: Option<String>,
}

/// `POST /v1/calls`
pub(super) async fn place(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    match try_place(&server, &headers, &body).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_place(server: &Server, headers: &HeaderMap, body: &[u8]) -> Result<Response, Problem> {
    let keyed = match Keyed::begin(server, headers, "POST /v1/calls", body).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    check_ready(server)?;
    let gym = gym_of(&server.phones, input::read(body)?)?;
    call_now(server, &keyed, gym, None).await
}

/// Whether a call can be made at once.
pub(super) fn check_ready(server: &Server) -> Result<(), Problem> {
    if server.stopping.is_cancelled() {
        // Accepted, it would be dialled at the next start, whenever that is.
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping: call again in a moment"));
    }
    server.can_call.clone().map_err(|missing| Problem::new(StatusCode::SERVICE_UNAVAILABLE, missing))
}

/// Calls a gym, in the words of this campaign if it is a test of one, and answers with Twilio's name for the call.
pub(super) async fn call_now(
    server: &Server,
    keyed: &Keyed,
    gym: Gym,
    script: Option<CampaignId>,
) -> Result<Response, Problem> {
    let store = server.ledger.store();
    if let Some(suppression) = store.suppression(&gym.phone).await? {
        let detail = format!("{} may not be called since {}: {}", gym.phone, suppression.since, suppression.reason);
        return Err(Problem::field("/phone_number", "suppressed", detail));
    }
    if let Some(holder) = store.number_holder(&gym.phone).await? {
        return Err(Problem::conflict(format!("{} has an open attempt: {holder}", gym.phone)));
    }
    // What happens from here on must be seen, so the feed comes before the job.
    let changes = store.changes();
    let now = server.ledger.now();
    let id = JobId::new(now, rand::random());
    let job = CallJob::new(id.clone(), None, gym, now, now);
    let job = match script {
        Some(campaign) => job.with_script_of(campaign),
        None => job,
    };
    let job = match server.ledger.accept(job, keyed.claim_for(&id, now)).await {
        Err(StoreError::KeyTaken(saved)) => return Ok(keyed.taken(server, &saved).await),
        accepted => accepted?,
    };
    let job = settled(server, job, changes).await?;
    let (status, body) = reply_of(&job);
    if let Some(reply) = keyed.complete(&id, status, body.clone(), server.ledger.now()) {
        store.commit(Write { reply: Some(reply), ..Write::default() }).await?;
    }
    Ok(response(status, body))
}

fn gym_of(phones: &PhoneRules, request: CallRequest) -> Result<Gym, Problem> {
    let texts = [
        ("/gym_name", &request.gym_name, 200),
        ("/country", &request.country, 60),
        ("/preferred_language", &request.preferred_language, 35),
    ];
    for (pointer, text, most) in texts {
        check_length(pointer, text.as_deref().unwrap_or_default(), most)?;
    }
    let phone = PhoneNumber::parse(&request.phone_number, request.country.as_deref(), phones).map_err(unusable)?;
    let timezone = request
        .timezone
        .map(|name| name.parse().map(|name| GymZone::named(name, ZoneSource::Request)))
        .transpose()
        .map_err(|error: TimeZoneError| Problem::field("/timezone", "invalid", error.to_string()))?;
    let mut gym = Gym::new(phone);
    gym.name = request.gym_name.unwrap_or_default();
    gym.timezone = timezone;
    gym.country = request.country;
    gym.preferred_language = request.preferred_language;
    Ok(gym)
}

pub(super) fn unusable(error: PhoneError) -> Problem {
    match error {
        PhoneError::UnknownCountry(_) => Problem::field("/country", "invalid", error.to_string()),
        _ => Problem::field("/phone_number", error.row_code().as_str(), error.to_string()),
    }
}

/// Waits until the job has a SID, is over, or is unclear, or until the time is up.
async fn settled(
    server: &Server,
    mut job: CallJob,
    mut changes: broadcast::Receiver<Change>,
) -> Result<CallJob, Problem> {
    let deadline = tokio::time::Instant::now() + WAIT_FOR_SID;
    loop {
        if !matches!(job.phase(), Phase::Waiting { .. } | Phase::Dialing { .. } | Phase::Unknown { .. }) {
            return Ok(job);
        }
        let time_is_up = match tokio::time::timeout_at(deadline, changes.recv()).await {
            Ok(Ok(Change::Job { id, .. })) if id != *job.id() => continue,
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => false,
            // One last look: the job may be dialled by another process, whose news can be lost on its way here.
            Err(_) | Ok(Err(RecvError::Closed)) => true,
        };
        if let Some(stored) = server.ledger.store().job(job.id()).await? {
            job = stored.record;
        }
        if time_is_up {
            return Ok(job);
        }
    }
}

/// The reply for a job that a replayed request made earlier; none while its outcome is still to come.
pub(super) async fn reply_of_record(server: &Server, id: &JobId) -> Option<(u16, String)> {
    let job = server.ledger.store().job(id).await.ok()??.record;
    let undecided = matches!(job.phase(), Phase::Waiting { .. } | Phase::Dialing { .. });
    (!undecided).then(|| reply_of(&job))
}

fn reply_of(job: &CallJob) -> (u16, String) {
    let refused = match job.outcome() {
        Some(Outcome::GaveUp(miss)) if miss.ended_reason == EndedReason::InvalidDestination => Some("invalid_phone"),
        Some(Outcome::Skipped(SkipReason::Suppressed)) => Some("suppressed"),
        Some(Outcome::Skipped(SkipReason::OpenAttempt)) => {
            return Problem::conflict(format!("{} has an open attempt", job.gym().phone)).parts();
        }
        Some(Outcome::GaveUp(_)) if job.attempts().iter().all(|attempt| attempt.call.is_none()) => {
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, trouble(job)).parts();
        }
        _ => None,
    };
    if let Some(code) = refused {
        return Problem::field("/phone_number", code, trouble(job)).parts();
    }
    let sid = job.attempts().last().and_then(|attempt| attempt.call.as_ref());
    let status = if sid.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    let body = json!({
        "call_id": job.id(),
        "status": call_status(job),
        "twilio_call_sid": sid,
        "created_at": job.created_at(),
    });
    (status.as_u16(), body.to_string())
}

fn trouble(job: &CallJob) -> String {
    let trouble = job.attempts().last().and_then(|attempt| attempt.trouble.clone());
    trouble.unwrap_or_else(|| format!("{} cannot be called", job.gym().phone))
}

fn response(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [(axum::http::header::CONTENT_TYPE, kind)], body).into_response()
}

/// Twilio's word for how the call stands.
fn call_status(job: &CallJob) -> CallStatus {
    let last = job.attempts().last().and_then(|attempt| attempt.status);
    match job.outcome() {
        None => last.unwrap_or(CallStatus::Queued),
        Some(_) => match last {
            Some(status) if status.is_terminal() => status,
            Some(CallStatus::InProgress) => CallStatus::Completed,
            _ if *job.outcome().unwrap_or(&Outcome::Cancelled) == Outcome::Cancelled => CallStatus::Canceled,
            _ => CallStatus::Failed,
        },
    }
}

/// `GET /v1/calls/{call_id}`
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: JobId = id.parse().map_err(|_| Problem::missing("call"))?;
    let job = server.ledger.store().job(&id).await?.ok_or_else(|| Problem::missing("call"))?.record;
    let gym = job.gym();
    let result: Option<Value> = job.outcome().map(|_| {
        let ending = Ending::of(&job);
        json!({
            "outcome": ending.outcome,
            "disposition": ending.disposition,
            "ended_reason": ending.ended_reason,
            "answered_by": ending.answered_by,
            "answers": job_json(&job, &[])["answers"],
        })
    });
    Ok(reply::json(
        StatusCode::OK,
        &json!({
            "call_id": job.id(),
            "twilio_call_sid": job.attempts().last().and_then(|attempt| attempt.call.as_ref()),
            "status": call_status(&job),
            "created_at": job.created_at(),
            "last_updated": job.updated_at(),
            "request": {
                "phone_number": gym.phone.as_str(),
                "gym_name": gym.name,
                "country": gym.country,
                "timezone": gym.timezone.as_ref().and_then(GymZone::name),
                "preferred_language": gym.preferred_language,
            },
            "result": result,
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status and the pointer of the problem with a request that has this field, too.
    fn refused(field: &str, value: String) -> Value {
        let mut request = json!({"phone_number": "415 555 0101"});
        request[field] = value.into();
        let request = input::read(request.to_string().as_bytes()).unwrap();
        let (status, body) = gym_of(&PhoneRules::default(), request).unwrap_err().parts();
        let body: Value = serde_json::from_str(&body).unwrap();
        json!([status, body["errors"][0]["pointer"]])
    }

    #[test]
    fn texts_have_a_longest_length() {
        for (field, most) in [("gym_name", 200), ("country", 60), ("preferred_language", 35)] {
            assert_eq!(refused(field, "é".repeat(most + 1)), json!([422, format!("/{field}")]));
        }
        let longest = json!({
            "phone_number": "415 555 0101", "gym_name": "é".repeat(200), "preferred_language": "é".repeat(35),
        });
        let request = input::read(longest.to_string().as_bytes()).unwrap();
        assert_eq!(gym_of(&PhoneRules::default(), request).unwrap().name.chars().count(), 200);
    }

    #[test]
    fn a_problem_points_at_the_country_or_at_the_number() {
        assert_eq!(refused("country", "Atlantis".to_owned()), json!([422, "/country"]));
        assert_eq!(refused("phone_number", "12".to_owned()), json!([422, "/phone_number"]));
    }
}
