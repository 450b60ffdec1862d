//! How a call goes: decided when it begins, by chance.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::forecast::Expectations;
use gymcall_jobs::id::{CallSid, Tag};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use jiff::{SignedDuration, Timestamp};

use crate::simulation::chance::Dice;

/// Micro-dollars a minute, as the operator has set them.
pub const PRICE_PER_MINUTE: i64 = 14_000;

/// How the people of a night behave, in seconds and in thousandths of all calls.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    pub answered: u64,
    pub voicemail: u64,
    pub busy: u64,
    pub no_answer: u64,
    /// How long an answered call goes on, at least and at most.
    pub talk: (i64, i64),
}

impl Habits {
    /// As a forecast that has seen no call expects.
    pub fn usual() -> Self {
        let expected = Expectations::default();
        let thousandths = |share: f64| (share * 1_000.0).round() as u64;
        Self {
            answered: thousandths(expected.answered.share),
            voicemail: thousandths(expected.voicemail.share),
            busy: thousandths(expected.busy.share),
            no_answer: thousandths(expected.no_answer.share),
            // 12 s of ringing and 78 s on average make the usual 90 s; most are longer than a minute.
            talk: (36, 120),
        }
    }
}

/// What becomes of one call, in the order of its times.
pub struct Call {
    pub events: Vec<(Timestamp, Event)>,
    /// Micro-dollars.
    pub cost: i64,
}

/// Ring times, in ms.
const RING: (i64, i64) = (4_000, 20_000);

impl Call {
    pub fn begin(habits: &Habits, tag: &Tag, call: CallSid, now: Timestamp, dice: &mut Dice) -> Self {
        let after = |ms: i64| now + SignedDuration::from_millis(ms);
        let news = |status, at: Timestamp, seconds: Option<i64>| Event::CallNews {
            tag: Some(tag.clone()),
            call: call.clone(),
            status,
            at: Some(at),
            duration_s: seconds.map(|seconds| u32::try_from(seconds).unwrap()),
            price: seconds.map(price),
            answered_by: None,
        };
        let created = (after(300), Event::Created { tag: tag.clone(), call: call.clone() });
        let mut throw = dice.below(1_000);
        let mut is = |share: u64| {
            let is = throw < share;
            throw = throw.saturating_sub(share);
            is && {
                throw = u64::MAX;
                true
            }
        };
        let (answered, voicemail) = (is(habits.answered), is(habits.voicemail));
        if answered || voicemail {
            let rings = dice.between(RING.0, RING.1);
            let talks = if answered { dice.between(habits.talk.0 * 1_000, habits.talk.1 * 1_000) } else { 18_000 };
            let report = match answered {
                true => report(Disposition::AnsweredFull, EndedReason::AgentHangup, AnsweredBy::Human),
                false => report(Disposition::Voicemail, EndedReason::VoicemailReached, AnsweredBy::MachineStart),
            };
            let ended = after(rings + talks);
            let seconds = talks.div_euclid(1_000) + 1;
            let events = vec![
                created,
                (after(rings), news(CallStatus::InProgress, after(rings), None)),
                (ended, Event::Reported { tag: tag.clone(), call: call.clone(), report }),
                (ended, news(CallStatus::Completed, ended, Some(seconds))),
            ];
            return Self { events, cost: minutes(seconds) * PRICE_PER_MINUTE };
        }
        let (status, ms) = if is(habits.busy) {
            (CallStatus::Busy, dice.between(3_000, 7_000))
        } else if is(habits.no_answer) {
            (CallStatus::NoAnswer, dice.between(30_000, 34_000))
        } else {
            (CallStatus::Failed, dice.between(2_000, 4_000))
        };
        Self { events: vec![created, (after(ms), news(status, after(ms), None))], cost: 0 }
    }
}

fn report(disposition: Disposition, ended_reason: EndedReason, answered_by: AnsweredBy) -> Report {
    Report { disposition, ended_reason, answered_by }
}

fn minutes(seconds: i64) -> i64 {
    (seconds + 59) / 60
}

/// As Twilio tells prices: below zero.
fn price(seconds: i64) -> String {
    let micros = minutes(seconds) * PRICE_PER_MINUTE;
    format!("-{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
