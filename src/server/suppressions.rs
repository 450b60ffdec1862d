//! Numbers that may not be called.

pub(super) mod export;
mod numbers;

use std::sync::Arc;

use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::event::Event;
use gymcall_jobs::phone::{PhoneError, PhoneNumber};
use gymcall_jobs::store::{Suppression, Write};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::numbers::List;
use super::Server;
use super::error::Problem;
use super::idempotency::{Asked, Uploaded};
use super::input::{self, check_text};
use super::page::ListQuery;
use super::query::Query;
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
    if upload::is_csv(request.headers()) || upload::is_multipart(request.headers()) {
        match Uploaded::from_request(request, &server).await {
            Ok(uploaded) => add_list(server, uploaded).await,
            Err(reply) => Ok(reply),
        }
    } else {
        match Asked::from_request(request, &server).await {
            Ok(asked) => add_one(&server, asked).await,
            Err(reply) => Ok(reply),
        }
    }
}

async fn add_list(server: Arc<Server>, Uploaded { mut keyed, request }: Uploaded) -> Result<Response, Problem> {
    let work = Arc::clone(&server);
    let added = async move {
        let mut list = List::new(&work);
        let file = upload::read(request, &mut list).await?;
        let report = list.finish().await?;
        keyed.seal(&file);
        // Suppressing twice is suppressing once, so the reply may follow the numbers.
        keyed.commit(StatusCode::OK, &report, Write::default()).await
    };
    server.see_through("a list of suppressions", added).await
}

async fn add_one(server: &Server, Asked { keyed, body }: Asked) -> Result<Response, Problem> {
    let request: SuppressionRequest = input::read(&body)?;
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
    let write = Write { suppress: Some(suppression.clone()), ..Write::default() };
    let response = keyed.commit(StatusCode::CREATED, &SuppressionReply::of(&suppression), write).await?;
    // Also for a number that is known: whoever suppressed it may have died before this.
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
    Asked { keyed, .. }: Asked,
) -> Result<Response, Problem> {
    let phone = any_number(&server, &phone).map_err(|_| Problem::missing("suppressed number"))?;
    let store = server.ledger.store();
    if store.suppression(&phone).await?.is_none() {
        return Err(Problem::missing("suppressed number"));
    }
    keyed.commit_silently(Write { unsuppress: Some(phone), ..Write::default() }).await
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
