//! The call job: the one record that is queue, lock, history and result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::attempt::{Attempt, CallStatus};
use crate::gym::Gym;
use crate::id::{CallSid, CampaignId, JobId, RunId, Tag};
use crate::outcome::{EndedReason, Outcome, Report, SkipReason, words};
use crate::retry::later;
use crate::rules::Rules;
use crate::window::{Hours, Window};

/// One gym in one run, or one single call.
///
/// Its fields change in one place only: [`CallJob::step`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallJob {
    pub(crate) id: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) membership: Option<Membership>,
    /// The campaign whose words a test call speaks, although it does not belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<CampaignId>,
    pub(crate) gym: Gym,
    pub(crate) phase: Phase,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<Answer>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cancel_requested: bool,
    /// How many of the times at which prices are asked for have come, after its end.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub(crate) price_looks: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The campaign and the run that a job belongs to. A single call belongs to none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its run.
    pub run: RunId,
}

/// Where a job stands. A call SID exists exactly in the phases that have a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// To be dialled, not before `due`.
    Waiting {
        /// Not before this.
        due: Timestamp,
        /// Not before its beginning and not after its end, where hours are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Window>,
    },
    /// The intent is stored; the request to Twilio may be in flight.
    Dialing {
        /// When the intent was stored.
        since: Timestamp,
        /// The request's secret.
        tag: Tag,
    },
    /// The request's fate is unclear: never redialled, only looked up.
    Unknown {
        /// When the intent was stored.
        since: Timestamp,
        /// The request's secret.
        tag: Tag,
        /// When it is looked up next.
        look_up_at: Timestamp,
        /// How many of the look-ups' times have come.
        tries: u32,
    },
    /// Twilio has the call.
    Placed {
        /// The call.
        call: CallSid,
        /// When it became known.
        since: Timestamp,
        /// `queued`, `initiated` or `ringing`.
        last_word: CallStatus,
        /// When the sweep looks at it again.
        look_at: Timestamp,
    },
    /// The call was picked up.
    Talking {
        /// The call.
        call: CallSid,
        /// When it was picked up.
        since: Timestamp,
        /// When the sweep looks at it again.
        look_at: Timestamp,
    },
    /// Of the report and the hang-up, one is here.
    Closing {
        /// The call.
        call: CallSid,
        /// When the first of the two came.
        since: Timestamp,
        /// Which one.
        half: Half,
    },
    /// It is over. Never changes again.
    Done {
        /// How it ended.
        outcome: Outcome,
    },
    /// Still unclear after every look-up: a person decides.
    Quarantined {
        /// When the intent was stored.
        since: Timestamp,
        /// The request's secret.
        tag: Tag,
    },
}

impl Phase {
    /// Whether a spoken call is over, and what was said last in it may still be on its way.
    pub const fn awaits_last_words(&self) -> bool {
        matches!(self, Phase::Closing { half: Half::Ended { reason: Some(_) }, .. })
    }
}

/// Which half of a call's end has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "half", rename_all = "snake_case")]
pub enum Half {
    /// The conversation's report; the hang-up is awaited.
    Reported {
        /// The report.
        report: Report,
    },
    /// The hang-up; the report is awaited, and in a call that is spoken the last turn, which may come behind it.
    Ended {
        /// Why a spoken call ended, unless its last turn reports another reason. None: its agent is on a stream.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<EndedReason>,
    },
}

words!(
    /// A job's status, as users see it.
    Status {
        /// To be dialled.
        Waiting = "waiting",
        /// Being dialled.
        Dialing = "dialing",
        /// It is unclear whether Twilio made the call.
        Unknown = "unknown",
        /// Twilio has the call.
        Placed = "placed",
        /// Somebody picked up.
        InProgress = "in_progress",
        /// The call is ending.
        Closing = "closing",
        /// Over, with an answer.
        Completed = "completed",
        /// Over, without.
        Failed = "failed",
        /// Not dialled.
        Skipped = "skipped",
        /// Taken back.
        Cancelled = "cancelled",
        /// A person has to decide.
        Quarantined = "quarantined",
    }
);

impl Status {
    /// Whether a call may be going on, or may have been asked for.
    pub const fn is_live(self) -> bool {
        matches!(self, Status::Dialing | Status::Unknown | Status::Placed | Status::InProgress | Status::Closing)
    }

    /// Whether time alone has nothing left to do.
    pub const fn is_final(self) -> bool {
        !self.is_live() && !matches!(self, Status::Waiting)
    }
}

/// How long a report or a hang-up waits for its other half.
const CLOSING_LIMIT: i64 = 10;
/// Reply and stored intent may race by this much before a dialler counts as dead.
const DIAL_GRACE: i64 = 2;

