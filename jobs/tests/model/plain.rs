//! The contract, as plain as it can be written: everything in lists, every question a scan.

use std::collections::{BTreeMap, HashMap};

use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::id::{CampaignId, ImportId, JobId};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::{BeginDial, DueNow, JobWrite, NewEntry, Overdue, ReplyWrite, SavedReply, Suppression, Write};
use jiff::Timestamp;

use crate::contract::fixtures::seconds;

/// A job as the model keeps it.
#[derive(Debug, Clone)]
pub struct Kept {
    pub job: CallJob,
    pub version: u64,
    pub ready_at: Option<Timestamp>,
    /// The import that brought it, while that is not published.
    pub hidden: Option<ImportId>,
}

#[derive(Debug, Default)]
pub struct Plain {
    /// In the order of acceptance.
    pub jobs: Vec<Kept>,
    pub campaigns: Vec<(Campaign, u64)>,
    pub suppressed: BTreeMap<PhoneNumber, Suppression>,
    pub replies: HashMap<String, SavedReply>,
    pub entries: HashMap<JobId, Vec<NewEntry>>,
    pub imports: HashMap<ImportId, CampaignId>,
}

impl Plain {
    pub fn seen(&self) -> impl Iterator<Item = &Kept> {
        self.jobs.iter().filter(|kept| kept.hidden.is_none())
    }

    fn find(&self, id: &JobId) -> Option<usize> {
        self.jobs.iter().position(|kept| kept.job.id() == id && kept.hidden.is_none())
    }

    pub fn holder(&self, phone: &PhoneNumber) -> Option<&JobId> {
        self.seen().map(|kept| &kept.job).find(|job| job.holds_number() && job.gym().phone == *phone).map(CallJob::id)
    }

    pub fn reply(&self, key: &str, now: Timestamp) -> Option<&SavedReply> {
        self.replies.get(key).filter(|reply| now.duration_since(reply.at) < seconds(24 * 3600))
    }

    fn is_running(&self, job: &CallJob) -> bool {
        job.membership().is_none_or(|of| {
            let running = |(campaign, _): &&(Campaign, u64)| campaign.state == CampaignState::Running;
            self.campaigns.iter().filter(running).any(|(campaign, _)| campaign.id == of.campaign)
        })
    }

