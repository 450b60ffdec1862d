//! What may be dialled now, and what the sweep must look at.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::dial::{line_ends, lines_taken};
use super::error::Trouble;
use super::pace::{self, ACCOUNT};
use super::rows::decode;
use crate::id::JobId;
use crate::job::CallJob;
use crate::retry::later;
use crate::store::kept::{id, micros, timestamp};
use crate::store::pace::Meter;
use crate::store::{Capacity, DueNow, Overdue};

/// When jobs that were handed out are looked at again, should nobody begin them.
const HANDED_OUT: SignedDuration = SignedDuration::from_secs(1);

/// A batch with waiting jobs that may be dialled as far as people have decided.
struct Source {
    batch: i64,
    campaign: Option<i64>,
    pace: Option<f64>,
    lines: Option<u32>,
}

/// How many more calls can begin at this moment, and if none, when one can.
#[derive(Debug, Clone, Copy)]
struct Room {
    calls: usize,
    not_before: i64,
}

impl Room {
    fn new(
        db: &Connection,
        campaign: Option<i64>,
        per_second: Option<f64>,
        lines: Option<u32>,
        now: Timestamp,
    ) -> rusqlite::Result<Self> {
        let mut room = Self { calls: usize::MAX, not_before: i64::MIN };
        if let Some(meter) = per_second.and_then(Meter::new) {
            let next = pace::next(meter, db, campaign.unwrap_or(ACCOUNT), now)?;
            room = Self { calls: next.available(micros(now)), not_before: next.at };
        }
        if let Some(lines) = lines {
            let free = lines.saturating_sub(lines_taken(db, campaign, lines, now)?);
            room.calls = room.calls.min(usize::try_from(free).unwrap_or(usize::MAX));
            if free == 0 {
                // A freed line is news. One that comes free because nobody ever told of its
                // call's end is not: somebody has to look.
                let ends = line_ends(db, campaign, now)?.unwrap_or(i64::MAX);
                room.not_before = room.not_before.max(ends);
            }
        }
        Ok(room)
    }
}

/// Jobs that may be dialled now.
pub(super) fn due(db: &Connection, capacity: Capacity, limit: u32, now: Timestamp) -> Result<DueNow, Trouble> {
    let account = Room::new(db, None, Some(capacity.calls_per_second), Some(capacity.lines), now)?;
    let wanted = account.calls.min(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut rooms: HashMap<i64, Room> = HashMap::new();
    let mut found: Vec<(i64, i64, String, Option<i64>)> = Vec::new();
    let mut again: Option<i64> = None;
    let mut look_at = |at: i64| again = Some(again.map_or(at, |known| known.min(at)));

    for source in sources(db)? {
        let mut room = account;
        room.calls = wanted;
        if let Some(campaign) = source.campaign {
            let own = match rooms.get(&campaign) {
                Some(own) => *own,
                None => {
                    let own = Room::new(db, Some(campaign), source.pace, source.lines, now)?;
                    rooms.insert(campaign, own);
                    own
                }
            };
            room.calls = room.calls.min(own.calls);
            room.not_before = room.not_before.max(own.not_before);
        }
        // The first one counts even where none fits: it says when it is worth asking again.
        let sql = "SELECT ready_at, seq, id, record FROM jobs WHERE batch = ? AND ready_at IS NOT NULL
            ORDER BY ready_at, seq";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(params![source.batch])?;
        let mut left = room.calls.max(1);
        while left > 0
            && let Some(row) = rows.next()?
        {
            // A record that nobody can read can never begin: as the head of the queue it would block all others.
            if decode::<CallJob>(row.get_ref(3)?.as_str().unwrap_or_default()).is_err() {
                continue;
            }
            left -= 1;
            let ready_at: i64 = row.get(0)?;
            if ready_at > micros(now) || room.calls == 0 {
                look_at(ready_at.max(room.not_before));
                break;
            }
            found.push((ready_at, row.get(1)?, row.get(2)?, source.campaign));
        }
    }

    // Somebody waits for a single call; a campaign of thousands can wait for one more.
    found.sort_unstable_by_key(|(ready_at, seq, _, campaign)| (campaign.is_some(), *ready_at, *seq));
    let mut jobs: Vec<JobId> = Vec::new();
    for (_, _, job, campaign) in found {
        if jobs.len() >= wanted {
            break;
        }
        // Several batches share their campaign's room.
        if let Some(room) = campaign.and_then(|campaign| rooms.get_mut(&campaign)) {
            if room.calls == 0 {
                continue;
            }
            room.calls -= 1;
        }
        jobs.push(id(&job)?);
    }
    if !jobs.is_empty() {
        look_at(micros(later(now, HANDED_OUT)));
    }
    Ok(DueNow { jobs, again_at: again.filter(|at| *at < i64::MAX).map(timestamp) })
}

/// Every batch of the present runs of running campaigns, and the single calls, as far as jobs wait there. The way
/// leads through the counts: runs of last year, where nobody waits, cost nothing.
fn sources(db: &Connection) -> rusqlite::Result<Vec<Source>> {
    let sql = "SELECT b.no, b.campaign, c.pace, c.lines
        FROM counts w CROSS JOIN batches b ON b.run = w.run LEFT JOIN campaigns c ON c.no = b.campaign
        LEFT JOIN runs r ON r.no = b.run
        WHERE w.status = 0 AND w.n > 0 AND b.state = 1
        AND (b.campaign IS NULL OR (c.running = 1 AND c.run = r.id))";
    let mut statement = db.prepare_cached(sql)?;
    let sources = statement.query_map([], |row| {
        Ok(Source { batch: row.get(0)?, campaign: row.get(1)?, pace: row.get(2)?, lines: row.get(3)? })
    })?;
    sources.collect()
}

/// Jobs whose deadline has passed.
pub(super) fn overdue(db: &Connection, limit: u32, now: Timestamp) -> Result<Overdue, Trouble> {
    let sql = "SELECT id FROM jobs WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![micros(now), limit])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(id(&row.get::<_, String>(0)?)?);
    }
    let sql = "SELECT MIN(deadline) FROM jobs WHERE deadline > ?";
    let next: Option<i64> = db.prepare_cached(sql)?.query_row([micros(now)], |row| row.get(0))?;
    Ok(Overdue { jobs, again_at: next.map(timestamp) })
}
