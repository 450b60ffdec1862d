//! Many gyms called again at once: those that a person names, or all whose calls ended in some way.
//!
//! A redial is a new job with tries of its own: the cap on tries binds the machine, and a person has decided here.
//! Of each number the latest job of the present run counts, and it is redialled once: its redial's id follows from
//! its own, so that whoever asks twice, with or without a key and wherever, gets one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::JobId;
use gymcall_jobs::job::{CallJob, Membership, Status};
use gymcall_jobs::outcome::Disposition;
use gymcall_jobs::store::{JobQuery, StoreError, Write};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::idempotency::{Asked, Keyed};
use super::input;
use super::jobs::reply::End;
use super::page;
use utoipa::ToSchema;

/// How many jobs a reply names that were not redialled; `skipped_left_out` counts the others.
const MOST_SKIPPED: usize = 10_000;
/// How many redials are written at the same time: they share commits.
const AT_ONCE: usize = 64;

/// Which jobs are to be called again: `jobs`, or `status` and `disposition`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Redial)]
#[serde(deny_unknown_fields)]
pub(super) struct RedialRequest {
    /// These.
    jobs: Option<Vec<JobId>>,
    /// Or all that ended so.
    status: Option<Vec<Status>>,
    /// Or with this result; with `status`, both must hold.
    disposition: Option<Vec<Disposition>>,
}

/// The same, checked.
enum Chosen {
    These(HashSet<JobId>),
    All { status: Vec<Status>, disposition: Option<Vec<Disposition>> },
}

impl RedialRequest {
    fn check(self) -> Result<Chosen, Problem> {
        match (self.jobs, self.status, self.disposition) {
            (Some(jobs), None, None) => Ok(Chosen::These(jobs.into_iter().collect())),
            (Some(_), _, _) => Err(Problem::field("/jobs", "invalid", "name jobs, or status and disposition")),
            (None, None, None) => Err(Problem::field("", "missing", "name jobs, status or disposition")),
            (None, status, disposition) => {
                let open = status.iter().flatten().position(|status| !is_over(*status));
                if let Some(place) = open {
                    let detail = "only completed, failed, skipped and cancelled jobs can be redialled";
                    return Err(Problem::field(&format!("/status/{place}"), "invalid", detail));
                }
                let over = || Status::ALL.iter().copied().filter(|status| is_over(*status)).collect();
                Ok(Chosen::All { status: status.unwrap_or_else(over), disposition })
            }
        }
    }
}

/// Whether a job at this status is done with. One in quarantine is not: a person decides first.
fn is_over(status: Status) -> bool {
    status.is_final() && status != Status::Quarantined
}

impl Chosen {
    /// Whether this job is meant, wherever it stands.
    fn has(&self, job: &CallJob) -> bool {
        match self {
            Chosen::These(jobs) => jobs.contains(job.id()),
            Chosen::All { status, disposition } => {
                let of_job = End::of(job).disposition;
                let fits = |wanted: &Vec<Disposition>| of_job.is_some_and(|of_job| wanted.contains(&of_job));
                status.contains(&job.status()) && disposition.as_ref().is_none_or(fits)
            }
        }
    }
}

/// Why a job that was meant is not redialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NotRedialled)]
#[serde(rename_all = "snake_case")]
enum Why {
    /// Its number may not be called.
    Suppressed,
    /// It is not over, or its number is being called again already.
    Open,
    /// Its number was called again since: that job is the one to redial.
    Redialled,
    /// It is of an earlier run.
    Superseded,
}

/// A job that is not redialled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SkippedRedial)]
struct Skipped {
    /// The job.
    job: JobId,
    /// Why not.
    why: Why,
}

/// What came of a redial.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = RedialReport)]
pub(super) struct Report {
    /// How many new jobs there are.
    created: u64,
    /// Which jobs were meant and are not redialled.
    skipped: Vec<Skipped>,
    /// How many more of them there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped_left_out: Option<u64>,
}

impl Report {
    fn skip(&mut self, job: JobId, why: Why) {
        if self.skipped.len() < MOST_SKIPPED {
            self.skipped.push(Skipped { job, why });
        } else {
            *self.skipped_left_out.get_or_insert(0) += 1;
        }
    }
}

/// Calls many gyms again: those of named jobs, or all whose calls ended in some way.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/redial", request_body = RedialRequest,
    responses((status = 201, description = "What came of it", body = Report))
)]
pub(super) async fn many(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let campaign = campaigns::find_open(&server, &id).await?;
    let chosen = input::read::<RedialRequest>(&body)?.check()?;
    let work = Arc::clone(&server);
    server.see_through("a redial", async move { carry_out(&work, &campaign, &keyed, chosen).await }).await
}

