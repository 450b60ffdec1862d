//! Campaigns: created, listed, shown, started, paused, resumed, cancelled.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gymcall_jobs::campaign::{Action, Campaign, CampaignState, Counts, PausedReason};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::job::Status;
use gymcall_jobs::ledger::CampaignError;
use gymcall_jobs::question::{AnswerType, Question};
use gymcall_jobs::rules::{Policy, Voicemail};
use gymcall_jobs::store::StoreError;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Server;
use super::error::Problem;
use super::idempotency::Keyed;
use super::input::{self, check_text};
use super::page::ListQuery;
use super::reply;

/// The choices of one question.
const MOST_CHOICES: usize = 50;

/// A campaign as users send it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CampaignRequest {
    name: String,
    on_behalf_of: Option<String>,
    questions: Option<Vec<Question>>,
    #[serde(default)]
    policy: Policy,
}

impl CampaignRequest {
    fn check(&self) -> Result<(), Problem> {
        check_text("/name", &self.name, 200)?;
        if let Some(text) = &self.on_behalf_of {
            check_text("/on_behalf_of", text, 200)?;
        }
        let policy = &self.policy;
        if !(1..=20).contains(&policy.max_attempts) {
            return Err(Problem::field("/policy/max_attempts", "out_of_range", "must be 1 to 20"));
        }
        if !(0.0..=525_600.0).contains(&policy.redial_after_minutes) {
            return Err(Problem::field("/policy/redial_after_minutes", "out_of_range", "must be 0 to 525600 (a year)"));
        }
        if let Some(hours) = &policy.window {
            hours.check().map_err(|error| Problem::field("/policy/window", "invalid", error.to_string()))?;
        }
        if policy.calls_per_second.is_some_and(|pace| !(pace > 0.0 && pace <= 1000.0)) {
            return Err(Problem::field(
                "/policy/calls_per_second",
                "out_of_range",
                "must be more than 0 and at most 1000",
            ));
        }
        if policy.max_concurrent_calls == Some(0) {
            return Err(Problem::field("/policy/max_concurrent_calls", "out_of_range", "must be at least 1"));
        }
        match (policy.voicemail, &policy.voicemail_message) {
            (Voicemail::LeaveMessage, None) => {
                return Err(Problem::field("/policy/voicemail_message", "missing", "leave_message needs a message"));
            }
            (Voicemail::HangUp, Some(_)) => {
                let detail = "a message is left only with voicemail: leave_message";
                return Err(Problem::field("/policy/voicemail_message", "invalid", detail));
            }
            (Voicemail::LeaveMessage, Some(message)) => check_text("/policy/voicemail_message", message, 500)?,
            (Voicemail::HangUp, None) => {}
        }
        self.check_questions()
    }

    fn check_questions(&self) -> Result<(), Problem> {
        let Some(questions) = &self.questions else { return Ok(()) };
        if questions.is_empty() || questions.len() > 50 {
            return Err(Problem::field(
                "/questions",
                "out_of_range",
                "1 to 50 questions; leave them out for the usual four",
            ));
        }
        for (index, question) in questions.iter().enumerate() {
            let at = |field: &str| format!("/questions/{index}/{field}");
            let key_is_fine = !question.key.is_empty()
                && question.key.len() <= 64
                && question.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !key_is_fine {
                return Err(Problem::field(&at("key"), "invalid", "1 to 64 lower-case letters, digits and _"));
            }
            if questions[..index].iter().any(|earlier| earlier.key == question.key) {
                return Err(Problem::field(&at("key"), "duplicate", "another question has this key"));
            }
            check_text(&at("ask"), &question.ask, 500)?;
            if (question.kind == AnswerType::Choice) == question.choices.is_empty() {
                return Err(Problem::field(
                    &at("choices"),
                    "invalid",
                    "a question of type choice has choices, and no other has",
                ));
            }
            // They are hints for Twilio's recognition, and are said in one line if need be.
            if question.choices.len() > MOST_CHOICES {
                return Err(Problem::field(&at("choices"), "out_of_range", format!("at most {MOST_CHOICES} choices")));
            }
            for (nth, choice) in question.choices.iter().enumerate() {
                check_text(&format!("{}/{nth}", at("choices")), choice, 100)?;
            }
        }
        Ok(())
    }
}

