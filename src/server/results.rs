//! Results of a run: one row for every accepted gym, before any call too, and one more for each redial.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::stream;
use gymcall_jobs::answer::AnswerValue;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::RunId;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::question::Question;
use gymcall_jobs::store::{JobQuery, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::jobs::reply::{AnswerReply, End, JobFacts, ValueReply, answers_of};
use super::page;
use super::query::Query;
use super::reply::{self, List};
use super::run::{self, RunQuery};
use super::sheet::{self, Sheet};

/// The columns before the answers.
const COLUMNS: [&str; 17] = [
    "id",
    "campaign_id",
    "run_id",
    "external_id",
    "phone_number",
    "gym_name",
    "status",
    "outcome",
    "disposition",
    "answered_by",
    "ended_reason",
    "skip_reason",
    "tries",
    "twilio_call_sid",
    "duration_s",
    "cost",
    "updated_at",
];

/// The query of the table.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SheetQuery {
    /// The run; without one, the campaign's present run.
    run: Option<RunId>,
    /// Whether each answer's words have a column, too.
    #[serde(default)]
    quotes: bool,
}

fn query_of(campaign: &Campaign, run: &RunId, cursor: Option<String>, limit: u32) -> JobQuery {
    JobQuery { campaign: Some(campaign.id.clone()), run: Some(run.clone()), status: None, cursor, limit }
}

/// What came of one gym.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobResult)]
pub(super) struct ResultReply<'a> {
    #[serde(flatten)]
    facts: JobFacts<'a>,
    /// What was answered, by the key of the question.
    answers: BTreeMap<&'a str, ValueReply<'a>>,
    /// The same with the words that back each answer up.
    evidence: Vec<AnswerReply<'a>>,
}

impl<'a> ResultReply<'a> {
    fn of(job: &'a CallJob, questions: &'a [Question]) -> Self {
        let evidence = answers_of(job, questions);
        let answers = evidence.iter().map(|answer| (answer.key, answer.value)).collect();
        Self { facts: JobFacts::of(job), answers, evidence }
    }
}

/// Lists what came of each accepted gym of a run, before any call too; one more for each redial.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/results", params(RunQuery),
    responses((status = 200, description = "Some of it", body = List<ResultReply<'_>>))
)]
pub(super) async fn json(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<RunQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let run = run::find(&server, &campaign, query.run).await?;
    let query = query_of(&campaign, &run, query.cursor, query.limit.or_usual());
    let page = server.ledger.store().jobs(query).await?;
    let items: Vec<_> = page.items.iter().map(|stored| ResultReply::of(&stored.record, &campaign.questions)).collect();
    Ok(reply::page(items, page.next))
}

/// Gives all results as one table, with a column for each question. No cell starts a formula.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/results.csv", params(SheetQuery),
    responses((status = 200, description = "The table", body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<SheetQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let run = run::find(&server, &campaign, query.run).await?;
    let store = Arc::clone(server.ledger.store());
    let start = Export { store, campaign, run, quotes: query.quotes, part: Part::Header };
    Ok(sheet::download("results.csv", stream::try_unfold(start, async |export| export.next().await)))
}

struct Export {
    store: Arc<dyn Store>,
    campaign: Campaign,
    run: RunId,
    quotes: bool,
    part: Part,
}

enum Part {
    Header,
    From(Option<String>),
    End,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        let questions = &self.campaign.questions;
        let mut sheet = Sheet::new();
        match self.part {
            Part::Header => {
                let keys = questions.iter().map(|question| question.key.as_str());
                let quotes = questions.iter().filter(|_| self.quotes).map(|question| format!("{}_quote", question.key));
                let header = COLUMNS.into_iter().chain(keys).map(str::to_owned).chain(quotes);
                sheet.row(header)?;
                self.part = Part::From(None);
            }
            Part::From(cursor) => {
                let query = query_of(&self.campaign, &self.run, cursor, page::MOST);
                let page = self.store.jobs(query).await.map_err(std::io::Error::other)?;
                for stored in &page.items {
                    sheet.row(row(&stored.record, questions, self.quotes))?;
                }
                self.part = page.next.map_or(Part::End, |next| Part::From(Some(next)));
            }
            Part::End => return Ok(None),
        }
        Ok(Some((sheet.into_bytes()?, self)))
    }
}

fn row(job: &CallJob, questions: &[Question], quotes: bool) -> Vec<String> {
    let end = End::of(job);
    let gym = job.gym();
    let last = job.attempts().last();
    let word = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
    let mut cells = vec![
        job.id().to_string(),
        job.membership().map(|m| m.campaign.to_string()).unwrap_or_default(),
        job.membership().map(|m| m.run.to_string()).unwrap_or_default(),
        gym.external_id.clone().unwrap_or_default(),
        gym.phone.as_str().to_owned(),
        gym.name.clone(),
        job.status().to_string(),
        word(end.outcome.map(|value| value.as_str())),
        word(end.disposition.map(|value| value.as_str())),
        word(end.answered_by.map(|value| value.as_str())),
        word(end.ended_reason.map(|value| value.as_str())),
        word(end.skip_reason.map(|value| value.as_str())),
        job.tries().to_string(),
        last.and_then(|attempt| attempt.call.as_ref()).map(ToString::to_string).unwrap_or_default(),
        last.and_then(|attempt| attempt.duration_s).map(|seconds| seconds.to_string()).unwrap_or_default(),
        last.and_then(|attempt| attempt.cost()).unwrap_or_default().to_owned(),
        job.updated_at().to_string(),
    ];
    let answer_to = |question: &Question| job.answers().iter().find(|answer| answer.key == question.key);
    let missing = || job.outcome().map(|_| AnswerValue::NotAsked.to_cell()).unwrap_or_default();
    cells.extend(
        questions.iter().map(|question| answer_to(question).map_or_else(missing, |answer| answer.value.to_cell())),
    );
    let said =
        questions.iter().filter(|_| quotes).map(|question| answer_to(question).map(|answer| answer.quote.clone()));
    cells.extend(said.map(Option::unwrap_or_default));
    cells
}
