//! Records and lists of them. A job's cursor is its place in the order of acceptance, which no write ever changes.

use std::collections::HashMap;
use std::sync::PoisonError;

use jiff::SignedDuration;
use redis::{cmd, pipe};

use super::keys;
use super::link::Link;
use super::record::{self, JobValue};
use crate::campaign::{Campaign, Counts};
use crate::job::{CallJob, Status};
use crate::store::kept::{code, cursor, decode, micros, page, page_size, status};
use crate::store::{Entry, JobQuery, Page, SavedReply, StoreError, Stored, pass_over};
use crate::tally::Tally;

/// The list of a batch that live jobs share.
const LIVE: &str = "live";
/// How long a reply is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// One job. Those of imports that are not published do not exist.
pub(super) async fn one(link: &Link, id: &str) -> Result<Option<Stored<CallJob>>, StoreError> {
    let value: Option<Vec<u8>> = link.ask(cmd("GET").arg(keys::job(id))).await?;
    let Some(value) = value else { return Ok(None) };
    let JobValue { batch, stored } = JobValue::read(&value)?;
    Ok(is_visible(link, batch).await?.then_some(stored))
}

async fn is_visible(link: &Link, batch: u64) -> Result<bool, StoreError> {
    if batch == 0 || link.visible().read().unwrap_or_else(PoisonError::into_inner).contains(&batch) {
        return Ok(true);
    }
    let visible: bool = link.ask(cmd("SISMEMBER").arg(keys::VISIBLE).arg(batch)).await?;
    if visible {
        link.visible().write().unwrap_or_else(PoisonError::into_inner).insert(batch);
    }
    Ok(visible)
}

/// Jobs in the order they were accepted: the lists of each visible batch, merged.
pub(super) async fn jobs(link: &Link, query: &JobQuery) -> Result<Page<Stored<CallJob>>, StoreError> {
    let after = cursor(query.cursor.as_deref())?.unwrap_or(0);
    let size = page_size(query.limit);
    let batches = batches(link, query).await?;
    match query.status {
        // Live jobs share a list, which is as long as there are lines.
        Some(status) if status.is_live() => {
            let places = places(link, &batches, &[LIVE.to_owned()], after, None).await?;
            let mut found = read(link, places).await?;
            found.retain(|(_, stored)| stored.as_ref().is_none_or(|stored| stored.record.status() == status));
            Ok(page(found, size))
        }
        Some(status) => {
            let places = places(link, &batches, &[code(status).to_string()], after, Some(size + 1)).await?;
            Ok(page(read(link, places).await?, size))
        }
        None => {
            let still = Status::ALL.iter().filter(|status| !status.is_live()).map(|status| code(*status).to_string());
            let lists: Vec<String> = still.chain([LIVE.to_owned()]).collect();
            let places = places(link, &batches, &lists, after, Some(size + 1)).await?;
            Ok(page(read(link, places).await?, size))
        }
    }
}

/// The places of jobs in these lists of these batches, in order.
async fn places(
    link: &Link,
    batches: &[u64],
    lists: &[String],
    after: u64,
    at_most: Option<u32>,
) -> Result<Vec<(u64, String)>, StoreError> {
    // Together, so that a job which moves meanwhile is in exactly one of them.
    let mut ranges = pipe();
    ranges.atomic();
    for batch in batches {
        for list in lists {
            ranges.cmd("ZRANGEBYSCORE").arg(keys::batch_list(*batch, list)).arg(format!("({after}"));
            ranges.arg("+inf").arg("WITHSCORES");
            if let Some(at_most) = at_most {
                ranges.arg("LIMIT").arg(0).arg(at_most);
            }
        }
    }
    let found: Vec<Vec<(String, u64)>> = if batches.is_empty() { Vec::new() } else { link.ask_all(&ranges).await? };
    let mut places: Vec<(u64, String)> = found.into_iter().flatten().map(|(id, seq)| (seq, id)).collect();
    places.sort_unstable();
    // Each list gave as many as fit: so many of all of them are the first.
    places.truncate(at_most.map_or(usize::MAX, |at_most| usize::try_from(at_most).unwrap_or(usize::MAX)));
    Ok(places)
}

/// The batches that a query is about.
async fn batches(link: &Link, query: &JobQuery) -> Result<Vec<u64>, StoreError> {
    let runs: Vec<String> = match (&query.campaign, &query.run) {
        (None, None) => {
            let mut batches: Vec<u64> = link.ask(cmd("SMEMBERS").arg(keys::VISIBLE)).await?;
            // The single calls.
            batches.push(0);
            return Ok(batches);
        }
        (None, Some(run)) => vec![run.to_string()],
        (Some(campaign), None) => link.ask(cmd("SMEMBERS").arg(keys::runs(campaign))).await?,
        (Some(campaign), Some(run)) => {
            let owner: Option<String> = link.ask(cmd("HGET").arg(keys::run(run)).arg("campaign")).await?;
            owner.filter(|owner| owner == campaign.as_str()).map(|_| run.to_string()).into_iter().collect()
        }
    };
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut shown = pipe();
    for run in &runs {
        shown.zrange(keys::shown(run), 0, -1);
    }
    let shown: Vec<Vec<u64>> = link.ask_all(&shown).await?;
    Ok(shown.into_iter().flatten().collect())
}

