//! Errors as the HTTP interface gives them: `application/problem+json`, naming the field.
//!
//! Inner layers have errors of their own and know no HTTP; they become problems here, once.
//! What went wrong inside is logged and not sent.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::campaign::ActionError;
use gymcall_jobs::ledger::CampaignError;
use gymcall_jobs::store::{SavedReply, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    cause: Cause,
}

/// What is behind a problem, where that matters to somebody.
#[derive(Debug, Clone, PartialEq)]
enum Cause {
    /// What was asked for, or where things stand.
    Asked,
    /// Another request has taken the idempotency key.
    KeyTaken(Box<SavedReply>),
    /// The store failed.
    Store,
    /// It is too much at the moment. So many seconds later it may not be.
    Busy(u64),
}

/// Marks a reply that says that the store failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreFailed;

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it is, as a JSON pointer.
    pub pointer: String,
    /// What is wrong, in a word.
    pub code: String,
    /// What is wrong, in a sentence.
    pub detail: String,
}

/// A problem, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body<'a> {
    /// `about:blank`: the status says which kind of problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, in a sentence.
    detail: &'a str,
    /// Which fields of the input are wrong, where some are.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with this status and this sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), cause: Cause::Asked }
    }

    /// Input that cannot be used, by one field's fault.
    pub fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldError { pointer: pointer.to_owned(), code: code.to_owned(), detail: detail.clone() };
        Self::fields(detail, vec![error])
    }

    /// Input that cannot be used, for reasons in one or more places.
    pub fn fields(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// There is no such thing.
    pub fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no such {what}"))
    }

    /// A field that may not change any more.
    pub fn fixed(pointer: &str, detail: &str) -> Self {
        Self { status: StatusCode::CONFLICT, ..Self::field(pointer, "fixed", detail) }
    }

    /// Something went wrong that nobody who asks can mend. The log says what.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; see the log")
    }

    /// It is too much at the moment: whoever asks is to come back after so many seconds.
    pub(super) fn busy(status: StatusCode, seconds: u64, detail: impl Into<String>) -> Self {
        Self { cause: Cause::Busy(seconds), ..Self::new(status, detail) }
    }

    /// The reply of the request that has taken this one's idempotency key, if that is the problem.
    pub(super) fn key_taken(&self) -> Option<&SavedReply> {
        match &self.cause {
            Cause::KeyTaken(saved) => Some(saved),
            _ => None,
        }
    }

    /// It does not fit where things stand.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// The HTTP status and the body, to be kept for an idempotency key.
    pub fn parts(&self) -> (u16, String) {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        (self.status.as_u16(), serde_json::to_string(&body).unwrap_or_default())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, body) = self.parts();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        match self.cause {
            Cause::Busy(seconds) => drop(response.headers_mut().insert(header::RETRY_AFTER, seconds.into())),
            Cause::Store => drop(response.extensions_mut().insert(StoreFailed)),
            Cause::Asked | Cause::KeyTaken(_) => {}
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::missing(what),
            StoreError::BadCursor => Self::field("/cursor", "invalid", "the cursor is not one of ours"),
            StoreError::Busy(detail) => Self::conflict(detail),
            StoreError::Conflict => Self::conflict("it was changed by somebody else at the same time: look again"),
            StoreError::KeyTaken(saved) => {
                let detail = "a request with this Idempotency-Key was made at the same time: ask again";
                Self { cause: Cause::KeyTaken(saved), ..Self::conflict(detail) }
            }
            StoreError::Corrupt(_) | StoreError::Failed(_) => {
                tracing::error!(%error, "the store failed a request: {error}");
                let detail = "the store is not available: try again";
                Self { cause: Cause::Store, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
            }
        }
    }
}

impl From<CampaignError> for Problem {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::Missing => Self::missing("campaign"),
            CampaignError::Action(
                error @ (ActionError::NoGyms
                | ActionError::Live
                | ActionError::Unclear
                | ActionError::Reworded
                | ActionError::Conflict { .. }),
            ) => Self::conflict(error.to_string()),
            CampaignError::Lacking(lacking) => {
                let (pointer, detail) = (lacking.place.to_string(), lacking.to_string());
                let error = FieldError { pointer, code: "missing_variable".to_owned(), detail: detail.clone() };
                Self { errors: vec![error], ..Self::conflict(detail) }
            }
            CampaignError::Store(error) => error.into(),
        }
    }
}

/// What the framework refuses by itself, a query that it cannot read or a body that is too large, it
/// refuses in plain text: here that becomes a problem like all others.
pub(super) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error())
        || kind.is_some_and(|kind| kind == "application/problem+json")
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, 4096).await.unwrap_or_default();
    let detail = match String::from_utf8_lossy(&text) {
        text if text.is_empty() => "the request cannot be used".to_owned(),
        text => text.into_owned(),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    (parts.headers, Problem::new(status, detail)).into_response()
}
