//! Numbers that may not be called.

pub(super) mod export;
mod numbers;

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::event::Event;
use gymcall_jobs::phone::{PhoneError, PhoneNumber};
use gymcall_jobs::store::{StoreError, Suppression, Write};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::numbers::List;
use super::Server;
use super::error::Problem;
use super::idempotency::Keyed;
use super::input::{self, check_text};
use super::page::ListQuery;
use super::reply;
use super::rows_report::RowsReport;
use super::upload::{self, UploadForm};

/// Lists the numbers that may not be called, by number.
#[utoipa::path(
    get, path = "/v1/suppressions", params(ListQuery),
    responses((status = 200, description = "Some of them", body = reply::List<SuppressionReply<'_>>))
)]
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let page = server.ledger.store().suppressions(query.cursor, query.limit.or_usual()).await?;
    let items: Vec<_> = page.items.iter().map(SuppressionReply::of).collect();
    Ok(reply::page(items, page.next))
}

/// A number that may not be called from now on.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSuppression)]
#[serde(deny_unknown_fields)]
pub(super) struct SuppressionRequest {
    /// The number, of whatever region.
    #[schema(example = "+14155550101")]
    phone_number: String,
    /// Why, in words.
    reason: Option<String>,
}

/// Suppresses a number or a list of them: at once, for every campaign.
///
/// A live call to a number is hung up. JSON is one number; a CSV, or a form with a `file`, is a list of them.
#[utoipa::path(
    post, path = "/v1/suppressions",
    request_body(
        content((SuppressionRequest = "application/json"), (String = "text/csv"), (UploadForm = "multipart/form-data"))
    ),
    responses(
        (status = 201, description = "The number; one that is known keeps its first entry", body = SuppressionReply<'_>),
        (status = 200, description = "What became of the rows of a list", body = RowsReport),
    )
)]
pub(super) async fn add(State(server): State<Arc<Server>>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    if upload::is_csv(&headers) || upload::is_multipart(&headers) {
        return add_list(server, request).await;
    }
    let body = axum::body::to_bytes(request.into_body(), super::BODY_LIMIT).await;
    let body = body.map_err(|error| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body: {error}")))?;
    add_one(&server, &headers, &body).await
}

/// A list. In a task of its own: a client that leaves does not leave half of what it sent unread.
async fn add_list(server: Arc<Server>, request: Request) -> Result<Response, Problem> {
    let mut keyed = Keyed::streamed(&server, request.headers())?;
    let unfinished = server.unfinished.clone();
    let added = unfinished.spawn(async move {
        let mut list = List::new(&server);
        upload::read(request, &mut list).await?;
        let (report, digest) = list.finish().await?;
        keyed.seal("POST /v1/suppressions", &digest);
        // Suppressing twice is suppressing once, so the reply may follow the numbers.
        let reply = keyed.keep(StatusCode::OK, &report, server.ledger.now());
        match server.ledger.store().commit(Write { reply, ..Write::default() }).await {
            Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(&server, &saved).await),
            committed => committed.map(|()| reply::json(StatusCode::OK, &report)).map_err(Problem::from),
        }
    });
    added.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a list of suppressions broke off: {error}");
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; see the log"))
    })
}

async fn add_one(server: &Server, headers: &HeaderMap, body: &[u8]) -> Result<Response, Problem> {
    let keyed = match Keyed::begin(server, headers, "POST /v1/suppressions", body).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    let request: SuppressionRequest = input::read(body)?;
    let phone = any_number(server, &request.phone_number)
        .map_err(|error| Problem::field("/phone_number", error.row_code().as_str(), error.to_string()))?;
    if let Some(reason) = &request.reason {
        check_text("/reason", reason, 2_000)?;
    }
    let reason = request.reason.unwrap_or_else(|| "added by hand".to_owned());
    let store = server.ledger.store();
    let now = server.ledger.now();
    // The first entry stays: it says since when, and in whose words.
    let known = store.suppression(&phone).await?;
    let suppression = known.unwrap_or_else(|| Suppression { phone: phone.clone(), since: now, reason });
    let reply = SuppressionReply::of(&suppression);
    let write = Write {
        suppress: Some(suppression.clone()),
        reply: keyed.keep(StatusCode::CREATED, &reply, now),
        ..Write::default()
    };
    let response = match store.commit(write).await {
        Err(StoreError::KeyTaken(saved)) => keyed.taken(server, &saved).await,
        committed => committed.map(|()| reply::json(StatusCode::CREATED, &reply))?,
    };
    // Also for a repeated request: the first may have died before this.
    if let Some(holder) = store.number_holder(&phone).await? {
        server.ledger.tell(&holder, Event::Suppressed).await?;
    }
    Ok(response)
}

/// A number, also of a region that may not be called: a wish not to be called holds for every number.
fn any_number(server: &Server, text: &str) -> Result<PhoneNumber, PhoneError> {
    let parsed = PhoneNumber::parse(text, None, &server.phones.anywhere());
    parsed.or_else(|error| PhoneNumber::try_from(text.trim().to_owned()).map_err(|_| error))
}

/// Lets a number be called again.
#[utoipa::path(delete, path = "/v1/suppressions/{phone_number}", responses((status = 204, description = "It is off the list")))]
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Path(phone): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let keyed = match Keyed::begin(&server, &headers, &format!("DELETE /v1/suppressions/{phone}"), &[]).await {
        Ok(keyed) => keyed,
        Err(reply) => return Ok(reply),
    };
    let phone = any_number(&server, &phone).map_err(|_| Problem::missing("suppressed number"))?;
    let store = server.ledger.store();
    if store.suppression(&phone).await?.is_none() {
        return Err(Problem::missing("suppressed number"));
    }
    let write = Write {
        unsuppress: Some(phone),
        reply: keyed.claim(StatusCode::NO_CONTENT, String::new(), server.ledger.now()),
        ..Write::default()
    };
    match store.commit(write).await {
        Err(StoreError::KeyTaken(saved)) => Ok(keyed.taken(&server, &saved).await),
        committed => committed.map(|()| StatusCode::NO_CONTENT.into_response()).map_err(Problem::from),
    }
}

/// A number that may not be called.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suppression)]
pub(super) struct SuppressionReply<'a> {
    /// The number.
    phone_number: &'a PhoneNumber,
    /// Since when.
    since: Timestamp,
    /// Why, in words: where known, what was said.
    reason: &'a str,
}

impl<'a> SuppressionReply<'a> {
    fn of(suppression: &'a Suppression) -> Self {
        Self { phone_number: &suppression.phone, since: suppression.since, reason: &suppression.reason }
    }
}