/// These jobs, each with its cursor.
async fn read(link: &Link, places: Vec<(u64, String)>) -> Result<Vec<(String, Option<Stored<CallJob>>)>, StoreError> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = cmd("MGET");
    for (_, id) in &places {
        get.arg(keys::job(id));
    }
    let values: Vec<Option<Vec<u8>>> = link.ask(&get).await?;
    let mut found = Vec::new();
    for ((seq, id), value) in places.into_iter().zip(values) {
        let job = value.map(|value| pass_over(&id, JobValue::read(&value).map(|value| value.stored))).transpose()?;
        found.push((seq.to_string(), job.flatten()));
    }
    Ok(found)
}

/// Jobs that are neither waiting nor final nor quarantined.
pub(super) async fn open_jobs(
    link: &Link,
    after: Option<&str>,
    limit: u32,
) -> Result<Page<Stored<CallJob>>, StoreError> {
    let after = cursor(after)?.unwrap_or(0);
    let size = page_size(limit);
    let mut range = cmd("ZRANGEBYSCORE");
    range.arg(keys::OPEN).arg(format!("({after}")).arg("+inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(size + 1);
    let open: Vec<(String, u64)> = link.ask(&range).await?;
    Ok(page(read(link, open.into_iter().map(|(id, seq)| (seq, id)).collect()).await?, size))
}

/// The history of a job.
pub(super) async fn entries(link: &Link, job: &str, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let (first, last) = (i64::try_from(after).unwrap_or(i64::MAX), i64::from(limit) - 1);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let last = first.saturating_add(last);
    let values: Vec<Vec<u8>> = link.ask(cmd("LRANGE").arg(keys::log(job)).arg(first).arg(last)).await?;
    let numbered = values.iter().zip(after.saturating_add(1)..);
    numbered.map(|(value, number)| Ok(Entry { number, entry: decode(value)? })).collect()
}

/// One campaign.
pub(super) async fn campaign(link: &Link, id: &str) -> Result<Option<Stored<Campaign>>, StoreError> {
    let value: Option<Vec<u8>> = link.ask(cmd("GET").arg(keys::campaign(id))).await?;
    value.map(|value| record::campaign(&value)).transpose()
}

/// Campaigns, the newest first.
pub(super) async fn campaigns(
    link: &Link,
    after: Option<&str>,
    limit: u32,
) -> Result<Page<Stored<Campaign>>, StoreError> {
    let before: Option<u64> = cursor(after)?;
    let before = before.map_or_else(|| "+inf".to_owned(), |before| format!("({before}"));
    let size = page_size(limit);
    let mut range = cmd("ZREVRANGEBYSCORE");
    range.arg(keys::CAMPAIGNS).arg(before).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(size + 1);
    let places: Vec<(String, u64)> = link.ask(&range).await?;
    if places.is_empty() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let mut get = cmd("MGET");
    for (id, _) in &places {
        get.arg(keys::campaign(id));
    }
    let values: Vec<Option<Vec<u8>>> = link.ask(&get).await?;
    let mut found = Vec::new();
    for ((id, seq), value) in places.into_iter().zip(values) {
        let Some(value) = value else { continue };
        found.push((seq.to_string(), pass_over(id, record::campaign(&value))?));
    }
    Ok(page(found, size))
}

/// How many jobs of a run stand where, and their tally.
pub(super) async fn counts(link: &Link, run: &str) -> Result<Counts, StoreError> {
    let counts: HashMap<String, i64> = link.ask(cmd("HGETALL").arg(keys::counts(run))).await?;
    let tally = Tally::default().parts().map(|(name, _)| counts.get(name).copied().unwrap_or(0));
    let mut pairs = Vec::new();
    for (number, n) in counts.iter().filter_map(|(name, n)| Some((name.parse().ok()?, *n))) {
        let status = status(number).ok_or_else(|| StoreError::Corrupt(format!("status {number}")))?;
        pairs.push((status, u64::try_from(n).unwrap_or(0)));
    }
    Ok(Counts::from_pairs(pairs).with_tally(Tally::from_parts(tally)))
}

/// The reply kept for an idempotency key, unless it is too old.
pub(super) async fn saved_reply(link: &Link, key: &str) -> Result<Option<SavedReply>, StoreError> {
    let value: Option<Vec<u8>> = link.ask(cmd("GET").arg(keys::reply(key))).await?;
    let Some(value) = value else { return Ok(None) };
    let (at, reply) = record::reply(&value)?;
    let too_old = micros(link.now().saturating_sub(KEPT).unwrap_or(jiff::Timestamp::MIN));
    Ok((at > too_old).then_some(reply))
}
