//! Upload of a CSV of gyms: streamed in, every row accounted for, visible all at once or not at all.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::stream::{BoxStream, StreamExt};
use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::id::{ImportId, JobId};
use gymcall_jobs::job::{CallJob, Membership};
use gymcall_jobs::question::columns_in;
use gymcall_jobs::roster::{BadRow, Limits, Roster, RosterError, Row, RowCode};
use gymcall_jobs::store::{Store, StoreError};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::idempotency::Keyed;
use super::reply;

/// How many rows are staged in one go.
const BATCH: usize = 500;
/// How long the next piece of an upload may take.
const PIECE_WITHIN: Duration = Duration::from_secs(30);
/// How soon an import that could not be dropped is dropped again, and how late at the latest.
const DROP_AGAIN_AFTER: Duration = Duration::from_millis(500);
const DROP_AGAIN_WITHIN: Duration = Duration::from_secs(5);
/// How many bad rows a report names; the counts hold all of them.
const MOST_ROWS: usize = 10_000;

/// What came of an upload.
#[derive(Debug, Default, Serialize)]
struct Report {
    accepted: u64,
    corrected: u64,
    duplicates: u64,
    rejected: u64,
    rows: Vec<ReportRow>,
    #[serde(skip_serializing_if = "is_zero")]
    rows_left_out: u64,
}

// serde hands `skip_serializing_if` a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A row that was not taken.
#[derive(Debug, Serialize)]
struct ReportRow {
    line: u64,
    code: RowCode,
    detail: String,
}

/// `POST /v1/campaigns/{id}/gyms`
pub(super) async fn import(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    if campaign.state == CampaignState::Cancelled {
        return Err(Problem::conflict("the campaign is cancelled"));
    }
    let keyed = Keyed::streamed(&server, request.headers())?;
    // In a task of its own: a client that leaves takes its request's handler with it, and an import
    // that was opened and is never closed would keep all others out.
    let unfinished = server.unfinished.clone();
    let imported = unfinished.spawn(async move { carry_out(&server, &campaign, keyed, request).await });
    imported.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an import broke off: {error}");
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; see the log"))
    })
}

async fn carry_out(server: &Server, campaign: &Campaign, keyed: Keyed, request: Request) -> Result<Response, Problem> {
    let now = server.ledger.now();
    let import = ImportId::new(now, rand::random());
    if let Err(error) = server.ledger.store().open_import(&import, &campaign.id, &campaign.run).await {
        // A store that did not answer may have opened it all the same, or may yet.
        if matches!(error, StoreError::Failed(_)) {
            tokio::spawn(keep_dropping(Arc::clone(server.ledger.store()), import));
        }
        return Err(error.into());
    }
    let done = stage_and_publish(server, campaign, &import, keyed, request).await;
    // Whoever asked must learn what went wrong first, not what went wrong because of it.
    if !matches!(&done, Ok(Published::Yes(_))) && !drop_import(server.ledger.store(), &import).await {
        tokio::spawn(keep_dropping(Arc::clone(server.ledger.store()), import));
    }
    match done? {
        Published::Yes(report) => Ok(reply::json(StatusCode::OK, &report)),
        Published::Earlier(reply) => Ok(reply),
    }
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

/// An import that is left open keeps all others of its campaign out, so a store that failed is asked again.
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

/// Whether an import became visible.
enum Published {
    Yes(Report),
    /// The same request was carried out before, and this is its reply.
    Earlier(Response),
}

async fn stage_and_publish(
    server: &Server,
    campaign: &Campaign,
    import: &ImportId,
    mut keyed: Keyed,
    request: Request,
) -> Result<Published, Problem> {
    let mut upload = Upload { server, campaign, import, report: Report::default(), batch: Vec::new() };
    let mut hash = Sha256::new();
    let mut roster = Roster::new(&server.phones, Limits::default()).requiring(variables_of(campaign));
    // Multipart fields borrow the form they came in, so each form of body has its own loop.
    if is_multipart(&request) {
        let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad_upload(error.body_text()))?;
        let mut found = false;
        while let Some(mut field) = in_time(form.next_field()).await?.map_err(|error| bad_upload(error.body_text()))? {
            if field.name() != Some("file") {
                continue;
            }
            found = true;
            while let Some(bytes) = in_time(field.chunk()).await?.map_err(|error| bad_upload(error.body_text()))? {
                upload.take(&mut roster, &mut hash, &bytes).await?;
            }
        }
        if !found {
            return Err(bad_upload("the form has no field `file`".to_owned()));
        }
    } else {
        let mut body: BoxStream<'_, Result<Bytes, axum::Error>> = limited(request.into_body());
        while let Some(bytes) = in_time(body.next()).await? {
            let bytes = bytes.map_err(|error| bad_upload(error.to_string()))?;
            upload.take(&mut roster, &mut hash, &bytes).await?;
        }
    }
    let last = roster.finish().map_err(refused)?;
    upload.rows(last).await?;
    upload.flush().await?;
    let report = upload.report;
    let body = serde_json::to_string(&report).unwrap_or_default();
    keyed.seal(&format!("POST /v1/campaigns/{}/gyms", campaign.id), &hash.finalize());
    let reply = keyed.claim(StatusCode::OK, body, server.ledger.now());
    gymcall_jobs::failpoint!("C2");
    match server.ledger.store().publish_import(import, reply, None).await {
        Ok(()) => {
            gymcall_jobs::failpoint!("C3");
            tracing::info!(campaign_id = %campaign.id, accepted = report.accepted, "campaign {}: gyms imported", campaign.id);
            Ok(Published::Yes(report))
        }
        Err(StoreError::KeyTaken(saved)) => Ok(Published::Earlier(keyed.taken(server, &saved).await)),
        Err(error) => Err(error.into()),
    }
}