async fn carry_out(server: &Server, campaign: &Campaign, keyed: &Keyed, chosen: Chosen) -> Result<Response, Problem> {
    let mut report = Report::default();
    let jobs = pick(server, campaign, &chosen, &mut report).await?;
    let mut redials = stream::iter(jobs).map(|job| redial(server, campaign, job)).buffered(AT_ONCE);
    while let Some(done) = redials.next().await {
        match done? {
            (_, None) => report.created += 1,
            (job, Some(why)) => report.skip(job, why),
        }
    }
    drop(redials);
    tracing::info!(campaign_id = %campaign.id, created = report.created, "campaign {}: gyms are redialled", campaign.id);
    keyed.commit(StatusCode::CREATED, &report, Write::default()).await
}

/// The jobs to be redialled, in the order of the list. One walk over the run, of which no more is kept than these.
async fn pick(
    server: &Server,
    campaign: &Campaign,
    chosen: &Chosen,
    report: &mut Report,
) -> Result<Vec<JobId>, Problem> {
    let store = server.ledger.store();
    // By number the latest job, if it is meant and over, and its place on the list.
    let mut picked: HashMap<u64, (usize, JobId)> = HashMap::new();
    // Of named jobs those that were not met.
    let mut missed = match chosen {
        Chosen::These(jobs) => jobs.clone(),
        Chosen::All { .. } => HashSet::new(),
    };
    let (mut place, mut cursor) = (0, None);
    loop {
        let (of, run) = (Some(campaign.id.clone()), Some(campaign.run.clone()));
        let page = store.jobs(JobQuery { campaign: of, run, status: None, cursor, limit: page::MOST }).await?;
        for job in page.items.iter().map(|stored| &stored.record) {
            place += 1;
            let number = job.gym().phone.digits();
            if let Some((_, earlier)) = picked.remove(&number) {
                report.skip(earlier, if is_over(job.status()) { Why::Redialled } else { Why::Open });
            }
            if !chosen.has(job) {
                continue;
            }
            missed.remove(job.id());
            if is_over(job.status()) {
                picked.insert(number, (place, job.id().clone()));
            } else {
                report.skip(job.id().clone(), Why::Open);
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    for id in missed {
        let found = store.job(&id).await?.and_then(|stored| stored.record.membership().cloned());
        if found.is_none_or(|membership| membership.campaign != campaign.id) {
            return Err(Problem::field("/jobs", "not_found", format!("{id} is no job of this campaign")));
        }
        report.skip(id, Why::Superseded);
    }
    let mut picked: Vec<(usize, JobId)> = picked.into_values().collect();
    picked.sort_unstable();
    Ok(picked.into_iter().map(|(_, id)| id).collect())
}

/// Makes the new job; or says why there is none.
async fn redial(server: &Server, campaign: &Campaign, id: JobId) -> Result<(JobId, Option<Why>), StoreError> {
    let store = server.ledger.store();
    let Some(old) = store.job(&id).await?.map(|stored| stored.record) else { return Ok((id, Some(Why::Superseded))) };
    if store.suppression(&old.gym().phone).await?.is_some() {
        return Ok((id, Some(Why::Suppressed)));
    }
    let new = again(&old, redial_of(&old), Some(campaign), server.ledger.now());
    match server.ledger.accept(new, None).await {
        Ok(_) => Ok((id, None)),
        // Somebody else was first.
        Err(StoreError::Conflict) => Ok((id, Some(Why::Redialled))),
        Err(error) => Err(error),
    }
}

/// A job that calls the gym of an old one again. One of a campaign is in the run that is at work now: nobody is dialled
/// in a run that is over. A test call stays one, and a single call has no campaign.
pub(super) fn again(old: &CallJob, id: JobId, campaign: Option<&Campaign>, now: Timestamp) -> CallJob {
    let new = |membership| CallJob::new(id, membership, old.gym().clone(), now, now);
    match (old.membership(), campaign) {
        (Some(_), Some(of)) => {
            let membership = Membership { campaign: of.id.clone(), run: of.run.clone() };
            new(Some(membership)).keeping(of.policy.window.as_ref())
        }
        (Some(membership), None) => new(Some(membership.clone())),
        (None, Some(tested)) => new(None).with_script_of(tested.id.clone()),
        (None, None) => new(None),
    }
}

/// The id of the job that redials this one: the same whoever asks for it.
fn redial_of(old: &CallJob) -> JobId {
    let digest = Sha256::new().chain_update("redial ").chain_update(old.id().as_str()).finalize();
    let chance = digest.iter().take(10).fold(0, |chance: u128, byte| (chance << 8) | u128::from(*byte));
    JobId::new(old.created_at(), chance)
}
