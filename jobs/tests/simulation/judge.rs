//! The judge: sees every record that is written and every call that Twilio makes, and holds both to the promise.

use std::collections::{BTreeMap, BTreeSet};

use gymcall_jobs::attempt::{Attempt, CallStatus};
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::{CallJob, Half, Phase, Status};
use gymcall_jobs::outcome::Outcome;
use gymcall_jobs::store::NewEntry;

use super::door::name;
use super::recorder::Recorder;
use super::world::{MINUTE, SECOND, World, say};

/// What the judge knows that the records do not.
#[derive(Default)]
pub(crate) struct Judge {
    /// The first thing that was against the promise.
    pub(crate) violation: Option<String>,
    pub(crate) recorder: Recorder,
    accepted: Vec<JobId>,
    /// Requests whose fate was made unclear.
    unclear: BTreeSet<String>,
    /// Requests whose calls were told of by a callback that we answered.
    heard: BTreeSet<String>,
    /// Requests whose calls a look-up found and told of.
    found: BTreeSet<String>,
    /// Requests that were quarantined.
    quarantined: BTreeSet<String>,
    /// Which call an attempt got: for every request, and for every attempt.
    made: BTreeMap<String, CallSid>,
    made_for: BTreeMap<(JobId, u32), CallSid>,
    /// Attempts that a person, or time alone, ended while their calls might live.
    ended_blindly: BTreeSet<(JobId, u32)>,
    cancelled: BTreeSet<JobId>,
    /// Further calls for an attempt, and whether their hang-up may have been lost.
    conflicts: Vec<(CallSid, bool)>,
}

impl Judge {
    pub(crate) fn object(&mut self, why: String) {
        self.violation.get_or_insert(why);
    }

    pub(crate) fn unclear(&mut self, tag: &Tag) {
        self.unclear.insert(tag.as_str().to_owned());
    }

    pub(crate) fn found(&mut self, tag: &Tag) {
        self.found.insert(tag.as_str().to_owned());
    }

    /// What somebody was about to do outside may never be done.
    pub(crate) fn orders_lost(&mut self) {
        self.conflicts.iter_mut().for_each(|(_, lost)| *lost = true);
    }

    pub(crate) fn hang_up_failed(&mut self, call: &CallSid) {
        self.conflicts.iter_mut().filter(|(known, _)| known == call).for_each(|(_, lost)| *lost = true);
    }
}

impl World {
    /// A job was accepted.
    pub(crate) fn accepted(&mut self, job: &CallJob) {
        say!(self, "{} accepted", name(job));
        self.tally.status(job.status());
        self.judge.accepted.push(job.id().clone());
    }

    /// A record was written in place of another.
    pub(crate) fn moved(&mut self, before: Option<&CallJob>, after: &CallJob, entries: &[NewEntry]) {
        let Some(before) = before else { return };
        self.judge.recorder.moved(before, after, entries);
        let kind = entries.first().map_or("", |entry| entry.kind.as_str());
        let job = name(after);
        if before.outcome().is_some() && before.outcome() != after.outcome() {
            self.judge.object(format!("{job} was over and is not any more, by {kind}"));
        }
        for (place, attempt) in before.attempts().iter().enumerate() {
            match after.attempts().get(place) {
                Some(now) => self.compare(&job, attempt, now),
                None => self.judge.object(format!("{job} has lost its attempt {}", attempt.number)),
            }
        }
        if before.answers().len() > after.answers().len() {
            self.judge.object(format!("{job} has lost an answer"));
        }
        if after.tries() > self.plan.policy.max_attempts {
            self.judge.object(format!("{job} was tried {} times", after.tries()));
        }
        if after.cancel_requested() || (kind == "cancel" && after.status() == Status::Cancelled) {
            self.judge.cancelled.insert(after.id().clone());
        }
        if before.status() != after.status() {
            self.tally.status(after.status());
        }
        if let Some(open) = before.open_attempt()
            && after.open_attempt().is_none_or(|other| other.number != open.number)
        {
            let blind = match before.phase() {
                Phase::Quarantined { .. } => kind == "resolved",
                Phase::Placed { .. } | Phase::Talking { .. } => kind == "tick",
                Phase::Closing { half: Half::Reported { .. }, .. } => kind == "tick",
                _ => false,
            };
            if blind {
                self.judge.ended_blindly.insert((after.id().clone(), open.number));
            }
        }
        if before.status() == Status::Quarantined && after.status() != Status::Quarantined && kind != "resolved" {
            self.tally.see("quarantine: resolved by a late callback");
        }
        if after.status() == Status::Quarantined && before.status() != Status::Quarantined {
            self.quarantined(after);
        }
    }

