//! The gate: whether a dial may begin, decided and stored in one step.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::commit::moved;
use super::error::Trouble;
use super::pace::{self, ACCOUNT};
use super::rows::{JobChange, Known, code, encode_all, known};
use super::{announcements, campaigns, jobs, limits, suppressions};
use crate::job::Status;
use crate::store::kept::{id, micros, timestamp};
use crate::store::pace::{Meter, Next};
use crate::store::{BeginDial, Begun, CampaignCapacity, Change, DayOfCalls, Gate, Refusal, StoreError};

/// A dial that asks to begin, made ready on its caller's thread.
pub(super) struct Dial {
    change: JobChange,
    due: Timestamp,
    closes: Option<Timestamp>,
    gate: Gate,
    announce: Vec<String>,
}

/// A grant to be written down once every gate is passed.
type Granted = (i64, Next);

impl Dial {
    pub(super) fn new(begin: BeginDial) -> Result<Self, StoreError> {
        Ok(Self {
            change: JobChange::new(begin.job)?,
            due: begin.due,
            closes: begin.closes,
            gate: begin.gate,
            announce: encode_all(&begin.announce)?,
        })
    }

    /// Decides at `now`, which is read inside the transaction: grants are in the order of their times.
    pub(super) fn run(&self, db: &Connection, now: Timestamp, changes: &mut Vec<Change>) -> Result<Begun, Trouble> {
        let Some(known) = known(db, &self.change.row.id)? else {
            return Ok(Begun::Refused(Refusal::Changed));
        };
        if self.change.from != Some(known.version) || known.status != code(Status::Waiting) {
            return Ok(Begun::Refused(Refusal::Changed));
        }
        match self.gates(db, &known, now)? {
            Ok(grants) => {
                jobs::update(db, &self.change.row, &known)?;
                jobs::tally(db, known.run, self.change.tally)?;
                jobs::add_entries(db, known.seq, &self.change.entries)?;
                for (scope, next) in grants {
                    pace::take(&next, db, scope, now)?;
                }
                if let (Some(campaign), Some(day)) = (known.campaign, self.own().day) {
                    limits::count_call(db, campaign, day.number)?;
                }
                announcements::write(db, &self.announce, micros(now))?;
                changes.push(moved(&self.change));
                Ok(Begun::Go)
            }
            Err(refusal) => {
                if let Some(again) = refusal.due_again(now) {
                    // Not a move: whoever has read the record may still write it.
                    let sql = "UPDATE jobs SET ready_at = ? WHERE seq = ?";
                    db.prepare_cached(sql)?.execute([micros(again), known.seq])?;
                }
                Ok(Begun::Refused(refusal))
            }
        }
    }

    /// What its campaign allows itself.
    fn own(&self) -> CampaignCapacity {
        self.gate.campaign.as_ref().map(|(_, own)| *own).unwrap_or_default()
    }

    /// Every gate behind the version, in the order of the contract.
    fn gates(&self, db: &Connection, known: &Known, now: Timestamp) -> Result<Result<Vec<Granted>, Refusal>, Trouble> {
        if self.due > now {
            return Ok(Err(Refusal::NotDue(self.due)));
        }
        if self.closes.is_some_and(|closes| closes <= now) {
            return Ok(Err(Refusal::WindowClosed));
        }
        if let Some(campaign) = known.campaign {
            match standing(db, campaign, known.run)? {
                Some((true, true)) => {}
                Some((true, false)) => return Ok(Err(Refusal::Superseded)),
                Some((false, _)) | None => return Ok(Err(Refusal::NotRunning)),
            }
        }
        let phone = &self.change.row.phone;
        if suppressions::listed(db, phone)? {
            return Ok(Err(Refusal::Suppressed));
        }
        if let Some(holder) = jobs::holder(db, phone)? {
            return Ok(Err(Refusal::NumberHeld(id(&holder)?)));
        }
        let own = self.own();
        if lines_taken(db, None, self.gate.account.lines, now)? >= self.gate.account.lines {
            return Ok(Err(Refusal::NoLine));
        }
        if let (Some(campaign), Some(lines)) = (known.campaign, own.lines)
            && lines_taken(db, Some(campaign), lines, now)? >= lines
        {
            return Ok(Err(Refusal::NoLine));
        }
        let paces = [Some((ACCOUNT, self.gate.account.calls_per_second)), known.campaign.zip(own.calls_per_second)];
        let mut grants = Vec::new();
        for (scope, per_second) in paces.into_iter().flatten() {
            if let Some(meter) = Meter::new(per_second) {
                grants.push((scope, pace::next(meter, db, scope, now)?));
            }
        }
        let latest = grants.iter().map(|(_, next)| next.at).max().unwrap_or(i64::MIN);
        if latest > micros(now) {
            return Ok(Err(Refusal::Pace(timestamp(latest))));
        }
        Ok(self.limits(db, known)?.map_or(Ok(grants), Err))
    }

    /// The limits of its campaign that stop it, if one does.
    fn limits(&self, db: &Connection, known: &Known) -> rusqlite::Result<Option<Refusal>> {
        let Some(campaign) = known.campaign else { return Ok(None) };
        let own = self.own();
        if limits::endings(db, campaign)?.is_tripped() {
            return Ok(Some(Refusal::CircuitBreaker));
        }
        if let Some(DayOfCalls { number, calls: Some(most) }) = own.day
            && limits::calls_of(db, campaign, number)? >= most
        {
            return Ok(Some(Refusal::DailyLimit));
        }
        if let Some(cap) = own.spend_cap
            && campaigns::tally(db, known.run)?.plus(self.change.tally).spent() > cap
        {
            return Ok(Some(Refusal::Budget));
        }
        Ok(None)
    }
}

/// Whether a campaign is running, and whether this run is its present one.
fn standing(db: &Connection, campaign: i64, run: i64) -> rusqlite::Result<Option<(bool, bool)>> {
    let sql = "SELECT c.running, r.id = c.run FROM campaigns c, runs r WHERE c.no = ? AND r.no = ?";
    db.prepare_cached(sql)?.query_row([campaign, run], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// How many lines are taken, counted no further than `enough`: the rows that hold one are the
/// only truth, and a row's hold ends by its own time even if nobody ever tells how its call ended.
pub(super) fn lines_taken(
    db: &Connection,
    campaign: Option<i64>,
    enough: u32,
    now: Timestamp,
) -> rusqlite::Result<u32> {
    let now = micros(now);
    let enough = i64::from(enough);
    match campaign {
        None => {
            let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE line_until > ? LIMIT ?)";
            db.prepare_cached(sql)?.query_row([now, enough], |row| row.get(0))
        }
        Some(campaign) => {
            let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE campaign = ? AND line_until > ? LIMIT ?)";
            db.prepare_cached(sql)?.query_row([campaign, now, enough], |row| row.get(0))
        }
    }
}

/// When the first of the taken lines comes free by time alone.
pub(super) fn line_ends(db: &Connection, campaign: Option<i64>, now: Timestamp) -> rusqlite::Result<Option<i64>> {
    let now = micros(now);
    match campaign {
        None => {
            let sql = "SELECT MIN(line_until) FROM jobs WHERE line_until > ?";
            db.prepare_cached(sql)?.query_row([now], |row| row.get(0))
        }
        Some(campaign) => {
            let sql = "SELECT MIN(line_until) FROM jobs WHERE campaign = ? AND line_until > ?";
            db.prepare_cached(sql)?.query_row([campaign, now], |row| row.get(0))
        }
    }
}
