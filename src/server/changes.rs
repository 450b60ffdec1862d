//! What changed since the last run, per gym and answer.
//!
//! A gym is known again by its number. What it told in the run that is asked about is compared with the last time
//! it gave that answer, in one of the [`LOOK_BACK`] runs before. The last run alone would not do: a gym that was not
//! reached last night would be news tonight, with the answer that everybody knows.

mod compare;

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::stream;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::{JobId, RunId};
use gymcall_jobs::job::Status;
use gymcall_jobs::store::{JobQuery, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use self::compare::{Changed, Digits, Heard, Word, compare};
use super::error::Problem;
use super::jobs::reply::ValueReply;
use super::query::Query;
use super::reply::List;
use super::run::{self, RunQuery};
use super::sheet::{self, Sheet};
use super::{Server, campaigns, page, reply};

/// How many earlier runs are asked for an answer that was given now.
const LOOK_BACK: usize = 7;
/// Of so many gyms what they told is compared in one go; it takes about a kB each. Of a larger list a part comes
/// after the other, and the records are read once for each.
const PART: u64 = 50_000;
/// More parts than any list has.
const MOST_PARTS: u64 = 10_000;

/// The columns of the table.
const COLUMNS: [&str; 9] =
    ["phone_number", "gym_name", "external_id", "key", "change", "before", "after", "job_id", "before_run_id"];

/// An answer that is not what it was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub(super) struct ChangeReply<'a> {
    /// The gym's number.
    phone_number: String,
    /// Its name.
    gym_name: &'a str,
    /// What it is called in the list's own system.
    external_id: Option<&'a str>,
    /// The question's key.
    key: &'a str,
    /// `new`, `changed`, or `gone`: the run before had the gym on its list, and this one has not.
    change: &'static str,
    /// What it told last; null if it is new. Of a gym that is gone, what it told in the run before.
    before: Option<ValueReply<'a>>,
    /// What it told now; null if it is gone.
    after: Option<ValueReply<'a>>,
    /// The job in which it told that.
    job_id: Option<&'a JobId>,
    /// The run in which it told what it told before.
    before_run_id: Option<&'a RunId>,
}

/// Lists what changed since the last time that each answer was given, per gym and answer.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/changes", params(RunQuery),
    responses((status = 200, description = "Some of it", body = List<ChangeReply<'_>>))
)]
pub(super) async fn json(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<RunQuery>,
) -> Result<Response, Problem> {
    let limit = usize::try_from(query.limit.or_usual()).unwrap_or(usize::MAX);
    let place = query.cursor.as_deref().map(str::parse::<Place>).transpose()?;
    let comparison = Comparison::begin(server, &id, query.run, place.map(|place| place.parts)).await?;
    let (mut nth, mut after) = place.map_or((0, None), |place| (place.nth, Some(place.after)));
    let mut found: Vec<(u64, Changed)> = Vec::new();
    while nth < comparison.parts && found.len() <= limit {
        // Whoever begins asks how things are now; whoever goes on, for more of the same.
        let part = comparison.remembered(nth, after.is_some()).await?;
        let begin = part.partition_point(|change| after.is_some_and(|after| change.place() <= after));
        let room = limit + 1 - found.len();
        found.extend(part[begin..].iter().take(room).map(|change| (nth, change.clone())));
        (nth, after) = (nth + 1, None);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(nth, change)| {
        let place = Place { parts: comparison.parts, nth: *nth, after: change.place() };
        place.to_string()
    });
    let items: Vec<ChangeReply<'_>> = found.iter().map(|(_, change)| comparison.json(change)).collect();
    Ok(reply::page(items, next))
}

/// Where a page ends: in which part of how many, and after which change of it.
#[derive(Debug, Clone, Copy)]
struct Place {
    parts: u64,
    nth: u64,
    after: (Digits, usize),
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Place { parts, nth, after: (digits, question) } = self;
        write!(f, "{parts}-{nth}-{digits}-{question}")
    }
}

impl FromStr for Place {
    type Err = StoreError;

    fn from_str(cursor: &str) -> Result<Self, StoreError> {
        let mut numbers = cursor.split('-').map(|number| number.parse::<u64>().map_err(|_| StoreError::BadCursor));
        let mut next = || numbers.next().unwrap_or(Err(StoreError::BadCursor));
        let (parts, nth, digits, question) = (next()?, next()?, next()?, next()?);
        match (usize::try_from(question), numbers.next()) {
            // Parts that nobody made would only be read for nothing.
            (Ok(question), None) if nth < parts && parts <= MOST_PARTS => {
                Ok(Self { parts, nth, after: (digits, question) })
            }
            _ => Err(StoreError::BadCursor),
        }
    }
}

