//! `GET /v1/campaigns/{id}/gyms/template.csv`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::stream;
use gymcall_jobs::roster;

use super::variables_of;
use crate::server::error::Problem;
use crate::server::sheet::{Sheet, download};
use crate::server::{Server, campaigns};

/// Gives a CSV to fill in: the columns that are known and those that this campaign says, and a gym to show how.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/gyms/template.csv",
    responses((status = 200, description = "The template", body = String, content_type = "text/csv"))
)]
pub(in crate::server) async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let template = roster::template(variables_of(&campaign), &server.phones);
    let mut sheet = Sheet::new();
    for row in [&template.columns, &template.example] {
        sheet.row(row).map_err(failed)?;
    }
    let bytes = sheet.into_bytes().map_err(failed)?;
    Ok(download("gyms.csv", stream::once(async { Ok(bytes) })))
}

/// Writing to memory does not fail; if it does all the same, the operator is told.
fn failed(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a template cannot be written: {error}");
    Problem::internal()
}
