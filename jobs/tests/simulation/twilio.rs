//! A Twilio: makes at most one call for each request, lives it, and tells of it in its own unkind way.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::phone::PhoneNumber;
use jiff::Timestamp;

use super::callback::Webhook;
use super::plan::Post;
use super::server;
use super::world::{MS, SECOND, World, instant, say};

/// Twilio's calls, the first first.
#[derive(Default)]
pub(crate) struct Twilio {
    pub(crate) calls: Vec<Call>,
}

/// One call.
pub(crate) struct Call {
    pub(crate) sid: CallSid,
    pub(crate) tag: Tag,
    pub(crate) job: JobId,
    pub(crate) to: PhoneNumber,
    pub(crate) made: i64,
    pub(crate) status: CallStatus,
    /// Since when its status is what it is.
    pub(crate) since: i64,
    /// The status before.
    pub(crate) before: CallStatus,
    pub(crate) picked_up: Option<i64>,
    pub(crate) listed_at: i64,
    /// Since when its records show each request that was made for it.
    pub(crate) shown: Vec<i64>,
    pub(crate) post: Post,
    /// The process that its sound goes to.
    pub(crate) stream: Option<usize>,
    /// Somebody asked for its end, and was heard.
    pub(crate) told_to_end: bool,
}

impl Call {
    pub(crate) fn is_over(&self) -> bool {
        self.status.is_terminal()
    }

    /// Its length, once it is over.
    pub(crate) fn duration_s(&self) -> Option<u32> {
        let talked = self.picked_up.filter(|_| self.is_over()).map(|at| self.since - at);
        talked.and_then(|talked| u32::try_from(talked / SECOND).ok())
    }

    /// When it was made, by Twilio's clock, in whole seconds.
    pub(crate) fn date_created(&self, ahead: i64) -> Timestamp {
        let made = self.made + ahead;
        instant(made - made.rem_euclid(SECOND))
    }
}

/// What becomes of a request for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    /// The reply comes after its reader has gone.
    CreatedSlowly,
    CreatedThenReset,
    CreatedThenSilence,
    CreatedThenError,
    NoConnection,
    Reset,
    Silence,
    /// 500, or 21204, without a call.
    Error,
    Throttled,
    BadNumber,
    BadAccount,
}

pub(crate) const FATES: [Fate; 12] = [
    Fate::CreatedSlowly,
    Fate::CreatedThenReset,
    Fate::CreatedThenSilence,
    Fate::CreatedThenError,
    Fate::NoConnection,
    Fate::Reset,
    Fate::Silence,
    Fate::Error,
    Fate::Throttled,
    Fate::BadNumber,
    Fate::BadAccount,
    Fate::Created,
];

impl Fate {
    pub(crate) const fn creates(self) -> bool {
        matches!(
            self,
            Fate::Created
                | Fate::CreatedSlowly
                | Fate::CreatedThenReset
                | Fate::CreatedThenSilence
                | Fate::CreatedThenError
        )
    }

    /// Whether nobody can tell from the reply what became of it.
    pub(crate) const fn is_unclear(self) -> bool {
        !matches!(self, Fate::Created | Fate::NoConnection | Fate::Throttled | Fate::BadNumber | Fate::BadAccount)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Fate::Created => "request: created",
            Fate::CreatedSlowly => "request: created, the reply 30 s late",
            Fate::CreatedThenReset => "request: created, then a reset",
            Fate::CreatedThenSilence => "request: created, no reply",
            Fate::CreatedThenError => "request: created, then a 5xx",
            Fate::NoConnection => "request: no connection",
            Fate::Reset => "request: a reset, not created",
            Fate::Silence => "request: no reply, not created",
            Fate::Error => "request: a 5xx, not created",
            Fate::Throttled => "request: 429",
            Fate::BadNumber => "request: a bad number",
            Fate::BadAccount => "request: a bad account",
        }
    }
}