    fn compare(&mut self, job: &str, before: &Attempt, after: &Attempt) {
        let number = before.number;
        if before.call.is_some() && before.call != after.call {
            self.judge.object(format!("{job}: the call of attempt {number} became another"));
        }
        let (old, new) = (before.status, after.status);
        let falls = old.is_some_and(|old| new.is_none_or(|new| new.rank() < old.rank()));
        if falls || (old.is_some_and(CallStatus::is_terminal) && old != new) {
            self.judge.object(format!("{job}: attempt {number} was {old:?} and is {new:?}"));
        }
        for call in after.conflicts.iter().filter(|call| !before.conflicts.contains(call)) {
            self.tally.conflicts += 1;
            let over = self.twilio.calls.iter().any(|known| known.sid == *call && known.is_over());
            self.judge.conflicts.push((call.clone(), over));
        }
    }

    fn quarantined(&mut self, job: &CallJob) {
        self.tally.quarantines += 1;
        let Some(open) = job.open_attempt() else { return };
        let tag = open.tag.as_str().to_owned();
        if !self.judge.unclear.contains(&tag) {
            self.judge.object(format!("{} is quarantined, and nothing about its request was unclear", name(job)));
        }
        if self.judge.heard.contains(&tag) || self.judge.found.contains(&tag) {
            self.judge.object(format!("{} is quarantined, though its call was told of", name(job)));
        }
        self.judge.quarantined.insert(tag);
        self.shown_to_a_person(job);
    }

    /// A dial was let through.
    pub(crate) fn granted(&mut self, job: &CallJob) {
        let (now, lines) = (self.instant(), self.plan.capacity.lines);
        let taken = self.keeper.lines(None, now);
        if taken > lines {
            self.judge.object(format!("{taken} lines are taken of {lines}"));
        }
        let own = job.membership().zip(self.plan.policy.max_concurrent_calls);
        if let Some((of, lines)) = own {
            let taken = self.keeper.lines(Some(&of.campaign), now);
            if taken > lines {
                self.judge.object(format!("{taken} lines are taken of the campaign's {lines}"));
            }
        }
        let pace = self.plan.capacity.calls_per_second;
        let (calls, span) = if pace < 1.0 { (1, SECOND as f64 / pace) } else { (pace as usize, SECOND as f64) };
        let grants = &self.keeper.grants;
        if grants.len() > calls && (self.now - grants[grants.len() - 1 - calls]) < span as i64 {
            self.judge.object(format!("{} calls were begun within a time for {calls}", calls + 1));
        }
        let holds = |other: &&CallJob| other.holds_number() && other.gym().phone == job.gym().phone;
        if self.keeper.all().filter(holds).count() > 1 {
            self.judge.object(format!("{} is dialled while another attempt at its number is open", name(job)));
        }
    }