/// Gives all changes as one table.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/changes.csv", params(RunQuery),
    responses((status = 200, description = "The table", body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(query): Query<RunQuery>,
) -> Result<Response, Problem> {
    let comparison = Comparison::begin(server, &id, query.run, None).await?;
    let pieces = stream::try_unfold((comparison, None), async |(comparison, part): (Comparison, Option<u64>)| {
        let mut sheet = Sheet::new();
        match part {
            None => sheet.row(COLUMNS)?,
            Some(nth) if nth == comparison.parts => return Ok(None),
            Some(nth) => {
                for change in comparison.part(nth).await.map_err(std::io::Error::other)? {
                    sheet.row(comparison.row(&change))?;
                }
            }
        }
        let next = part.map_or(0, |nth| nth + 1);
        Ok::<_, std::io::Error>(Some((sheet.into_bytes()?, (comparison, Some(next)))))
    });
    Ok(sheet::download("changes.csv", pieces))
}

/// What was worked out last: one part of one run, for the pages that follow.
#[derive(Debug)]
pub(super) struct Compared {
    /// The run, its parts, and which of them it is.
    of: (RunId, u64, u64),
    changes: Arc<Vec<Changed>>,
}

/// Two runs that are to be compared, and those before them.
struct Comparison {
    server: Arc<Server>,
    campaign: Campaign,
    run: RunId,
    /// The latest first.
    earlier: Vec<RunId>,
    parts: u64,
}

impl Comparison {
    /// `parts` are as many as it was begun with, if it was begun before: its gyms are in the same ones.
    async fn begin(server: Arc<Server>, id: &str, run: Option<RunId>, parts: Option<u64>) -> Result<Self, Problem> {
        let campaign = campaigns::find(&server, id).await?;
        let run = run::find(&server, &campaign, run).await?;
        let earlier = run::before(&server, &campaign, &run, LOOK_BACK).await?;
        let parts = match parts {
            Some(parts) => parts,
            None => {
                let mut told = 0;
                for run in earlier.iter().take(1).chain([&run]) {
                    told = told.max(server.ledger.store().counts(run).await?.of(Status::Completed));
                }
                told.div_ceil(PART).max(1)
            }
        };
        Ok(Self { server, campaign, run, earlier, parts })
    }

    /// What changed for the gyms of one part, in order; if that may be a little old, as it was worked out for the page
    /// before.
    ///
    /// No keeper finds a run's job by its number, so one page would cost as much as a whole part.
    async fn remembered(&self, nth: u64, old_will_do: bool) -> Result<Arc<Vec<Changed>>, StoreError> {
        // Whoever asks at the same time waits, so that the memory of one comparison is enough.
        let mut last = self.server.compared.lock().await;
        let of = (self.run.clone(), self.parts, nth);
        match &*last {
            Some(known) if old_will_do && known.of == of => Ok(Arc::clone(&known.changes)),
            _ => {
                *last = None;
                let changes = Arc::new(self.compare(nth).await?);
                *last = Some(Compared { of, changes: Arc::clone(&changes) });
                Ok(changes)
            }
        }
    }

    /// The same, worked out now and not kept.
    async fn part(&self, nth: u64) -> Result<Vec<Changed>, StoreError> {
        let mut last = self.server.compared.lock().await;
        *last = None;
        self.compare(nth).await
    }

    async fn compare(&self, nth: u64) -> Result<Vec<Changed>, StoreError> {
        let here = |digits: Digits| digits % self.parts == nth;
        let now = self.read(&self.run, None, here).await?;
        let mut before = Heard::default();
        let mut gone = HashSet::new();
        for (back, run) in self.earlier.iter().enumerate() {
            if back == 0 {
                before = self.read(run, None, here).await?;
                gone = before.roster.difference(&now.roster).copied().collect();
                before.gyms.retain(|digits, _| now.gyms.contains_key(digits) || gone.contains(digits));
            } else {
                let wanted = |digits: Digits| here(digits) && now.gyms.contains_key(&digits);
                before.fill_up(self.read(run, Some(Status::Completed), wanted).await?);
            }
            if before.has_all_of(&now) {
                break;
            }
        }
        Ok(compare(now, before, &gone))
    }

    async fn read(
        &self,
        run: &RunId,
        status: Option<Status>,
        wanted: impl Fn(Digits) -> bool,
    ) -> Result<Heard, StoreError> {
        let (mut heard, mut cursor) = (Heard::default(), None);
        loop {
            let campaign = Some(self.campaign.id.clone());
            let query = JobQuery { campaign, run: Some(run.clone()), status, cursor, limit: page::MOST };
            let page = self.server.ledger.store().jobs(query).await?;
            for stored in page.items {
                if wanted(stored.record.gym().phone.digits()) {
                    heard.take(&stored.record, run, &self.campaign.questions);
                }
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(heard),
            }
        }
    }

    fn key(&self, change: &Changed) -> &str {
        self.campaign.questions.get(change.place).map_or("", |question| question.key.as_str())
    }

    fn json<'a>(&'a self, change: &'a Changed) -> ChangeReply<'a> {
        let value = |word: &'a Option<Word>| word.as_ref().map(|word| ValueReply::of(&word.value));
        ChangeReply {
            phone_number: format!("+{}", change.digits),
            gym_name: &change.name,
            external_id: change.external_id.as_deref(),
            key: self.key(change),
            change: change.word(),
            before: value(&change.before),
            after: value(&change.after),
            job_id: change.after.as_ref().map(|word| &word.job),
            before_run_id: change.before.as_ref().map(|word| &word.run),
        }
    }

    fn row(&self, change: &Changed) -> [String; COLUMNS.len()] {
        let cell = |word: &Option<Word>| word.as_ref().map(|word| word.value.to_cell()).unwrap_or_default();
        [
            format!("+{}", change.digits),
            change.name.clone(),
            change.external_id.clone().unwrap_or_default(),
            self.key(change).to_owned(),
            change.word().to_owned(),
            cell(&change.before),
            cell(&change.after),
            change.after.as_ref().map(|word| word.job.to_string()).unwrap_or_default(),
            change.before.as_ref().map(|word| word.run.to_string()).unwrap_or_default(),
        ]
    }
}
