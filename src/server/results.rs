//! Results: one row for every accepted gym, before any call too, and one more for each redial.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::question::Question;
use gymcall_jobs::store::{JobQuery, Store};
use serde_json::{Map, Value, json};

use super::Server;
use super::campaigns;
use super::error::Problem;
use super::job_json::{Ending, answers_of, job_json};
use super::page::{self, ListQuery};
use super::reply;

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

fn query_of(campaign: &Campaign, cursor: Option<String>, limit: u32) -> JobQuery {
    JobQuery { campaign: Some(campaign.id.clone()), run: Some(campaign.run.clone()), status: None, cursor, limit }
}

/// `GET /v1/campaigns/{id}/results`
pub(super) async fn json(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let query = query_of(&campaign, query.cursor, query.limit.or_usual());
    let page = server.ledger.store().jobs(query).await?;
    let items: Vec<Value> = page
        .items
        .iter()
        .map(|stored| {
            let job = &stored.record;
            let answers: Map<String, Value> = answers_of(job, &campaign.questions)
                .iter()
                .map(|answer| (answer.key.clone(), answer.value.to_json()))
                .collect();
            let mut item = job_json(job, &campaign.questions);
            item["evidence"] = item["answers"].take();
            item["answers"] = json!(answers);
            item
        })
        .collect();
    Ok(reply::page(&items, page.next))
}

/// `GET /v1/campaigns/{id}/results.csv`: all of it, streamed page by page.
pub(super) async fn csv(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let store = Arc::clone(server.ledger.store());
    let start = Export { store, campaign, part: Part::Header };
    let pages = stream::try_unfold(start, async |export| export.next().await);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"results.csv\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

struct Export {
    store: Arc<dyn Store>,
    campaign: Campaign,
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
        let mut sheet = csv::Writer::from_writer(Vec::new());
        match self.part {
            Part::Header => {
                let keys = questions.iter().map(|question| question.key.as_str());
                sheet.write_record(COLUMNS.into_iter().chain(keys))?;
                self.part = Part::From(None);
            }
            Part::From(cursor) => {
                let query = query_of(&self.campaign, cursor, page::MOST);
                let page = self.store.jobs(query).await.map_err(std::io::Error::other)?;
                for stored in &page.items {
                    sheet.write_record(row(&stored.record, questions).iter().map(|cell| safe(cell)))?;
                }
                self.part = page.next.map_or(Part::End, |next| Part::From(Some(next)));
            }
            Part::End => return Ok(None),
        }
        let bytes = sheet.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Some((bytes.into(), self)))
    }
}

fn row(job: &CallJob, questions: &[Question]) -> Vec<String> {
    let ending = Ending::of(job);
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
        word(ending.outcome),
        word(ending.disposition.map(|value| value.as_str())),
        word(ending.answered_by.map(|value| value.as_str())),
        word(ending.ended_reason.map(|value| value.as_str())),
        word(ending.skip_reason.map(|value| value.as_str())),
        job.tries().to_string(),
        last.and_then(|attempt| attempt.call.as_ref()).map(ToString::to_string).unwrap_or_default(),
        last.and_then(|attempt| attempt.duration_s).map(|seconds| seconds.to_string()).unwrap_or_default(),
        last.and_then(|attempt| attempt.cost()).unwrap_or_default().to_owned(),
        job.updated_at().to_string(),
    ];
    let answers = answers_of(job, questions);
    for question in questions {
        let answer = answers.iter().find(|answer| answer.key == question.key);
        cells.push(answer.map(|answer| answer.value.to_cell()).unwrap_or_default());
    }
    cells
}

/// A cell that no spreadsheet takes for a formula: those that could be get a `'` in front.
fn safe(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}