impl World {
    /// A request for a call has arrived.
    pub(crate) fn create(&mut self, tag: Tag, job: &CallJob) -> CallSid {
        let sid: CallSid = format!("CA{:032x}", self.dice.name()).parse().expect("32 hexadecimal digits");
        let at = self.twilio.calls.len();
        let post = match self.dice.below(4) {
            0 if !self.calm => self.dice.of(&super::plan::POSTS),
            _ if self.calm => Post::Clean,
            _ => self.plan.post,
        };
        let listing_lag = if self.plan.listing_lag > 0 { self.dice.between(0, self.plan.listing_lag) } else { 0 };
        self.twilio.calls.push(Call {
            sid: sid.clone(),
            tag,
            job: job.id().clone(),
            to: job.gym().phone.clone(),
            made: self.now,
            status: CallStatus::Queued,
            since: self.now,
            before: CallStatus::Queued,
            picked_up: None,
            listed_at: self.now + listing_lag,
            shown: Vec::new(),
            post,
            stream: None,
            told_to_end: false,
        });
        self.tally.calls += 1;
        self.tally.post(post);
        self.under_way += 1;
        say!(self, "Twilio makes call {at} for {}, callbacks {post:?}", super::door::name(job));
        self.created(at);
        let queued = match self.dice.below(40) {
            0 if !self.calm => {
                self.fault("Twilio: queued for minutes");
                self.dice.between(50 * SECOND, 400 * SECOND)
            }
            1 if !self.calm => {
                self.fault("Twilio: queued for a day");
                86_400 * SECOND
            }
            _ => self.dice.between(20 * MS, SECOND),
        };
        self.after(queued, move |world| world.dial_out(at));
        sid
    }

    fn dial_out(&mut self, at: usize) {
        if self.advance(at, &[CallStatus::Queued], CallStatus::Initiated) {
            let (wait, way) = (self.dice.between(100 * MS, 2 * SECOND), self.dice.below(10));
            self.after(wait, move |world| match way {
                0 => world.ends(at, CallStatus::Initiated, CallStatus::Busy),
                1 => world.ends(at, CallStatus::Initiated, CallStatus::Failed),
                _ => world.ring(at),
            });
        }
    }

    fn ring(&mut self, at: usize) {
        if self.advance(at, &[CallStatus::Initiated], CallStatus::Ringing) {
            let limit = self.plan.rules.ring_timeout.as_secs() * SECOND;
            if self.dice.below(10) < 3 {
                self.after(limit, move |world| world.ends(at, CallStatus::Ringing, CallStatus::NoAnswer));
            } else {
                let wait = self.dice.between(SECOND, limit);
                self.after(wait, move |world| world.pick_up(at));
            }
        }
    }

    fn pick_up(&mut self, at: usize) {
        if self.advance(at, &[CallStatus::Ringing], CallStatus::InProgress) {
            self.twilio.calls[at].picked_up = Some(self.now);
            let limit = self.plan.rules.time_limit.as_secs() * SECOND;
            self.after(limit, move |world| world.hang_up(at));
            self.under_way += 1;
            self.deliver(Webhook::voice(at));
        }
    }

    /// The call ends, whoever wanted it.
    pub(crate) fn hang_up(&mut self, at: usize) {
        self.ends(at, CallStatus::InProgress, CallStatus::Completed);
    }

    fn ends(&mut self, at: usize, from: CallStatus, to: CallStatus) {
        self.advance(at, &[from], to);
    }

    /// What the voice webhook was answered with, or that nobody answered.
    pub(crate) fn instructed(&mut self, at: usize, connect: Option<bool>) {
        let call = &self.twilio.calls[at];
        if call.is_over() || call.stream.is_some() {
            return;
        }
        let host = if connect == Some(true) { super::process::any_server(self) } else { None };
        let Some(process) = host else {
            return self.after(SECOND, move |world| world.hang_up(at));
        };
        self.twilio.calls[at].stream = Some(process);
        say!(self, "call {at}: its sound goes to process {process}");
        let conversation = server::conversation(self, at, process);
        self.begin(process, conversation);
        // Not every gym stays on the line to the end.
        if self.dice.one_in(3) {
            let patience = self.dice.between(SECOND, 60 * SECOND);
            self.after(patience, move |world| world.hang_up(at));
        }
    }

    /// The call goes on to its next status, if it is where it can.
    pub(crate) fn advance(&mut self, at: usize, from: &[CallStatus], to: CallStatus) -> bool {
        let now = self.now;
        let call = &mut self.twilio.calls[at];
        if !from.contains(&call.status) {
            return false;
        }
        let was_queued = call.status == CallStatus::Queued;
        (call.before, call.status, call.since) = (call.status, to, now);
        if to.is_terminal() {
            call.stream = None;
            self.under_way -= 1;
        }
        self.tally.twilio(1);
        say!(self, "call {at} is {to}");
        // Of a call that was only queued, Twilio says nothing when it is taken back.
        if !(was_queued && to == CallStatus::Canceled) {
            self.call_back(at, to);
        }
        true
    }
}

/// What was said to a process that is gone, is said to nobody: the call ends.
pub(crate) fn lose_streams(world: &mut World, process: usize) {
    for at in 0..world.twilio.calls.len() {
        if world.twilio.calls[at].stream == Some(process) {
            world.twilio.calls[at].stream = None;
            world.fault("stream: its process died");
            world.after(SECOND, move |world| world.hang_up(at));
        }
    }
}
