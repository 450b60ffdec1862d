//! Runs: what is to begin, what has begun, and what is left of those that were replaced.

use redis::{cmd, pipe};

use super::keys;
use super::link::Link;
use super::record;
use crate::campaign::Campaign;
use crate::id::JobId;
use crate::job::Status;
use crate::run::Run;
use crate::store::kept::{code, cursor, decode, id, micros, page, page_size, timestamp};
use crate::store::{Fires, Page, StoreError, Stored, pass_over};

/// One run that has begun.
pub(super) async fn one(link: &Link, run: &str) -> Result<Option<Run>, StoreError> {
    let (record, ended): Kept = link.ask(cmd("HMGET").arg(keys::run(run)).arg(&FIELDS)).await?;
    record.map(|record| known(&record, ended)).transpose()
}

/// What of a run's fields is its record, and whether it has ended.
const FIELDS: [&str; 2] = ["record", "ended"];
type Kept = (Option<Vec<u8>>, Option<u8>);

/// A run as it stands: one that was opened again has no end, whatever its record says.
fn known(record: &[u8], ended: Option<u8>) -> Result<Run, StoreError> {
    let run: Run = decode(record)?;
    Ok(Run { ended_at: run.ended_at.filter(|_| ended == Some(1)), ..run })
}

/// The runs of a campaign, the latest first.
pub(super) async fn list(
    link: &Link,
    campaign: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Page<Run>, StoreError> {
    let before: Option<u64> = cursor(after)?;
    let before = before.map_or_else(|| "+inf".to_owned(), |before| format!("({before}"));
    let mut range = cmd("ZREVRANGEBYSCORE");
    range.arg(keys::begun(campaign)).arg(before).arg("-inf");
    read(link, range, page_size(limit)).await
}

/// Runs that have begun and not ended.
pub(super) async fn open(link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Run>, StoreError> {
    let after: u64 = cursor(after)?.unwrap_or(0);
    let mut range = cmd("ZRANGEBYSCORE");
    range.arg(keys::OPEN_RUNS).arg(format!("({after}")).arg("+inf");
    read(link, range, page_size(limit)).await
}

async fn read(link: &Link, mut range: redis::Cmd, size: u32) -> Result<Page<Run>, StoreError> {
    range.arg("WITHSCORES").arg("LIMIT").arg(0).arg(size + 1);
    let places: Vec<(String, u64)> = link.ask(&range).await?;
    if places.is_empty() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let mut get = pipe();
    for (run, _) in &places {
        get.hmget(keys::run(run), &FIELDS);
    }
    let values: Vec<Kept> = link.ask_all(&get).await?;
    let mut found = Vec::new();
    for ((run, place), (record, ended)) in places.into_iter().zip(values) {
        let Some(record) = record else { continue };
        found.push((place.to_string(), pass_over(run, known(&record, ended))?));
    }
    Ok(page(found, size))
}

/// Campaigns whose next run is due.
pub(super) async fn fires(link: &Link, limit: u32) -> Result<Fires, StoreError> {
    let now = micros(link.now());
    let mut ask = pipe();
    ask.cmd("ZRANGEBYSCORE").arg(keys::FIRES).arg("-inf").arg(now).arg("LIMIT").arg(0).arg(limit);
    ask.cmd("ZRANGEBYSCORE").arg(keys::FIRES).arg(format!("({now}")).arg("+inf");
    ask.arg("WITHSCORES").arg("LIMIT").arg(0).arg(1);
    let (due, next): (Vec<String>, Vec<(String, i64)>) = link.ask_all(&ask).await?;
    let campaigns = due.iter().map(|campaign| id(campaign)).collect::<Result<_, _>>()?;
    Ok(Fires { campaigns, again_at: next.first().map(|(_, at)| timestamp(*at)) })
}

/// Waiting jobs of runs that are not their campaign's present one: batches in which jobs wait are few.
pub(super) async fn superseded(link: &Link, limit: u32) -> Result<Vec<JobId>, StoreError> {
    let batches: Vec<u64> = link.ask(cmd("SMEMBERS").arg(keys::SOURCES)).await?;
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let mut owners = pipe();
    for batch in &batches {
        owners.hmget(keys::batch(batch), &["campaign", "run"]);
    }
    let owners: Vec<(Option<String>, Option<String>)> = link.ask_all(&owners).await?;
    let owned = batches.into_iter().zip(owners);
    let owned: Vec<_> = owned.filter_map(|(batch, (campaign, run))| Some((batch, campaign?, run?))).collect();
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = cmd("MGET");
    for (_, campaign, _) in &owned {
        get.arg(keys::campaign(campaign));
    }
    let campaigns: Vec<Option<Vec<u8>>> = link.ask(&get).await?;
    let mut jobs = Vec::new();
    for ((batch, _, run), value) in owned.into_iter().zip(campaigns) {
        let left = limit.saturating_sub(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
        let present = value.and_then(|value| record::campaign(&value).ok());
        if left == 0 || present.is_none_or(|Stored::<Campaign> { record, .. }| record.run.as_str() == run) {
            continue;
        }
        let mut range = cmd("ZRANGE");
        range.arg(keys::batch_list(batch, code(Status::Waiting))).arg(0).arg(i64::from(left) - 1);
        let waiting: Vec<String> = link.ask(&range).await?;
        for job in waiting {
            jobs.push(id(&job)?);
        }
    }
    Ok(jobs)
}
