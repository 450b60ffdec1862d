//! What was seen in all histories together: a law that no history touches would hold for nothing.

use std::collections::BTreeMap;
use std::fmt;

use gymcall_jobs::job::Status;
use gymcall_jobs::step::Effect;
use gymcall_jobs::store::Refusal;

use super::plan::Post;

/// Counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) histories: u64,
    events: u64,
    pub(crate) calls: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_replies: u64,
    pub(crate) quarantines: u64,
    pub(crate) conflicts: u64,
    pub(crate) doubled: u64,
    pub(crate) seen: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, name: &'static str) {
        self.events += 1;
        self.see(name);
    }

    pub(crate) fn told(&mut self, many: usize) {
        self.events += many as u64;
    }

    pub(crate) fn twilio(&mut self, many: u64) {
        self.events += many;
    }

    pub(crate) fn act(&mut self, name: &'static str) {
        self.events += 1;
        self.see(name);
    }

    pub(crate) fn status(&mut self, status: Status) {
        self.see(status.as_str());
    }

    pub(crate) fn post(&mut self, post: Post) {
        self.see(match post {
            Post::Clean => "callbacks: clean",
            Post::Doubled => "callbacks: doubled and out of order",
            Post::Lossy => "callbacks: every second lost",
            Post::LastOnly => "callbacks: lost but the last",
            Post::Silent => "callbacks: none",
            Post::Late => "callbacks: up to days late",
            Post::Early => "callbacks: before the reply",
        });
    }

    pub(crate) fn order(&mut self, effect: &Effect) {
        self.events += 1;
        self.see(match effect {
            Effect::HangUp(_) => "order: hang up",
            Effect::TakeBack(_) => "order: take back",
            Effect::LeaveMessage(_) => "order: leave a message",
            Effect::Fetch(_) => "order: fetch",
            Effect::LookUp { .. } => "order: look up",
            Effect::ReadPrice { .. } => "order: read a price",
            Effect::Suppress => "order: suppress",
        });
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.events += 1;
        self.see(match refusal {
            Refusal::Changed => "refused: changed",
            Refusal::NotDue(_) => "refused: not due",
            Refusal::WindowClosed => "refused: window closed",
            Refusal::HoursChanged => "refused: hours changed",
            Refusal::NotRunning => "refused: not running",
            Refusal::Superseded => "refused: superseded",
            Refusal::Suppressed => "refused: suppressed",
            Refusal::NumberHeld(_) => "refused: number held",
            Refusal::NoLine => "refused: no line",
            Refusal::Pace(_) => "refused: pace",
            Refusal::CircuitBreaker => "refused: circuit breaker",
            Refusal::DailyLimit => "refused: daily limit",
            Refusal::Budget => "refused: budget",
            Refusal::InDoubt => "refused: in doubt",
        });
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.histories += other.histories;
        self.events += other.events;
        self.calls += other.calls;
        self.crashes += other.crashes;
        self.lost_replies += other.lost_replies;
        self.quarantines += other.quarantines;
        self.conflicts += other.conflicts;
        self.doubled += other.doubled;
        for (what, many) in &other.seen {
            *self.seen.entry(what).or_default() += many;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, events, calls, crashes, lost_replies, quarantines, conflicts, doubled, .. } = self;
        write!(
            f,
            "{histories} histories, {events} events, {calls} calls, {crashes} crashes, {lost_replies} lost replies, \
             {quarantines} quarantines, {conflicts} conflicts, {doubled} calls to a gym that a person had said was not \
             called"
        )
    }
}
