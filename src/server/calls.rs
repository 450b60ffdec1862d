//! Single calls: one number, called now, followed to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CallSid, CampaignId, JobId};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Ending, Outcome, SkipReason};
use gymcall_jobs::phone::{PhoneError, PhoneNumber, PhoneRules};
use gymcall_jobs::store::{Change, Write};
use gymcall_jobs::zone::{GymZone, TimeZoneError, TimeZoneName, ZoneSource};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::Server;
use super::error::Problem;
use super::idempotency::{Asked, Keyed};
use super::input::{self, check_length};
use super::jobs::reply::{AnswerReply, End, answers_of};
use super::reply;

/// How long a request waits for Twilio's SID before it answers 202.
const WAIT_FOR_SID: Duration = Duration::from_secs(10);

/// A single call that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCall)]
#[serde(deny_unknown_fields)]
pub(super) struct CallRequest {
    /// The number, as people write it.
    #[schema(example = "+1 415 555 0101")]
    phone_number: String,
    /// What the gym is called, at most 200 characters.
    gym_name: Option<String>,
    /// Its country: needed for a number that is written without one and is not of the usual one.
    #[schema(example = "US")]
    country: Option<String>,
    /// Its IANA time zone.
    #[schema(example = "America/Los_Angeles")]
    timezone: Option<String>,
    /// The language to listen for.
    #[schema(example = "en-US")]
    preferred_language: Option<String>,
}

/// A call that was taken on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlacedCall)]
pub(super) struct PlacedReply<'a> {
    /// Its id, which is that of its job.
    call_id: &'a JobId,
    /// How it stands, in Twilio's words.
    status: CallStatus,
    /// Twilio's name for it; null while that is not known.
    twilio_call_sid: Option<&'a CallSid>,
    /// When it was taken on.
    created_at: Timestamp,
}

/// A single call and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub(super) struct CallReply<'a> {
    /// Its id, which is that of its job.
    call_id: &'a JobId,
    /// Twilio's name for it; null while that is not known.
    twilio_call_sid: Option<&'a CallSid>,
    /// How it stands, in Twilio's words.
    status: CallStatus,
    /// When it was taken on.
    created_at: Timestamp,
    /// When it last changed.
    last_updated: Timestamp,
    /// What was asked for.
    request: AskedFor<'a>,
    /// What came of it; null while it is open.
    result: Option<CallResult<'a>>,
}

/// The call as it was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct AskedFor<'a> {
    /// The number that is called.
    phone_number: &'a PhoneNumber,
    /// What the gym is called; empty if nobody said.
    gym_name: &'a str,
    /// Its country, if it was named.
    country: Option<&'a str>,
    /// Its time zone, if it was named.
    timezone: Option<&'a TimeZoneName>,
    /// The language to listen for, if it was named.
    preferred_language: Option<&'a str>,
}

/// What came of a single call.
#[derive(Debug, Serialize, ToSchema)]
struct CallResult<'a> {
    /// How it ended.
    outcome: Option<Ending>,
    /// The business result.
    disposition: Option<Disposition>,
    /// How the call ended.
    ended_reason: Option<EndedReason>,
    /// Who answered, where that was heard.
    answered_by: Option<AnsweredBy>,
    /// What was answered, in the order it was heard.
    answers: Vec<AnswerReply<'a>>,
}

/// Calls one number now.
///
/// Windows bind campaigns only; suppression and the rules for regions bind single calls, too.
#[utoipa::path(
    post, path = "/v1/calls", request_body = CallRequest,
    responses(
        (status = 201, description = "Twilio has the call", body = PlacedReply<'_>),
        (status = 202, description = "The pace, the lines or an unclear reply keep it open: ask again", body = PlacedReply<'_>),
    )
)]
pub(super) async fn place(
    State(server): State<Arc<Server>>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    check_ready(&server)?;
    let gym = gym_of(&server.phones, input::read(&body)?)?;
    call_now(&server, &keyed, gym, None).await
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
        Ok(job) => job,
        Err(error) => return keyed.answer(Err(error)).await,
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
    let body =
        PlacedReply { call_id: job.id(), status: call_status(job), twilio_call_sid: sid, created_at: job.created_at() };
    (status.as_u16(), serde_json::to_string(&body).unwrap_or_default())
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

/// Shows a single call and what came of it.
#[utoipa::path(get, path = "/v1/calls/{id}", responses((status = 200, description = "The call", body = CallReply<'_>)))]
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: JobId = id.parse().map_err(|_| Problem::missing("call"))?;
    let job = server.ledger.store().job(&id).await?.ok_or_else(|| Problem::missing("call"))?.record;
    let gym = job.gym();
    let end = End::of(&job);
    let result = job.outcome().map(|_| CallResult {
        outcome: end.outcome,
        disposition: end.disposition,
        ended_reason: end.ended_reason,
        answered_by: end.answered_by,
        answers: answers_of(&job, &[]),
    });
    let reply = CallReply {
        call_id: job.id(),
        twilio_call_sid: job.attempts().last().and_then(|attempt| attempt.call.as_ref()),
        status: call_status(&job),
        created_at: job.created_at(),
        last_updated: job.updated_at(),
        request: AskedFor {
            phone_number: &gym.phone,
            gym_name: &gym.name,
            country: gym.country.as_deref(),
            timezone: gym.timezone.as_ref().and_then(GymZone::name),
            preferred_language: gym.preferred_language.as_deref(),
        },
        result,
    };
    Ok(reply::json(StatusCode::OK, &reply))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
