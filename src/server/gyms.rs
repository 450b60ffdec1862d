//! Upload of a CSV of gyms: streamed in, every row accounted for, visible all at once or not at all.

mod options;
mod rows;
pub(super) mod template;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::{CampaignId, ImportId, RunId};
use gymcall_jobs::ledger::{CampaignError, ImportMode, OpenImport};
use gymcall_jobs::store::{Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use self::options::Options;
use self::rows::{Into, Upload};
use super::Server;
use super::campaigns;
use super::error::Problem;
use super::idempotency::{Keyed, Uploaded};
use super::query::Query;
use super::reply;
use super::rows_report::RowsReport;
use super::upload::{self, UploadForm};

/// How soon an import that could not be dropped is dropped again, and how late at the latest.
const DROP_AGAIN_AFTER: Duration = Duration::from_millis(500);
const DROP_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// What came of an upload of gyms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub(super) struct Report {
    #[serde(flatten)]
    rows: RowsReport,
    /// Among the accepted: numbers that may not be called, and are skipped when their turn comes.
    suppressed: u64,
    /// `add`, or `replace` if these gyms are the list from now on.
    mode: ImportMode,
    /// Whether everything was looked at and nothing was stored.
    dry_run: bool,
    /// The run that has the gyms now; none after a dry run.
    run_id: Option<RunId>,
}

/// Imports a CSV of gyms. All rows become visible at once, or none.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/gyms",
    params(Options),
    request_body(content((String = "text/csv"), (UploadForm = "multipart/form-data"))),
    responses((status = 200, description = "What became of its rows", body = Report))
)]
pub(super) async fn import(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(Options { mode, dry_run }): Query<Options>,
    Uploaded { keyed, request }: Uploaded,
) -> Result<Response, Problem> {
    let campaign = campaigns::find_open(&server, &id).await?;
    if dry_run {
        return rehearse(&server, &campaign, mode, request).await;
    }
    let work = Arc::clone(&server);
    server.see_through("an import", async move { carry_out(&work, &campaign.id, mode, keyed, request).await }).await
}

/// Reads the whole file as an import would, and stores nothing.
async fn rehearse(
    server: &Server,
    campaign: &Campaign,
    mode: ImportMode,
    request: Request,
) -> Result<Response, Problem> {
    let run = (mode == ImportMode::Add).then_some(&campaign.run);
    let mut upload = Upload::new(server, campaign, Into::Nothing(run));
    upload::read(request, &mut upload).await?;
    let read = upload.finish().await?;
    Ok(reply::json(
        StatusCode::OK,
        &Report { rows: read.report, suppressed: read.suppressed, mode, dry_run: true, run_id: None },
    ))
}

async fn carry_out(
    server: &Server,
    campaign: &CampaignId,
    mode: ImportMode,
    mut keyed: Keyed,
    request: Request,
) -> Result<Response, Problem> {
    let now = server.ledger.now();
    let id = ImportId::new(now, rand::random());
    let run = RunId::new(now, rand::random());
    let opened = match server.ledger.open_import(id.clone(), campaign, mode, run).await {
        Ok(opened) => opened,
        Err(error) => {
            // A store that did not answer may have opened it all the same, or may yet.
            if matches!(error, CampaignError::Store(StoreError::Failed(_))) {
                tokio::spawn(keep_dropping(Arc::clone(server.ledger.store()), id));
            }
            return Err(error.into());
        }
    };
    let published = stage_and_publish(server, &opened, mode, &mut keyed, request).await;
    // Whoever asked must learn what went wrong first, not what went wrong because of it.
    if published.is_err() && !drop_import(server.ledger.store(), &id).await {
        tokio::spawn(keep_dropping(Arc::clone(server.ledger.store()), id));
    }
    keyed.answer(published.map(|report| reply::json(StatusCode::OK, &report))).await
}

/// Whether the import is not there any more.
async fn drop_import(store: &Arc<dyn Store>, import: &ImportId) -> bool {
    match store.drop_import(import).await {
        Ok(()) | Err(StoreError::Missing(_)) => true,
        Err(error) => {
            tracing::error!(%error, "an import cannot be dropped: {error}");
            false
        }
    }
}

/// An import that stays open keeps the campaign closed to all others, so a store that failed is asked again.
async fn keep_dropping(store: Arc<dyn Store>, import: ImportId) {
    let mut wait = DROP_AGAIN_AFTER;
    loop {
        tokio::time::sleep(wait).await;
        if drop_import(&store, &import).await {
            return;
        }
        wait = (wait * 2).min(DROP_AGAIN_WITHIN);
    }
}

async fn stage_and_publish(
    server: &Server,
    opened: &OpenImport,
    mode: ImportMode,
    keyed: &mut Keyed,
    request: Request,
) -> Result<Report, Problem> {
    let campaign = &opened.campaign;
    let mut upload = Upload::new(server, campaign, Into::Import(&opened.id));
    let file = upload::read(request, &mut upload).await?;
    let read = upload.finish().await?;
    let report = Report {
        rows: read.report,
        suppressed: read.suppressed,
        mode,
        dry_run: false,
        run_id: Some(campaign.run.clone()),
    };
    keyed.seal(&file);
    let reply = keyed.keep(StatusCode::OK, &report, server.ledger.now());
    gymcall_jobs::failpoint!("C2");
    server.ledger.publish_import(opened, reply).await?;
    gymcall_jobs::failpoint!("C3");
    let accepted = report.rows.accepted;
    tracing::info!(campaign_id = %campaign.id, accepted, "campaign {}: gyms imported", campaign.id);
    Ok(report)
}

/// The columns that everything the campaign says names.
pub(super) fn variables_of(campaign: &Campaign) -> Vec<String> {
    campaign.placeholders().into_iter().map(|placeholder| placeholder.column).collect()
}