/// `POST /v1/campaigns`
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
    let name = request.name.trim().to_owned();
    let campaign = Campaign {
        id: CampaignId::new(now, rand::random()),
        on_behalf_of: request.on_behalf_of.map_or_else(|| name.clone(), |text| text.trim().to_owned()),
        name,
        questions: request.questions.unwrap_or_else(Question::defaults),
        policy: request.policy.with_usual_hours(),
        state: CampaignState::Draft,
        run: RunId::new(now, rand::random()),
        created_at: now,
        updated_at: now,
        started_at: None,
        hours_changed_at: None,
        schedule: None,
        next_fire: None,
        runs: 0,
        run_begun: false,
    };
    let reply = campaign_json(&campaign, &Counts::default());
    let saved = keyed.claim(StatusCode::CREATED, reply.to_string(), now);
    match server.ledger.create_campaign(campaign, saved).await {
        Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(&server, &saved).await),
        created => created.map(|()| reply::json(StatusCode::CREATED, &reply)).map_err(Problem::from),
    }
}

/// `GET /v1/campaigns`
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let store = server.ledger.store();
    let page = store.campaigns(query.cursor, query.limit.or_usual()).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for stored in page.items {
        let counts = store.counts(&stored.record.run).await?;
        items.push(campaign_json(&stored.record, &counts));
    }
    Ok(reply::page(&items, page.next))
}

/// `GET /v1/campaigns/{id}`
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let campaign = find(&server, &id).await?;
    let counts = server.ledger.store().counts(&campaign.run).await?;
    Ok(reply::json(StatusCode::OK, &campaign_json(&campaign, &counts)))
}

/// The campaign with this id.
pub(super) async fn find(server: &Server, id: &str) -> Result<Campaign, Problem> {
    let id: CampaignId = id.parse().map_err(|_| Problem::missing("campaign"))?;
    let stored = server.ledger.store().campaign(&id).await?;
    Ok(stored.ok_or_else(|| Problem::missing("campaign"))?.record)
}

macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $action:expr) => {
        $(#[$doc])*
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
    /// `POST /v1/campaigns/{id}/start`
    start, Action::Start
);
action!(
    /// `POST /v1/campaigns/{id}/pause`
    pause, Action::Pause(PausedReason::Manual)
);
action!(
    /// `POST /v1/campaigns/{id}/resume`
    resume, Action::Resume
);
action!(
    /// `POST /v1/campaigns/{id}/cancel`
    cancel, Action::Cancel
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
    let reply = |campaign: &Campaign, counts: &Counts| {
        keyed.claim(StatusCode::OK, campaign_json(campaign, counts).to_string(), now)
    };
    match server.ledger.act(&id, action, reply).await {
        Ok((campaign, counts)) => Ok(reply::json(StatusCode::OK, &campaign_json(&campaign, &counts))),
        Err(CampaignError::Store(StoreError::KeyTaken(saved))) => Ok(keyed.taken(server, &saved).await),
        Err(error) => Err(error.into()),
    }
}

/// A campaign as users see it.
fn campaign_json(campaign: &Campaign, counts: &Counts) -> Value {
    let by_status: Map<String, Value> =
        Status::ALL.iter().map(|status| (status.as_str().to_owned(), json!(counts.of(*status)))).collect();
    json!({
        "id": campaign.id,
        "name": campaign.name,
        "on_behalf_of": campaign.on_behalf_of,
        "status": campaign.status(counts),
        "paused_reason": campaign.paused_reason(),
        "questions": campaign.questions,
        "policy": campaign.policy,
        "run_id": campaign.run,
        "counters": {
            "total": counts.total(),
            "waiting": counts.of(Status::Waiting),
            "live": counts.live(),
            "completed": counts.of(Status::Completed),
            "failed": counts.of(Status::Failed),
            "skipped": counts.of(Status::Skipped),
            "cancelled": counts.of(Status::Cancelled),
            "quarantined": counts.of(Status::Quarantined),
            "by_status": by_status,
        },
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
        "started_at": campaign.started_at,
    })
}