/// A client that stops sending must not keep the campaign closed to all other imports.
async fn in_time<T>(piece: impl Future<Output = T>) -> Result<T, Problem> {
    let piece = tokio::time::timeout(PIECE_WITHIN, piece).await;
    piece.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "nothing of the upload came for 30 s: nothing was imported")
    })
}

fn is_multipart(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/"))
}

/// The body's bytes, with an error past the upload limit.
fn limited(body: Body) -> BoxStream<'static, Result<Bytes, axum::Error>> {
    let mut left = super::UPLOAD_LIMIT;
    body.into_data_stream()
        .map(move |bytes| {
            let bytes = bytes?;
            match left.checked_sub(bytes.len()) {
                Some(rest) => left = rest,
                None => return Err(axum::Error::new(std::io::Error::other("the file is too large"))),
            }
            Ok(bytes)
        })
        .boxed()
}

/// The columns that the campaign's questions and its message to a voicemail name.
pub(super) fn variables_of(campaign: &Campaign) -> Vec<String> {
    let message = campaign.policy.message().map(columns_in).unwrap_or_default();
    campaign.questions.iter().flat_map(|question| question.columns()).chain(message).collect()
}

fn bad_upload(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the upload broke off or cannot be read: {detail}"))
}

fn refused(error: RosterError) -> Problem {
    Problem::field("/file", "invalid", error.to_string())
}

struct Upload<'a> {
    server: &'a Server,
    campaign: &'a Campaign,
    import: &'a ImportId,
    report: Report,
    batch: Vec<Staging>,
}

/// A row that waits to be staged.
struct Staging {
    line: u64,
    job: CallJob,
    corrected: bool,
}

impl Upload<'_> {
    async fn take(&mut self, roster: &mut Roster, hash: &mut Sha256, bytes: &[u8]) -> Result<(), Problem> {
        hash.update(bytes);
        let rows = roster.push(bytes).map_err(refused)?;
        gymcall_jobs::failpoint!("C1");
        self.rows(rows).await
    }

    async fn rows(&mut self, rows: Vec<Row>) -> Result<(), Problem> {
        let now = self.server.ledger.now();
        for Row { line, result } in rows {
            match result {
                Err(BadRow { code, detail }) => self.bad(line, code, detail),
                Ok(accepted) => {
                    let membership = Membership { campaign: self.campaign.id.clone(), run: self.campaign.run.clone() };
                    let id = JobId::new(now, rand::random());
                    let job = CallJob::new(id, Some(membership), accepted.gym, now, now)
                        .keeping(self.campaign.policy.window.as_ref());
                    self.batch.push(Staging { line, job, corrected: accepted.corrected });
                    if self.batch.len() == BATCH {
                        self.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Problem> {
        let batch = std::mem::take(&mut self.batch);
        let rows: Vec<(u64, bool)> = batch.iter().map(|staging| (staging.line, staging.corrected)).collect();
        let jobs = batch.into_iter().map(|staging| staging.job).collect();
        let taken = self.server.ledger.store().stage(self.import, jobs).await?;
        for ((line, corrected), taken) in rows.into_iter().zip(taken) {
            if taken {
                self.report.accepted += 1;
                self.report.corrected += u64::from(corrected);
            } else {
                self.bad(line, RowCode::Duplicate, "the campaign has this number already".to_owned());
            }
        }
        Ok(())
    }

    fn bad(&mut self, line: u64, code: RowCode, detail: String) {
        match code {
            RowCode::Duplicate => self.report.duplicates += 1,
            _ => self.report.rejected += 1,
        }
        if self.report.rows.len() < MOST_ROWS {
            self.report.rows.push(ReportRow { line, code, detail });
        } else {
            self.report.rows_left_out += 1;
        }
    }
}