    /// Twilio made a call.
    pub(crate) fn created(&mut self, at: usize) {
        let call = &self.twilio.calls[at];
        let (tag, sid, id) = (call.tag.as_str().to_owned(), call.sid.clone(), call.job.clone());
        let Some(job) = self.keeper.job(&id).cloned() else {
            return self.judge.object("a call was made for no job".to_owned());
        };
        if self.judge.made.insert(tag.clone(), sid.clone()).is_some() {
            self.judge.object(format!("{}: two calls were made for one secret", name(&job)));
        }
        let Some(attempt) = job.attempts().iter().find(|attempt| attempt.tag.as_str() == tag) else {
            return self.judge.object(format!("{}: a call was made without a stored intent", name(&job)));
        };
        if self.judge.made_for.insert((id.clone(), attempt.number), sid).is_some() {
            self.judge.object(format!("{}: two calls were made for attempt {}", name(&job), attempt.number));
        }
        let blindly = |job: &CallJob, tag: &str| {
            let attempt = job.attempts().iter().find(|attempt| attempt.tag.as_str() == tag);
            attempt.is_some_and(|attempt| self.judge.ended_blindly.contains(&(job.id().clone(), attempt.number)))
        };
        let own = blindly(&job, &tag);
        let late = attempt.begun_at + self.plan.rules.dial_deadline < self.instant();
        let others = self.twilio.calls[..at].iter().filter(|other| !other.is_over() && other.to == job.gym().phone);
        let others: Vec<bool> = others
            .map(|other| self.keeper.job(&other.job).is_some_and(|job| blindly(job, other.tag.as_str())))
            .collect();
        if late {
            self.tally.see("request: arrived after its deadline");
        }
        for excused in others {
            self.tally.doubled += 1;
            if !excused && !own {
                self.judge.object(format!("{}: its gym is called twice at once", name(&job)));
            }
        }
    }

    /// A callback was answered with 2xx: what it told must be kept.
    pub(crate) fn answered(&mut self, at: usize) {
        let call = &self.twilio.calls[at];
        let kept = self.keeper.job(&call.job).is_some_and(|job| attributed(job, &call.sid));
        if !kept {
            let words = format!("call {at} was told of, and the answer was 2xx, but no record knows it");
            return self.judge.object(words);
        }
        self.judge.heard.insert(call.tag.as_str().to_owned());
    }

    /// With no faults left, time must move whoever waits for it.
    pub(crate) fn look_for_the_forgotten(&mut self) {
        if let Some(deadline) = self.keeper.next_deadline()
            && deadline + 10 * MINUTE < self.now
        {
            self.judge.object("a deadline passed ten minutes ago, and the sweep has told nobody".to_owned());
        }
    }

    /// Nothing more will happen.
    pub(crate) fn conclude(&mut self) {
        let mut wrong: Vec<String> = Vec::new();
        for id in &self.judge.accepted {
            match self.keeper.job(id) {
                None => wrong.push(format!("{id} was accepted and is lost")),
                Some(job) if !job.status().is_final() => {
                    wrong.push(format!("{} is {} for ever", name(job), job.status()))
                }
                Some(job) => {
                    let cancelled = matches!(job.outcome(), Some(Outcome::Cancelled) | None);
                    if self.judge.cancelled.contains(id) && !cancelled {
                        wrong.push(format!("{} was cancelled and ended {}", name(job), job.status()));
                    }
                }
            }
        }
        for (at, call) in self.twilio.calls.iter().enumerate() {
            let tag = call.tag.as_str();
            let Some(job) = self.keeper.job(&call.job) else { continue };
            let silent = self.judge.quarantined.contains(tag) && !self.judge.heard.contains(tag);
            if !attributed(job, &call.sid) && !silent {
                wrong.push(format!("{}: call {at} is on no record", name(job)));
            }
            let attempt = job.attempts().iter().find(|attempt| attempt.call.as_ref() == Some(&call.sid));
            if let Some(status) = attempt.and_then(|attempt| attempt.status)
                && status.is_terminal()
                && status != call.status
            {
                wrong.push(format!("{}: call {at} is on record as {status} and was {}", name(job), call.status));
            }
            let stays_on_line = |(sid, lost): &&(CallSid, bool)| *sid == call.sid && !lost && !call.told_to_end;
            if self.judge.conflicts.iter().any(|conflict| stays_on_line(&conflict)) {
                wrong.push(format!("{}: call {at} is a conflict and was not hung up", name(job)));
            }
        }
        wrong.into_iter().for_each(|why| self.judge.object(why));
    }
}

/// Whether an attempt of this job has the call, as its own or as a conflict.
fn attributed(job: &CallJob, call: &CallSid) -> bool {
    job.attempts().iter().any(|attempt| attempt.call.as_ref() == Some(call) || attempt.conflicts.contains(call))
}
