//! The state machine: a job and an event in, the next job and what is to be done out.
//!
//! Pure and total: no clock, no chance, no I/O, an answer for every event in every phase.
//! News that is late, doubled or out of order is [`Step::Ignored`], which is a value and
//! not an error. What protects the promise, in one place each:
//!
//! - an attempt is dialled once: only [`Phase::Waiting`] accepts [`Event::DialBegun`], and
//!   the only ways back there are a miss, which ends the attempt, and certain non-creation;
//! - an unclear request is never dialled again: [`Phase::Unknown`] leads to a call that was
//!   found, or to quarantine;
//! - nothing final moves: [`Phase::Done`] takes late facts about its attempts, nothing else.

mod call;
mod claim;
mod detection;
mod end;
mod spoken;
mod unclear;

use jiff::{SignedDuration, Timestamp};

use crate::attempt::Attempt;
use crate::event::{Event, Fate, NonCreation};
use crate::id::{CallSid, Tag};
use crate::job::{CallJob, Phase};
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Miss, Outcome, SkipReason};
use crate::retry::{self, later};
use crate::rules::{Recording, Rules};

/// What came of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The job as it is now, and what is to be done once that is stored.
    Moved(Box<CallJob>, Vec<Effect>),
    /// Nothing changes, for this reason.
    Ignored(Ignored),
}

/// What must be done outside after a move was stored. Doing it twice does no harm, and if
/// it is lost with its process, the job's deadline brings it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End this call (`Status=completed`), and tell what Twilio says.
    HangUp(CallSid),
    /// Take this call out of Twilio's queue (`Status=canceled`), and tell what Twilio says.
    TakeBack(CallSid),
    /// Ask Twilio how this call stands, and tell.
    Fetch(CallSid),
    /// Ask Twilio for calls that this request may have made, and tell.
    LookUp {
        /// The request's secret.
        tag: Tag,
        /// When the intent was stored.
        since: Timestamp,
    },
    /// Say the campaign's message after a machine's beep, and end the call.
    LeaveMessage(CallSid),
    /// Ask Twilio what this call cost, without hurry, and tell.
    ReadPrice {
        /// The call, which is over.
        call: CallSid,
        /// When it was dialled.
        since: Timestamp,
    },
    /// Put the number on the list of those not to be called. Stored with the move itself.
    Suppress,
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// It says what is known already, or less.
    OldNews,
    /// The job is over.
    Final,
    /// It carries no secret of this job, or an earlier attempt's.
    ForeignTag,
    /// It does not apply where the job stands.
    OutOfPlace,
    /// Its time has not come.
    TooEarly,
}

impl Ignored {
    /// In words, for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ignored::OldNews => "old news",
            Ignored::Final => "the job is over",
            Ignored::ForeignTag => "no secret of an open attempt",
            Ignored::OutOfPlace => "does not apply here",
            Ignored::TooEarly => "too early",
        }
    }
}

impl CallJob {
    /// What becomes of this job when `event` happens at `now`.
    pub fn step(&self, event: &Event, rules: &Rules, now: Timestamp) -> Step {
        let mut next = Next { job: self.clone(), effects: Vec::new(), rules, now };
        match next.apply(event) {
            Ok(()) => {
                next.job.updated_at = now;
                Step::Moved(Box::new(next.job), next.effects)
            }
            Err(ignored) => Step::Ignored(ignored),
        }
    }
}

/// A job on its way to its next state.
struct Next<'a> {
    job: CallJob,
    effects: Vec<Effect>,
    rules: &'a Rules,
    now: Timestamp,
}

type Applied = Result<(), Ignored>;

