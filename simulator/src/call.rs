//! A call: what was ordered, where it stands, and what can be done to it.

mod life;
mod order;
mod pickup;
mod script;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::callback::Held;
use crate::detection::{Ear, Verdict};
use crate::fault::Fate;
use crate::line::Line;
use crate::recording::Tape;
use crate::status::Status;
use crate::webhook::Delivery;

pub(crate) use life::live;
pub(crate) use order::{Callbacks, Detection, DetectionMode, Fetch, Method, Order, Press, SendDigits, Source, Telling};

/// One call from its creation on.
pub(crate) struct Call {
    pub(crate) sid: String,
    pub(crate) order: Order,
    /// The call whose `<Dial>` made this one.
    pub(crate) parent: Option<String>,
    pub(crate) fate: Fate,
    status: watch::Sender<Status>,
    commands: mpsc::UnboundedSender<Command>,
    /// How long it is talked at most.
    limit: watch::Sender<Duration>,
    facts: Mutex<Facts>,
    line: OnceLock<Line>,
    /// Webhooks made for it; whoever waits for the first one watches this.
    deliveries: watch::Sender<Vec<Delivery>>,
    /// The recordings that its line feeds.
    pub(crate) tape: Tape,
    /// Finds out who has picked up, if that was ordered.
    pub(crate) ear: Ear,
}

/// What happens to a call from outside its own life.
#[derive(Debug)]
pub(crate) enum Command {
    /// End it, whatever it is doing.
    HangUp,
    /// End it if nobody has picked up.
    Cancel,
    /// Carry on with another document.
    Redirect(Source),
}

/// What is known of a call besides its status.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) dialled: Option<Timestamp>,
    pub(crate) answered: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// Estimate at creation of how long it would stay queued.
    pub(crate) queue_ms: u64,
    pub(crate) sip: u16,
    /// Who has picked up, once machine detection has found it out.
    pub(crate) answered_by: Option<Verdict>,
    /// Where news of it goes; an update may change that.
    pub(crate) callbacks: Callbacks,
    /// Asked when TwiML cannot be had.
    pub(crate) fallback: Option<Fetch>,
    /// Callbacks fired so far.
    pub(crate) sequence: u32,
    /// A callback that waits to change places with the next one.
    pub(crate) held: Option<Held>,
}

impl Call {
    pub(crate) fn new(
        sid: String,
        order: Order,
        fate: Fate,
        queue_ms: u64,
    ) -> (Call, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let now = Timestamp::now();
        let facts = Facts {
            created: now,
            updated: now,
            dialled: None,
            answered: None,
            ended: None,
            queue_ms,
            sip: 200,
            answered_by: None,
            callbacks: order.callbacks.clone(),
            fallback: order.fallback.clone(),
            sequence: 0,
            held: None,
        };
        let call = Call {
            sid,
            limit: watch::Sender::new(order.talk),
            order,
            parent: None,
            fate,
            status: watch::Sender::new(Status::Queued),
            commands,
            facts: Mutex::new(facts),
            line: OnceLock::new(),
            deliveries: watch::Sender::new(Vec::new()),
            tape: Tape::default(),
            ear: Ear::default(),
        };
        (call, receiver)
    }

    /// Twilio's word for who called whom.
    pub(crate) fn direction(&self) -> &'static str {
        match self.parent {
            Some(_) => "outbound-dial",
            None => "outbound-api",
        }
    }

    pub(crate) fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Follows the status.
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Follows how long it may be talked.
    pub(crate) fn limit(&self) -> watch::Receiver<Duration> {
        self.limit.subscribe()
    }

    pub(crate) fn set_limit(&self, limit: Duration) {
        self.limit.send_replace(limit);
    }

    /// Follows the webhooks made for this call.
    pub(crate) fn deliveries(&self) -> watch::Receiver<Vec<Delivery>> {
        self.deliveries.subscribe()
    }

    pub(crate) fn delivered(&self, delivery: Delivery) {
        self.deliveries.send_modify(|all| all.push(delivery));
    }

    /// Moves on if the call stands at one of `from`; false if it does not, and then nothing changes.
    /// A cancel and the dialling may want a queued call at the same time: only one gets it.
    pub(crate) fn advance(&self, from: &[Status], to: Status) -> bool {
        self.status.send_if_modified(|status| {
            if !from.contains(status) {
                return false;
            }
            let now = Timestamp::now();
            let mut facts = self.facts();
            facts.updated = now;
            match to {
                Status::Initiated => facts.dialled = Some(now),
                Status::InProgress => facts.answered = Some(now),
                to if to.is_final() => facts.ended = Some(now),
                _ => {}
            }
            *status = to;
            true
        })
    }

    /// Whether the list of calls shows it yet.
    pub(crate) fn is_listed(&self, now: Timestamp) -> bool {
        has_come(self.facts().created, self.fate.list_lag_ms, now)
    }

    /// Gives it the line on which it sounds.
    fn connect(&self, line: Line) {
        let _ = self.line.set(line);
    }

    /// The line on which it sounds or sounded, if it was picked up.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.line.get()
    }

    /// Asks the call's life to do something; a call that is over ignores it.
    pub(crate) fn command(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A length as Twilio tells it, in whole seconds: rounded, since what ends at a limit ends some
/// milliseconds after it. Nothing is 0, and what is shorter than a second is 1.
pub(crate) fn whole_seconds(length: Duration) -> u64 {
    let rounded = (length.as_millis() as u64 + 500) / 1000;
    rounded.max(u64::from(!length.is_zero()))
}

/// Whether what happened `then` is shown by a record that lags behind by so much.
pub(crate) fn has_come(then: Timestamp, lag_ms: u64, now: Timestamp) -> bool {
    now.as_millisecond().saturating_sub(then.as_millisecond()) >= i64::try_from(lag_ms).unwrap_or(i64::MAX)
}

impl Facts {
    /// Whole seconds of talk, at least one, if somebody picked up and it is over.
    pub(crate) fn duration_s(&self) -> Option<u64> {
        let talked = self.ended?.duration_since(self.answered?);
        Some(whole_seconds(Duration::try_from(talked).unwrap_or_default()).max(1))
    }
}
