//! A file that is sent, as it is or as the field `file` of a form, and read as it arrives.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::stream::{BoxStream, StreamExt};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::error::Problem;

/// How long the next piece of an upload may take.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read as a stream")]
pub(super) struct UploadForm {
    /// The CSV.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes a file in pieces.
pub(super) trait Taker {
    /// Takes the next bytes. An error ends the upload.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// Hands the request's file to `taker`, piece by piece, and gives the digest of its bytes. A client that stops sending
/// ends it.
pub(super) async fn read(request: Request, taker: &mut (impl Taker + Send)) -> Result<Vec<u8>, Problem> {
    let mut hash = Sha256::new();
    // Multipart fields borrow the form they came in, so each form of body has its own loop.
    if !is_multipart(request.headers()) {
        let mut body = limited(request.into_body());
        while let Some(bytes) = in_time(body.next()).await? {
            let bytes = bytes?;
            hash.update(&bytes);
            taker.take(&bytes).await?;
        }
        return Ok(hash.finalize().to_vec());
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad_upload(&error.body_text()))?;
    let mut found = false;
    while let Some(mut field) = in_time(form.next_field()).await?.map_err(bad_form)? {
        if field.name() != Some("file") {
            continue;
        }
        found = true;
        while let Some(bytes) = in_time(field.chunk()).await?.map_err(bad_form)? {
            hash.update(&bytes);
            taker.take(&bytes).await?;
        }
    }
    if found { Ok(hash.finalize().to_vec()) } else { Err(bad_upload("the form has no field `file`")) }
}

/// Whether the body is a form.
pub(super) fn is_multipart(headers: &HeaderMap) -> bool {
    is_of(headers, "multipart/")
}

/// Whether the body is a CSV.
pub(super) fn is_csv(headers: &HeaderMap) -> bool {
    is_of(headers, "text/csv")
}

fn is_of(headers: &HeaderMap, start: &str) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with(start))
}

/// A client that stops sending must not keep what it holds from all others.
async fn in_time<T>(piece: impl Future<Output = T>) -> Result<T, Problem> {
    let piece = tokio::time::timeout(PIECE_WITHIN, piece).await;
    piece.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "nothing of the upload came for 30 s: it was given up"))
}

/// The body's bytes, with an error past the upload limit.
fn limited(body: Body) -> BoxStream<'static, Result<Bytes, Problem>> {
    let mut left = super::UPLOAD_LIMIT;
    body.into_data_stream()
        .map(move |bytes| {
            let bytes = bytes.map_err(|error| bad_upload(&error.to_string()))?;
            left = left.checked_sub(bytes.len()).ok_or_else(too_large)?;
            Ok(bytes)
        })
        .boxed()
}

fn bad_form(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => bad_upload(&error.body_text()),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("an upload has at most {} MB", super::UPLOAD_LIMIT >> 20))
}

fn bad_upload(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the upload broke off or cannot be read: {detail}"))
}
