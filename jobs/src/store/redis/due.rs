//! What may be dialled now, and what the sweep must look at.
//!
//! The answers are hints, so they are put together from several reads: whether a dial may begin is
//! decided by the gate.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use redis::{Pipeline, cmd, pipe};

use super::keys;
use super::link::Link;
use super::record::{self, JobValue};
use crate::campaign::{Campaign, CampaignState};
use crate::id::JobId;
use crate::retry::later;
use crate::store::kept::{id, micros, timestamp};
use crate::store::pace::{Grant, Meter};
use crate::store::{Capacity, DueNow, Overdue, StoreError, Stored};

/// When jobs that were handed out are looked at again, should nobody begin them.
const HANDED_OUT: SignedDuration = SignedDuration::from_secs(1);

/// A batch with waiting jobs that may be dialled as far as people have decided.
struct Source {
    batch: u64,
    campaign: Option<String>,
    run: Option<String>,
}

/// How many more calls can begin at this moment, and if none, when one can.
#[derive(Debug, Clone, Copy)]
struct Room {
    calls: usize,
    not_before: i64,
}

/// What is read to know a room: lines in use, the first line to come free, the last grant, the first in the log.
type Taken = (u64, Vec<(String, i64)>, Option<String>, Option<String>);

fn ask_room(pipe: &mut Pipeline, campaign: Option<&str>, meter: Option<Meter>, now: i64) {
    let lines = campaign.map_or_else(|| keys::LINES.to_owned(), keys::lines_of);
    let pace = keys::pace(campaign.unwrap_or(keys::ACCOUNT));
    pipe.cmd("ZCOUNT").arg(&lines).arg(format!("({now}")).arg("+inf");
    pipe.cmd("ZRANGEBYSCORE").arg(&lines).arg(format!("({now}")).arg("+inf").arg("WITHSCORES");
    pipe.arg("LIMIT").arg(0).arg(1);
    pipe.cmd("LINDEX").arg(&pace).arg(0);
    pipe.cmd("LINDEX").arg(&pace).arg(meter.map_or(0, |meter| meter.log - 1));
}

impl Room {
    fn new(taken: &Taken, meter: Option<Meter>, lines: Option<u32>, now: i64) -> Self {
        let (in_use, first_to_end, last, first) = taken;
        let mut room = Self { calls: usize::MAX, not_before: i64::MIN };
        if let Some(meter) = meter {
            let first = first.as_deref().and_then(grant).map(|grant| grant.at);
            let next = meter.next(last.as_deref().and_then(grant), first, now);
            room = Self { calls: next.available(now), not_before: next.at };
        }
        if let Some(lines) = lines {
            let free = u64::from(lines).saturating_sub(*in_use);
            room.calls = room.calls.min(usize::try_from(free).unwrap_or(usize::MAX));
            if free == 0 {
                // A freed line is news. One that comes free because nobody ever told of its
                // call's end is not: somebody has to look.
                let ends = first_to_end.first().map_or(i64::MAX, |(_, ends)| *ends);
                room.not_before = room.not_before.max(ends);
            }
        }
        room
    }

    fn within(self, other: Room) -> Room {
        Room { calls: self.calls.min(other.calls), not_before: self.not_before.max(other.not_before) }
    }
}

fn grant(text: &str) -> Option<Grant> {
    let (at, slot) = text.split_once(':')?;
    Some(Grant { at: at.parse().ok()?, slot: slot.parse().ok()? })
}

/// Jobs that may be dialled now.
pub(super) async fn due(link: &Link, capacity: Capacity, limit: u32) -> Result<DueNow, StoreError> {
    let now = micros(link.now());
    let meter = Meter::new(capacity.calls_per_second);
    let mut first = pipe();
    ask_room(&mut first, None, meter, now);
    first.smembers(keys::SOURCES);
    let (in_use, ends, last, log, batches): (_, _, _, _, Vec<u64>) = link.ask_all(&first).await?;
    let account = Room::new(&(in_use, ends, last, log), meter, Some(capacity.lines), now);
    let wanted = account.calls.min(usize::try_from(limit).unwrap_or(usize::MAX));
    if batches.is_empty() {
        return Ok(DueNow::default());
    }
    let sources = sources(link, batches).await?;
    let (mut rooms, present) = rooms(link, &sources, now).await?;
    let mut again: Option<i64> = None;
    let mut look_at = |at: i64| again = Some(again.map_or(at, |known| known.min(at)));
    let mut found: Vec<(bool, i64, String, Option<&str>)> = Vec::new();
    for source in &sources {
        let own = source.campaign.as_ref().map(|campaign| rooms.get(campaign));
        // Not running: nothing of it is due, whatever its jobs say.
        let Some(own) = own.map_or(Some(None), |room| room.map(Some)) else { continue };
        if source.run.as_ref().is_some_and(|run| !present.contains(run)) {
            continue;
        }
        let account = Room { calls: wanted, ..account };
        let room = own.map_or(account, |own| account.within(*own));
        // The first one counts even where none fits: it says when it is worth asking again.
        for (job, ready) in heads(link, source.batch, room.calls.max(1), now).await? {
            if ready > now || room.calls == 0 {
                look_at(ready.max(room.not_before));
                break;
            }
            found.push((source.campaign.is_some(), ready, job, source.campaign.as_deref()));
        }
    }
    // Somebody waits for a single call; a campaign of thousands can wait for one more.
    found.sort_unstable();
    let mut jobs: Vec<JobId> = Vec::new();
    for (_, _, job, campaign) in found {
        if jobs.len() >= wanted {
            break;
        }
        // Several batches share their campaign's room.
        if let Some(room) = campaign.and_then(|campaign| rooms.get_mut(campaign)) {
            if room.calls == 0 {
                continue;
            }
            room.calls -= 1;
        }
        jobs.push(id(&job)?);
    }
    if !jobs.is_empty() {
        look_at(micros(later(timestamp(now), HANDED_OUT)));
    }
    Ok(DueNow { jobs, again_at: again.filter(|at| *at < i64::MAX).map(timestamp) })
}

