//! The store, as plain as it can be written: safe from any crash, because it is never the one that dies.

use std::collections::BTreeMap;

use gymcall_jobs::campaign::{Campaign, CampaignState, Counts};
use gymcall_jobs::id::{CampaignId, JobId, RunId};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::store::{
    BeginDial, Capacity, DueNow, JobQuery, JobWrite, Overdue, Page, Refusal, StoreError, Stored, Suppression, Write,
};
use jiff::{SignedDuration, Timestamp};

use super::world::{SECOND, instant};

/// A job and the times that index it.
#[derive(Debug, Clone)]
struct Kept {
    job: CallJob,
    version: u64,
    ready_at: Option<Timestamp>,
    deadline: Option<Timestamp>,
    line_until: Option<Timestamp>,
}

/// The records.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// In the order of acceptance.
    jobs: Vec<Kept>,
    campaigns: Vec<(Campaign, u64)>,
    suppressed: BTreeMap<PhoneNumber, Suppression>,
    /// When dials were let through.
    pub(crate) grants: Vec<i64>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self { jobs: Vec::new(), campaigns: Vec::new(), suppressed: BTreeMap::new(), grants: Vec::new() }
    }

    fn find(&self, id: &JobId) -> Option<usize> {
        self.jobs.iter().position(|kept| kept.job.id() == id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &CallJob> {
        self.jobs.iter().map(|kept| &kept.job)
    }

    pub(crate) fn job(&self, id: &JobId) -> Option<&CallJob> {
        self.find(id).map(|at| &self.jobs[at].job)
    }

    pub(crate) fn stored(&self, id: &JobId) -> Option<Stored<CallJob>> {
        self.find(id).map(|at| Stored { record: self.jobs[at].job.clone(), version: self.jobs[at].version })
    }

    pub(crate) fn campaign(&self, id: &CampaignId) -> Option<Stored<Campaign>> {
        let found = self.campaigns.iter().find(|(campaign, _)| campaign.id == *id)?;
        Some(Stored { record: found.0.clone(), version: found.1 })
    }

    pub(crate) fn campaigns(&self) -> Page<Stored<Campaign>> {
        let stored = |(record, version): &(Campaign, u64)| Stored { record: record.clone(), version: *version };
        Page { items: self.campaigns.iter().map(stored).collect(), next: None }
    }

    pub(crate) fn counts(&self, run: &RunId) -> Counts {
        let of_run = self.all().filter(|job| job.membership().is_some_and(|of| of.run == *run));
        Counts::from_pairs(of_run.map(|job| (job.status(), 1)))
    }

    pub(crate) fn select(&self, query: &JobQuery) -> Page<Stored<CallJob>> {
        let of = |job: &CallJob| {
            let campaign = job.membership().map(|of| &of.campaign);
            query.campaign.as_ref().is_none_or(|wanted| campaign == Some(wanted))
                && query.status.is_none_or(|wanted| job.status() == wanted)
        };
        self.page(of)
    }

    pub(crate) fn open_jobs(&self) -> Page<Stored<CallJob>> {
        self.page(|job| job.status().is_live())
    }

    fn page(&self, of: impl Fn(&CallJob) -> bool) -> Page<Stored<CallJob>> {
        let found = self.jobs.iter().filter(|kept| of(&kept.job));
        let items = found.map(|kept| Stored { record: kept.job.clone(), version: kept.version });
        Page { items: items.collect(), next: None }
    }

    pub(crate) fn holder(&self, phone: &PhoneNumber) -> Option<&JobId> {
        self.all().find(|job| job.holds_number() && job.gym().phone == *phone).map(CallJob::id)
    }

    pub(crate) fn suppression(&self, phone: &PhoneNumber) -> Option<&Suppression> {
        self.suppressed.get(phone)
    }

    fn is_running(&self, job: &CallJob) -> bool {
        job.membership().is_none_or(|of| {
            self.campaigns.iter().any(|(known, _)| known.id == of.campaign && known.state == CampaignState::Running)
        })
    }

    /// All or nothing. Answers the job as it was before, where one was changed.
    pub(crate) fn commit(&mut self, write: Write) -> Result<Option<CallJob>, StoreError> {
        if let Some(campaign) = &write.campaign {
            let version = self.campaign(&campaign.campaign.id).map(|known| known.version);
            if version != campaign.from {
                return Err(StoreError::Conflict);
            }
        }
        if let Some(JobWrite { job, from, .. }) = &write.job {
            let version = self.find(job.id()).map(|at| self.jobs[at].version);
            if version != *from {
                return Err(StoreError::Conflict);
            }
            if job.holds_number() && self.holder(&job.gym().phone).is_some_and(|holder| holder != job.id()) {
                return Err(StoreError::Busy("the number is held".to_owned()));
            }
        }
        if let Some(write) = write.campaign {
            self.campaigns.retain(|(known, _)| known.id != write.campaign.id);
            self.campaigns.push((write.campaign, write.from.unwrap_or(0) + 1));
        }
        if let Some(suppression) = write.suppress {
            self.suppressed.entry(suppression.phone.clone()).or_insert(suppression);
        }
        Ok(write.job.and_then(|write| self.put(write)))
    }

    fn put(&mut self, write: JobWrite) -> Option<CallJob> {
        let JobWrite { job, from, deadline, line_until, .. } = write;
        let job = CallJob::clone(&job);
        let kept = Kept { ready_at: job.due(), version: from.unwrap_or(0) + 1, deadline, line_until, job };
        match self.find(kept.job.id()) {
            Some(at) => Some(std::mem::replace(&mut self.jobs[at], kept).job),
            None => {
                self.jobs.push(kept);
                None
            }
        }
    }

    pub(crate) fn lines(&self, campaign: Option<&CampaignId>, now: Timestamp) -> u32 {
        let of = |job: &CallJob| campaign.is_none() || job.membership().map(|of| &of.campaign) == campaign;
        let holds = |kept: &&Kept| of(&kept.job) && kept.line_until.is_some_and(|until| until > now);
        self.jobs.iter().filter(holds).count() as u32
    }

    /// When the pace lets the next call begin.
    fn next_grant(&self, per_second: f64) -> i64 {
        // A little more than evenly, so that no second ever holds one too many.
        self.grants.last().map_or(0, |last| last + (1.004 * SECOND as f64 / per_second) as i64)
    }

    /// The gate, in the order of the contract.
    pub(crate) fn begin(&mut self, begin: BeginDial, now: i64) -> Result<CallJob, Refusal> {
        let (at, now) = (now, instant(now));
        let job = &begin.job.job;
        let Some(found) = self.find(job.id()) else { return Err(Refusal::Changed) };
        let known = &self.jobs[found];
        if Some(known.version) != begin.job.from || known.job.status() != Status::Waiting {
            return Err(Refusal::Changed);
        }
        if begin.due > now {
            self.jobs[found].ready_at = Some(begin.due);
            return Err(Refusal::NotDue(begin.due));
        }
        if begin.closes.is_some_and(|closes| closes <= now) {
            return Err(Refusal::WindowClosed);
        }
        if !self.is_running(job) {
            return Err(Refusal::NotRunning);
        }
        if self.suppressed.contains_key(&job.gym().phone) {
            return Err(Refusal::Suppressed);
        }
        if let Some(holder) = self.holder(&job.gym().phone).cloned() {
            self.jobs[found].ready_at = Some(now + SignedDuration::from_secs(5));
            return Err(Refusal::NumberHeld(holder));
        }
        let own = begin.gate.campaign.as_ref();
        let own_full = own.is_some_and(|(id, own)| own.lines.is_some_and(|most| self.lines(Some(id), now) >= most));
        if self.lines(None, now) >= begin.gate.account.lines || own_full {
            self.jobs[found].ready_at = Some(now + SignedDuration::from_secs(1));
            return Err(Refusal::NoLine);
        }
        let next = self.next_grant(begin.gate.account.calls_per_second);
        if next > at {
            self.jobs[found].ready_at = Some(instant(next));
            return Err(Refusal::Pace(instant(next)));
        }
        self.grants.push(at);
        self.put(begin.job).ok_or(Refusal::Changed)
    }

    /// What may be dialled now: single calls first, then the longest due.
    pub(crate) fn due(&self, capacity: Capacity, limit: usize, now: i64) -> DueNow {
        let (next, now) = (instant(self.next_grant(capacity.calls_per_second).max(now)), instant(now));
        let free = capacity.lines.saturating_sub(self.lines(None, now)) as usize;
        let waiting = self.jobs.iter().filter(|kept| self.is_running(&kept.job));
        let waiting = waiting.filter_map(|kept| Some((kept.job.membership().is_some(), kept.ready_at?, kept.job.id())));
        let (mut due, later): (Vec<_>, Vec<_>) = waiting.partition(|(_, ready_at, _)| *ready_at <= now);
        due.sort();
        let mut again = later.iter().map(|(_, ready_at, _)| *ready_at).min();
        let mut look_at = |at: Timestamp| again = Some(again.map_or(at, |again| again.min(at)));
        let mut jobs: Vec<JobId> = Vec::new();
        if !due.is_empty() {
            if free == 0 {
                let ends = self.jobs.iter().filter_map(|kept| kept.line_until).filter(|until| *until > now).min();
                ends.into_iter().for_each(look_at);
            } else if next > now {
                look_at(next);
            } else {
                jobs = due.into_iter().map(|(_, _, id)| id.clone()).take(free.min(limit)).collect();
                look_at(now + SignedDuration::from_secs(1));
            }
        }
        DueNow { jobs, again_at: again }
    }

    pub(crate) fn overdue(&self, limit: usize, now: Timestamp) -> Overdue {
        let deadlines = self.jobs.iter().filter_map(|kept| Some((kept.deadline?, kept.job.id())));
        let (mut passed, coming): (Vec<_>, Vec<_>) = deadlines.partition(|(deadline, _)| *deadline <= now);
        passed.sort();
        let again_at = coming.into_iter().map(|(deadline, _)| deadline).min();
        Overdue { jobs: passed.into_iter().map(|(_, id)| id.clone()).take(limit).collect(), again_at }
    }

    /// The next deadline, passed or not.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        self.jobs.iter().filter_map(|kept| kept.deadline).min().map(Timestamp::as_microsecond)
    }
}
