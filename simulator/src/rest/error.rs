//! Refusals, in Twilio's words and codes.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    message: String,
}

impl Refusal {
    /// 400 with `code`.
    pub(super) fn bad(code: u32, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn authenticate() -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
    }

    pub(super) fn not_found(path: &str) -> Refusal {
        let message = format!("The requested resource {path} was not found");
        Refusal::new(StatusCode::NOT_FOUND, 20404, message)
    }

    /// What test credentials cannot do.
    pub(super) fn test_credentials() -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, 20008, "Resource not accessible with Test Account Credentials")
    }

    pub(super) fn not_active() -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, 20005, "Account is not active")
    }

    /// A call cannot be deleted before it is over.
    pub(super) fn unfinished(sid: &str) -> Refusal {
        Refusal::new(StatusCode::CONFLICT, 20009, format!("Call {sid} cannot be deleted: it is not over yet"))
    }

    /// Said plainly, because Twilio would have it.
    pub(super) fn no_mp3() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, 20404, "This simulator has no MP3 encoder: ask for .wav instead")
    }

    pub(super) fn method() -> Refusal {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed")
    }

    pub(super) fn throttled() -> Refusal {
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests")
    }

    pub(super) fn internal() -> Refusal {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, 20500, "An internal server error has occurred")
    }

    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status.as_u16(),
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static("Basic realm=\"Twilio API\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}