impl Next<'_> {
    fn apply(&mut self, event: &Event) -> Applied {
        match event {
            Event::DialBegun { tag } => self.begin(tag),
            Event::NotCreated { tag, why, detail } => self.not_created(tag, *why, detail),
            Event::Unclear { tag, detail } => self.unclear(Some(tag), detail),
            Event::DialerDied => self.unclear(None, "the process that placed the call is gone"),
            Event::NotFound { tag, .. } => self.not_found(tag),
            Event::Tick => self.tick(),
            Event::Cancel => self.cancel(),
            Event::Suppressed => self.suppressed(),
            Event::WindowClosed => self.window_closed(),
            Event::Superseded => self.skip(SkipReason::Superseded),
            Event::HoursChanged => self.hours_changed(),
            Event::Overtaken => self.skip(SkipReason::OpenAttempt),
            Event::Resolved { fate } => self.resolve(*fate),
            Event::Created { .. }
            | Event::CallNews { .. }
            | Event::VoiceRequested { .. }
            | Event::StreamOpened { .. }
            | Event::SpeechBegun { .. }
            | Event::TurnHeard { .. }
            | Event::Detected { .. }
            | Event::AnswerHeard { .. }
            | Event::DoNotCallHeard { .. }
            | Event::Reported { .. } => self.claimed(event),
        }
    }

    /// Waiting to Dialing: a new attempt, or the same one again if its earlier requests
    /// are known to have created nothing.
    fn begin(&mut self, tag: &Tag) -> Applied {
        if !matches!(self.job.phase, Phase::Waiting { .. }) {
            return Err(self.out_of_place());
        }
        // A secret that was used proves nothing any more: its news would belong to two requests.
        if self.job.attempts.iter().any(|attempt| attempt.knows(tag)) {
            return Err(Ignored::OldNews);
        }
        let recorded = self.rules.recording == Recording::AnnounceAlways;
        let reserve = self.rules.reserve();
        match self.job.attempts.last_mut() {
            Some(attempt) if attempt.may_ask_again() => {
                let spent = std::mem::replace(&mut attempt.tag, tag.clone());
                attempt.spent_tags.push(spent);
                attempt.begun_at = self.now;
                attempt.recorded = recorded;
                attempt.reserve = reserve;
                attempt.trouble = None;
            }
            last => {
                let number = last.map_or(1, |attempt| attempt.number + 1);
                self.job.attempts.push(Attempt { recorded, reserve, ..Attempt::begin(number, tag.clone(), self.now) });
            }
        }
        self.job.phase = Phase::Dialing { since: self.now, tag: tag.clone() };
        Ok(())
    }

    fn not_created(&mut self, tag: &Tag, why: NonCreation, detail: &str) -> Applied {
        // Also from Unknown: the sweep may have lost patience while the reply was on its way.
        let (Phase::Dialing { tag: open, .. } | Phase::Unknown { tag: open, .. }) = &self.job.phase else {
            return Err(self.out_of_place());
        };
        if open != tag {
            return Err(Ignored::ForeignTag);
        }
        let single = self.job.membership.is_none();
        let now = self.now;
        let Some(attempt) = self.job.attempts.last_mut() else {
            return Err(Ignored::OutOfPlace);
        };
        attempt.trouble = Some(detail.to_owned());
        attempt.reserve = None;
        let requests = attempt.spent_tags.len() + 1;
        let missed = match why {
            NonCreation::BadNumber => Some(EndedReason::InvalidDestination),
            NonCreation::TryAgain if requests >= retry::MAX_REQUESTS => Some(EndedReason::DialFailed),
            // Nobody resumes a single call once the account is mended.
            NonCreation::BadAccount if single => Some(EndedReason::DialFailed),
            NonCreation::TryAgain | NonCreation::BadAccount => None,
        };
        if self.job.cancel_requested {
            self.close_attempt();
            self.finish(Outcome::Cancelled);
        } else if let Some(ended_reason) = missed {
            self.close_attempt();
            self.finish(Outcome::GaveUp(miss(ended_reason)));
        } else {
            self.wait_until(retry::after_refusal(requests, now));
        }
        Ok(())
    }

    /// A person takes the job back. Where a call may exist, only its end makes it so.
    fn cancel(&mut self) -> Applied {
        match &self.job.phase {
            Phase::Done { .. } => return Err(Ignored::Final),
            Phase::Waiting { .. } => {
                self.finish(Outcome::Cancelled);
                return Ok(());
            }
            // It is ending by itself, and what was said stands.
            Phase::Closing { .. } => return Err(Ignored::OutOfPlace),
            _ if self.job.cancel_requested => return Err(Ignored::OldNews),
            _ => {}
        }
        self.job.cancel_requested = true;
        self.hang_up_own();
        Ok(())
    }

    fn suppressed(&mut self) -> Applied {
        match self.job.phase {
            Phase::Waiting { .. } => self.skip(SkipReason::Suppressed),
            _ => self.cancel(),
        }
    }

    fn skip(&mut self, reason: SkipReason) -> Applied {
        if !matches!(self.job.phase, Phase::Waiting { .. }) {
            return Err(self.out_of_place());
        }
        self.finish(Outcome::Skipped(reason));
        Ok(())
    }

    /// When a call that Twilio still holds in its queue is taken back: soon, and not after the gym's hours.
    fn queued_until(&self) -> Timestamp {
        let limit = later(self.now, self.rules.queued_limit);
        let window = self.rules.hours.as_ref().zip(self.job.gym.timezone.as_ref());
        match window.and_then(|(hours, zone)| hours.next(zone, self.now)) {
            Some(window) if window.opens <= self.now => limit.min(window.closes),
            _ => limit,
        }
    }

    /// The store refused the dial because the hours are over: wait for the next ones.
    fn window_closed(&mut self) -> Applied {
        match self.job.phase {
            // By the store's clock they are over, whatever ours says.
            Phase::Waiting { window: Some(window), .. } => self.wait_until(self.now.max(window.closes)),
            Phase::Waiting { window: None, .. } if self.rules.hours.is_some() => self.wait_until(self.now),
            _ => return Err(self.out_of_place()),
        }
        Ok(())
    }

    /// Its campaign's hours are not those it waits by: it waits by the new ones, and is due when it was.
    fn hours_changed(&mut self) -> Applied {
        let Phase::Waiting { due, .. } = self.job.phase else { return Err(self.out_of_place()) };
        if self.job.waits_by(self.rules.hours.as_ref()) {
            return Err(Ignored::OldNews);
        }
        self.wait_until(due.max(self.now));
        Ok(())
    }

    fn resolve(&mut self, fate: Fate) -> Applied {
        if !matches!(self.job.phase, Phase::Quarantined { .. }) {
            return Err(self.out_of_place());
        }
        if fate == Fate::NotCalled
            && let Some(attempt) = self.job.attempts.last_mut()
        {
            attempt.counts = false;
            attempt.reserve = None;
        }
        self.close_attempt();
        match fate {
            _ if self.job.cancel_requested => self.finish(Outcome::Cancelled),
            Fate::Called => self.finish(Outcome::GaveUp(Miss {
                disposition: Disposition::NeedsReview,
                ended_reason: EndedReason::ErrorUnknown,
                answered_by: AnsweredBy::Unknown,
            })),
            Fate::NotCalled => self.wait_until(self.now),
        }
        Ok(())
    }

    /// Asks for the end of the open call, and has the sweep ask again until it has ended.
    fn hang_up_own(&mut self) {
        if let Some(call) = self.job.call().cloned() {
            self.effects.push(Effect::HangUp(call));
            self.look_again_in(SignedDuration::from_secs(10));
        }
    }

    fn look_again_in(&mut self, wait: SignedDuration) {
        if let Phase::Placed { look_at, .. } | Phase::Talking { look_at, .. } = &mut self.job.phase {
            *look_at = later(self.now, wait);
        }
    }

    fn wait_until(&mut self, due: Timestamp) {
        self.job.phase = Phase::Waiting { due, window: None };
        if let Err(reason) = self.job.keep(self.rules.hours.as_ref()) {
            self.finish(Outcome::Skipped(reason));
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        self.job.phase = Phase::Done { outcome };
    }

    fn close_attempt(&mut self) {
        if let Some(attempt) = self.job.attempts.last_mut() {
            attempt.ended_at.get_or_insert(self.now);
        }
    }

    fn out_of_place(&self) -> Ignored {
        match self.job.phase {
            Phase::Done { .. } => Ignored::Final,
            _ => Ignored::OutOfPlace,
        }
    }
}

const fn miss(ended_reason: EndedReason) -> Miss {
    Miss { disposition: Disposition::NoContact, ended_reason, answered_by: AnsweredBy::Unknown }
}