    /// The name of the error, or of success.
    pub fn commit(&mut self, write: &Write, now: Timestamp) -> &'static str {
        if let Some(ReplyWrite::Claim(claim)) = &write.reply
            && self.reply(&claim.key, now).is_some()
        {
            return "taken";
        }
        if let Some(campaign) = &write.campaign {
            let known = self.campaigns.iter().find(|(known, _)| known.id == campaign.campaign.id);
            match (known, campaign.from) {
                (None, Some(_)) => return "missing",
                (Some((_, version)), from) if from != Some(*version) => return "conflict",
                _ => {}
            }
        }
        if let Some(JobWrite { job, from, .. }) = &write.job {
            match (self.find(job.id()), from) {
                (None, Some(_)) => return "missing",
                (None, None) if self.jobs.iter().any(|kept| kept.job.id() == job.id()) => return "conflict",
                (Some(at), from) if *from != Some(self.jobs[at].version) => return "conflict",
                _ => {}
            }
            let holder = self.holder(&job.gym().phone).filter(|holder| *holder != job.id());
            if job.holds_number() && holder.is_some() {
                return "busy";
            }
        }
        if let Some((job, _)) = &write.notes
            && self.find(job).is_none()
        {
            return "missing";
        }
        self.carry_out(write);
        "ok"
    }

    fn carry_out(&mut self, write: &Write) {
        if let Some(write) = &write.campaign {
            self.campaigns.retain(|(known, _)| known.id != write.campaign.id);
            self.campaigns.push((write.campaign.clone(), write.from.unwrap_or(0) + 1));
        }
        if let Some(write) = &write.job {
            self.put(write);
        }
        if let Some((job, entries)) = &write.notes {
            self.entries.entry(job.clone()).or_default().extend(entries.clone());
        }
        if let Some(phone) = &write.unsuppress {
            self.suppressed.remove(phone);
        }
        if let Some(suppression) = &write.suppress {
            self.suppressed.entry(suppression.phone.clone()).or_insert_with(|| suppression.clone());
        }
        if let Some(ReplyWrite::Claim(reply) | ReplyWrite::Complete(reply)) = &write.reply {
            self.replies.insert(reply.key.clone(), reply.clone());
        }
    }

    fn put(&mut self, write: &JobWrite) {
        let JobWrite { job, from, entries, .. } = write;
        let kept = Kept { job: CallJob::clone(job), version: from.unwrap_or(0) + 1, ready_at: job.due(), hidden: None };
        match self.find(job.id()) {
            Some(at) => self.jobs[at] = kept,
            None => self.jobs.push(kept),
        }
        self.entries.entry(job.id().clone()).or_default().extend(entries.clone());
    }

    fn lines(&self, campaign: Option<&CampaignId>, now: Timestamp) -> u32 {
        let rules = Rules::default();
        let of = |job: &CallJob| campaign.is_none() || job.membership().map(|of| &of.campaign) == campaign;
        let holds =
            self.seen().filter(|kept| of(&kept.job) && kept.job.line_until(&rules).is_some_and(|end| end > now));
        holds.count() as u32
    }

    /// The name of the refusal, or of the Go.
    pub fn begin(&mut self, begin: &BeginDial, now: Timestamp) -> &'static str {
        let job = &begin.job.job;
        let Some(at) = self.find(job.id()) else { return "changed" };
        let known = &self.jobs[at];
        if Some(known.version) != begin.job.from || known.job.status() != Status::Waiting {
            return "changed";
        }
        if begin.due > now {
            self.jobs[at].ready_at = Some(begin.due);
            return "not due";
        }
        if begin.closes.is_some_and(|closes| closes <= now) {
            return "closed";
        }
        if !self.is_running(job) {
            return "not running";
        }
        if self.suppressed.contains_key(&job.gym().phone) {
            return "suppressed";
        }
        if self.holder(&job.gym().phone).is_some() {
            self.jobs[at].ready_at = Some(now + seconds(5));
            return "held";
        }
        let campaign = job.membership().map(|of| &of.campaign);
        let own = begin.gate.campaign.as_ref().and_then(|(_, own)| own.lines);
        let own_full = campaign.is_some() && own.is_some_and(|own| self.lines(campaign, now) >= own);
        if self.lines(None, now) >= begin.gate.account.lines || own_full {
            self.jobs[at].ready_at = Some(now + seconds(1));
            return "no line";
        }
        self.put(&begin.job);
        "go"
    }

    pub fn stage(&mut self, import: &ImportId, rows: &[CallJob]) -> Vec<bool> {
        let mut taken = Vec::new();
        for job in rows {
            let run = |kept: &Kept| kept.job.membership().map(|of| &of.run) == job.membership().map(|of| &of.run);
            let there = |kept: &&Kept| kept.hidden.is_none() || kept.hidden.as_ref() == Some(import);
            let new = !self.jobs.iter().filter(there).any(|kept| run(kept) && kept.job.gym().phone == job.gym().phone);
            taken.push(new);
            if new {
                let hidden = Some(import.clone());
                self.jobs.push(Kept { job: job.clone(), version: 1, ready_at: job.due(), hidden });
            }
        }
        taken
    }

    pub fn publish(&mut self, import: &ImportId) -> bool {
        let open = self.imports.remove(import).is_some();
        for kept in self.jobs.iter_mut().filter(|kept| kept.hidden.as_ref() == Some(import)) {
            kept.hidden = None;
        }
        open
    }

    pub fn drop_import(&mut self, import: &ImportId) -> bool {
        let open = self.imports.remove(import).is_some();
        self.jobs.retain(|kept| kept.hidden.as_ref() != Some(import));
        open
    }

    /// All that is due, by single calls first and then time; jobs of one time in the order of their ids.
    pub fn due(&self, now: Timestamp) -> DueNow {
        let waiting = self.seen().filter(|kept| self.is_running(&kept.job));
        let waiting = waiting.filter_map(|kept| Some((kept.job.membership().is_some(), kept.ready_at?, kept.job.id())));
        let (mut due, later): (Vec<_>, Vec<_>) = waiting.partition(|(_, ready_at, _)| *ready_at <= now);
        due.sort();
        let looked_at = (!due.is_empty()).then(|| now + seconds(1));
        let again_at = later.iter().map(|(_, ready_at, _)| *ready_at).chain(looked_at).min();
        DueNow { jobs: due.into_iter().map(|(_, _, id)| id.clone()).collect(), again_at }
    }

    pub fn overdue(&self, now: Timestamp) -> Overdue {
        let rules = Rules::default();
        let deadlines = self.seen().filter_map(|kept| Some((kept.job.deadline(&rules)?, kept.job.id())));
        let (mut passed, coming): (Vec<_>, Vec<_>) = deadlines.partition(|(deadline, _)| *deadline <= now);
        passed.sort();
        let again_at = coming.into_iter().map(|(deadline, _)| deadline).min();
        Overdue { jobs: passed.into_iter().map(|(_, id)| id.clone()).collect(), again_at }
    }
}