/// The first waiting jobs of a batch that can be read, and the first that is not due yet. A record that nobody
/// can read can never begin: as the head of the queue it would block all others.
async fn heads(link: &Link, batch: u64, enough: usize, now: i64) -> Result<Vec<(String, i64)>, StoreError> {
    let (mut found, mut seen) = (Vec::new(), 0);
    loop {
        let wanted = (enough - found.len()).clamp(1, 1_000) + 1;
        let mut range = cmd("ZRANGEBYSCORE");
        range.arg(keys::due(batch)).arg("-inf").arg("+inf").arg("WITHSCORES").arg("LIMIT").arg(seen).arg(wanted);
        let heads: Vec<(String, i64)> = link.ask(&range).await?;
        let (came, ends) = (heads.len(), heads.last().is_some_and(|(_, ready)| *ready > now));
        seen += came;
        let mut get = cmd("MGET");
        for (job, _) in &heads {
            get.arg(keys::job(job));
        }
        let values: Vec<Option<Vec<u8>>> = if came == 0 { Vec::new() } else { link.ask(&get).await? };
        for (head, value) in heads.into_iter().zip(values) {
            if value.is_some_and(|value| JobValue::read(&value).is_ok()) {
                found.push(head);
            }
        }
        if came < wanted || ends || found.len() >= enough {
            return Ok(found);
        }
    }
}

async fn sources(link: &Link, batches: Vec<u64>) -> Result<Vec<Source>, StoreError> {
    let mut get = pipe();
    for batch in &batches {
        get.hmget(keys::batch(batch), &["campaign", "run"]);
    }
    let owners: Vec<(Option<String>, Option<String>)> = link.ask_all(&get).await?;
    Ok(batches.into_iter().zip(owners).map(|(batch, (campaign, run))| Source { batch, campaign, run }).collect())
}

/// The rooms of the running campaigns among the sources, and their present runs.
async fn rooms(
    link: &Link,
    sources: &[Source],
    now: i64,
) -> Result<(HashMap<String, Room>, HashSet<String>), StoreError> {
    let mut campaigns: Vec<&String> = sources.iter().filter_map(|source| source.campaign.as_ref()).collect();
    campaigns.sort_unstable();
    campaigns.dedup();
    if campaigns.is_empty() {
        return Ok((HashMap::new(), HashSet::new()));
    }
    let mut get = cmd("MGET");
    for campaign in &campaigns {
        get.arg(keys::campaign(campaign));
    }
    let values: Vec<Option<Vec<u8>>> = link.ask(&get).await?;
    let mut present = HashSet::new();
    let mut running: Vec<(&String, Option<Meter>, Option<u32>)> = Vec::new();
    let mut ask = pipe();
    for (campaign, value) in campaigns.into_iter().zip(values) {
        let Some(value) = value else { continue };
        let Stored { record, .. }: Stored<Campaign> = match record::campaign(&value) {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(campaign_id = %campaign, %error, "campaign {campaign}: cannot be dialled: {error}");
                continue;
            }
        };
        if record.state == CampaignState::Running {
            let meter = record.policy.calls_per_second.and_then(Meter::new);
            ask_room(&mut ask, Some(campaign), meter, now);
            present.insert(record.run.to_string());
            running.push((campaign, meter, record.policy.max_concurrent_calls));
        }
    }
    if running.is_empty() {
        return Ok((HashMap::new(), HashSet::new()));
    }
    let answers: Vec<redis::Value> = link.ask_all(&ask).await?;
    let mut rooms = HashMap::new();
    for ((campaign, meter, lines), answers) in running.into_iter().zip(answers.chunks_exact(4)) {
        let read = redis::from_redis_value::<Taken>(redis::Value::Array(answers.to_vec()));
        let taken = read.map_err(|error| StoreError::Failed(error.to_string()))?;
        rooms.insert(campaign.clone(), Room::new(&taken, meter, lines, now));
    }
    Ok((rooms, present))
}

/// Jobs whose deadline has passed.
pub(super) async fn overdue(link: &Link, limit: u32) -> Result<Overdue, StoreError> {
    let now = micros(link.now());
    let mut ask = pipe();
    ask.cmd("ZRANGEBYSCORE").arg(keys::DEADLINES).arg("-inf").arg(now).arg("LIMIT").arg(0).arg(limit);
    ask.cmd("ZRANGEBYSCORE").arg(keys::DEADLINES).arg(format!("({now}")).arg("+inf");
    ask.arg("WITHSCORES").arg("LIMIT").arg(0).arg(1);
    let (jobs, next): (Vec<String>, Vec<(String, i64)>) = link.ask_all(&ask).await?;
    let jobs = jobs.iter().map(|job| id(job)).collect::<Result<_, _>>()?;
    let again_at: Option<Timestamp> = next.first().map(|(_, at)| timestamp(*at));
    Ok(Overdue { jobs, again_at })
}
