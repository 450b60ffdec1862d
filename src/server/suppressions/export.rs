//! `GET /v1/suppressions.csv`

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use gymcall_jobs::store::Store;

use crate::server::Server;
use crate::server::page::MOST;
use crate::server::sheet::{Sheet, download};

/// Gives the whole list of numbers that may not be called, as a table.
#[utoipa::path(
    get, path = "/v1/suppressions.csv",
    responses((status = 200, description = "The table", body = String, content_type = "text/csv"))
)]
pub(in crate::server) async fn csv(State(server): State<Arc<Server>>) -> Response {
    let store = Arc::clone(server.ledger.store());
    let pages = stream::try_unfold(Part::Header, move |part| next(Arc::clone(&store), part));
    download("suppressions.csv", pages)
}

enum Part {
    Header,
    From(Option<String>),
    End,
}

async fn next(store: Arc<dyn Store>, part: Part) -> Result<Option<(Bytes, Part)>, std::io::Error> {
    let mut sheet = Sheet::new();
    let next = match part {
        Part::Header => {
            sheet.row(["phone_number", "since", "reason"])?;
            Part::From(None)
        }
        Part::From(cursor) => {
            let page = store.suppressions(cursor, MOST).await.map_err(std::io::Error::other)?;
            for entry in &page.items {
                sheet.row([entry.phone.as_str(), &entry.since.to_string(), &entry.reason])?;
            }
            page.next.map_or(Part::End, |next| Part::From(Some(next)))
        }
        Part::End => return Ok(None),
    };
    Ok(Some((sheet.into_bytes()?, next)))
}