impl CallJob {
    /// A job for a gym, to be dialled from `due` on.
    pub fn new(id: JobId, membership: Option<Membership>, gym: Gym, due: Timestamp, now: Timestamp) -> Self {
        Self {
            id,
            membership,
            script: None,
            gym,
            phase: Phase::Waiting { due, window: None },
            attempts: Vec::new(),
            answers: Vec::new(),
            cancel_requested: false,
            price_looks: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same single call, to be made with a campaign's words: a test call.
    pub fn with_script_of(mut self, campaign: CampaignId) -> Self {
        self.script = Some(campaign);
        self
    }

    /// The same job, waiting for its gym's next window where hours are kept. A gym that has none is found out when
    /// its dial is to begin.
    pub fn keeping(mut self, hours: Option<&Hours>) -> Self {
        let _ = self.keep(hours);
        self
    }

    /// Waits for the next window, or tells why the gym will never be called.
    pub(crate) fn keep(&mut self, hours: Option<&Hours>) -> Result<(), SkipReason> {
        let (Phase::Waiting { due, window }, Some(hours)) = (&mut self.phase, hours) else { return Ok(()) };
        let zone = self.gym.timezone.as_ref().ok_or(SkipReason::NoTimezone)?;
        *window = Some(hours.next(zone, *due).ok_or(SkipReason::OutsideWindow)?);
        Ok(())
    }

    /// Whether it waits for the window that these hours give. If not, it was made by others, or by an older
    /// database of time zones.
    pub(crate) fn waits_by(&self, hours: Option<&Hours>) -> bool {
        let Phase::Waiting { due, window } = self.phase else { return true };
        let zone = self.gym.timezone.as_ref();
        window == hours.zip(zone).and_then(|(hours, zone)| hours.next(zone, due))
    }

    /// Its id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Its campaign and run; none for a single call.
    pub fn membership(&self) -> Option<&Membership> {
        self.membership.as_ref()
    }

    /// The campaign whose words its call speaks: its own or, for a test call, the one that is tested.
    pub fn scripted_by(&self) -> Option<&CampaignId> {
        self.membership.as_ref().map(|membership| &membership.campaign).or(self.script.as_ref())
    }

    /// Whom it calls.
    pub fn gym(&self) -> &Gym {
        &self.gym
    }

    /// Where it stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Its tries, the first first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// What was answered, in the order it was heard.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Whether a person has asked for it to be taken back.
    pub fn cancel_requested(&self) -> bool {
        self.cancel_requested
    }

    /// When it was accepted.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it last changed.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// How often the gym's phone was tried.
    pub fn tries(&self) -> u32 {
        let counted = self.attempts.iter().filter(|attempt| attempt.counts).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done { outcome } => Some(outcome),
            _ => None,
        }
    }

    /// Its status, as users see it.
    pub fn status(&self) -> Status {
        match &self.phase {
            Phase::Waiting { .. } => Status::Waiting,
            Phase::Dialing { .. } => Status::Dialing,
            Phase::Unknown { .. } => Status::Unknown,
            Phase::Placed { .. } => Status::Placed,
            Phase::Talking { .. } => Status::InProgress,
            Phase::Closing { .. } => Status::Closing,
            Phase::Quarantined { .. } => Status::Quarantined,
            Phase::Done { outcome } => match outcome {
                Outcome::Answered(_) => Status::Completed,
                Outcome::GaveUp(_) => Status::Failed,
                Outcome::Skipped(_) => Status::Skipped,
                Outcome::Cancelled => Status::Cancelled,
            },
        }
    }

    /// The call it has now, if it has one.
    pub fn call(&self) -> Option<&CallSid> {
        match &self.phase {
            Phase::Placed { call, .. } | Phase::Talking { call, .. } | Phase::Closing { call, .. } => Some(call),
            _ => None,
        }
    }

    /// The attempt that is open now: its fate is not settled yet.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        match self.phase {
            Phase::Waiting { .. } | Phase::Done { .. } => None,
            _ => self.attempts.last(),
        }
    }

    /// Whether it keeps its number from being called by another job.
    pub fn holds_number(&self) -> bool {
        self.open_attempt().is_some()
    }

    /// Until when it may hold one of the account's lines; none when it holds none.
    pub fn line_until(&self, rules: &Rules) -> Option<Timestamp> {
        match self.phase {
            Phase::Quarantined { .. } => None,
            _ => self.open_attempt().map(|attempt| later(attempt.begun_at, rules.line_limit())),
        }
    }

    /// When a worker may take it: for waiting jobs only.
    pub fn due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Waiting { due, window } => Some(window.map_or(due, |window| due.max(window.opens))),
            _ => None,
        }
    }

    /// When the sweep must tell it that time has passed: for all jobs that are neither
    /// waiting nor final, so that none is ever forgotten; and for those that are over while a price is missing.
    pub fn deadline(&self, rules: &Rules) -> Option<Timestamp> {
        let seconds = jiff::SignedDuration::from_secs;
        match self.phase {
            Phase::Waiting { .. } | Phase::Quarantined { .. } => None,
            Phase::Done { .. } => self.price_look_at(rules),
            Phase::Dialing { since, .. } => Some(later(since, rules.dial_deadline + seconds(DIAL_GRACE))),
            Phase::Unknown { look_up_at, .. } => Some(look_up_at),
            Phase::Placed { look_at, .. } | Phase::Talking { look_at, .. } => Some(look_at),
            Phase::Closing { since, half: Half::Reported { .. }, .. } => {
                // In a spoken call the report comes before the goodbye, which must not be cut off.
                let said = self.attempts.last().and_then(|attempt| attempt.speaks_until);
                Some(later(said.map_or(since, |said| said.max(since)), seconds(CLOSING_LIMIT)))
            }
            Phase::Closing { since, half: Half::Ended { .. }, .. } => Some(later(since, seconds(CLOSING_LIMIT))),
        }
    }

    /// Its calls that cost something, of which Twilio has not told yet how much.
    pub fn unpriced(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.awaits_price())
    }

    /// When Twilio is asked next for the prices that are missing, if ever again.
    fn price_look_at(&self, rules: &Rules) -> Option<Timestamp> {
        let wait = rules.price_waits.get(usize::try_from(self.price_looks).ok()?)?;
        let ended = self.unpriced().filter_map(|attempt| attempt.ended_at).max()?;
        // The end is by Twilio's clock: a wrong one must not put it off for ever.
        Some(later(ended.min(self.updated_at), *wait))
    }
}

// serde hands `skip_serializing_if` a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_none_yet(looks: &u32) -> bool {
    *looks == 0
}
