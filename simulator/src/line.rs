//! The sound path of an answered call: a clock of 20 ms, the callee at one end, what is played to it
//! at the other. It runs from pick-up to hang-up, whether a media stream is attached or not.

mod bridge;
mod condition;
mod echo;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc;

use crate::call::{Call, Command};
use crate::callee::{Act, Callee, Conversation};
use crate::clock::{Kept, Ticking};
use crate::detection;
use crate::exchange::Exchange;
use crate::log::{Event, Log};
use crate::mulaw::{FRAME, SILENCE};
use crate::stream::{Playback, Sender, Tick};
use bridge::Bridge;
pub use condition::{Close, Condition, Stall};
use echo::Echo;

/// SIP: service unavailable.
const LINE_BROKE: u16 = 503;

/// What the callee does at its end, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromCallee {
    BeganToSpeak,
    /// One breath has ended. The words are those meant, also if they were mumbled.
    Said {
        text: String,
        mumbled: bool,
    },
    /// A key: `0`-`9`, `*`, `#`, `A`-`D`.
    Pressed(char),
}

/// One answered call's sound. Clones share it.
#[derive(Clone)]
pub(crate) struct Line {
    condition: Arc<Condition>,
    seed: u64,
    ends: Arc<Mutex<Ends>>,
}

struct Ends {
    conversation: Conversation,
    playback: Playback,
    streams: Vec<Arc<Sender>>,
    listeners: Vec<mpsc::UnboundedSender<FromCallee>>,
    /// To another call's line.
    bridge: Option<Bridge>,
    echo: Option<Echo>,
    dice: StdRng,
}

/// A line on the clock.
struct Sounding {
    line: Line,
    call: Arc<Call>,
    log: Log,
}

impl Line {
    /// The line of a call to `callee`, the `nth` to its number (from 0).
    pub(crate) fn of(exchange: &Exchange, call: &Call, callee: &Arc<Callee>, nth: usize) -> Line {
        let mut condition = callee.line.clone();
        condition.add(&call.fate.line);
        // Not from the order in which calls are picked up: that differs from run to run.
        let mut hasher = DefaultHasher::new();
        (exchange.settings.seed, &call.order.to, nth).hash(&mut hasher);
        let seed = hasher.finish();
        let ends = Ends {
            conversation: Conversation::new(Arc::clone(callee), Arc::clone(&exchange.speaker)),
            playback: Playback::default(),
            streams: Vec::new(),
            listeners: Vec::new(),
            bridge: None,
            echo: Echo::after(condition.echo_ms),
            dice: StdRng::seed_from_u64(seed),
        };
        Line { condition: Arc::new(condition), seed, ends: Arc::new(Mutex::new(ends)) }
    }

    /// Lets it sound until the guard is dropped.
    pub(crate) fn start(&self, exchange: &Exchange, call: &Arc<Call>) -> Kept {
        let sounding = Sounding { line: self.clone(), call: Arc::clone(call), log: exchange.log.clone() };
        exchange.clock.keep(Arc::new(sounding))
    }

    /// What is wrong with it.
    pub(crate) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Decides what is random about it and its streams.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// What is played to the callee.
    pub(crate) fn with_playback<T>(&self, change: impl FnOnce(&mut Playback) -> T) -> T {
        change(&mut self.lock().playback)
    }

    /// Attaches a stream; it is given every tick from now on.
    pub(crate) fn attach(&self, stream: &Arc<Sender>) {
        let mut ends = self.lock();
        if stream.is_two_way() {
            ends.playback.clear();
        }
        ends.streams.push(Arc::clone(stream));
    }

    /// Takes a stream off, with all of its that was not played.
    pub(crate) fn detach(&self, stream: &Arc<Sender>) {
        let mut ends = self.lock();
        if stream.is_two_way() {
            ends.playback.clear();
        }
        ends.streams.retain(|other| !Arc::ptr_eq(other, stream));
    }

    /// Tells the callee the words of what has just been played to it.
    pub(crate) fn tell(&self, text: &str) {
        self.lock().conversation.told(text);
    }

    /// Follows what the callee does from now on; drop the receiver to stop.
    pub(crate) fn listen(&self) -> mpsc::UnboundedReceiver<FromCallee> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().listeners.push(sender);
        receiver
    }

    /// Puts this line and `other` together: each callee hears the other, unless something is played.
    pub(crate) fn bridge(&self, other: &Line) {
        let (here, there) = Bridge::between();
        self.lock().bridge = Some(here);
        other.lock().bridge = Some(there);
    }

    /// Takes this line off the other one, which from now on hears nothing of it.
    pub(crate) fn unbridge(&self) {
        self.lock().bridge = None;
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticking for Sounding {
    fn tick(&self, at: u64) -> Option<u64> {
        let mut acts = Vec::new();
        let again = self.line.lock().tick(at, self, &mut acts);
        for act in acts {
            note(&self.call, act, &self.log);
        }
        again
    }

    fn between(&self, at: u64) -> Option<u64> {
        let ends = self.line.lock();
        ends.streams.iter().filter_map(|stream| stream.between(at)).min()
    }
}

impl Ends {
    fn tick(&mut self, at: u64, sounding: &Sounding, acts: &mut Vec<Act>) -> Option<u64> {
        let Sounding { line: Line { condition, .. }, call, log } = sounding;
        let idle = self.playback.is_empty();
        let (mut played, marks) = self.playback.frame();
        let across = self.bridge.as_ref().and_then(Bridge::hear);
        if let Some(across) = across.filter(|_| idle) {
            played = across;
        }
        let mut is_lost = || condition.loss > 0.0 && self.dice.random_bool(condition.loss.clamp(0.0, 1.0));
        let heard = if is_lost() { [SILENCE; FRAME] } else { played };
        let is_lost = is_lost();
        let mut spoken = self.conversation.frame(&heard, acts);
        if let Some(echo) = &mut self.echo {
            spoken = echo.frame(&heard, spoken);
        }
        if is_lost {
            spoken = None;
        }
        if let Some(bridge) = &self.bridge {
            bridge.say(spoken);
        }
        call.tape.frame(spoken.as_ref(), &played);
        detection::hear(call, spoken.as_ref(), log);
        for news in acts.iter().filter_map(FromCallee::of) {
            self.listeners.retain(|listener| listener.send(news.clone()).is_ok());
        }
        let dies = acts.contains(&Act::DropStream);
        if dies && !self.streams.iter().any(|stream| stream.is_two_way()) {
            // There is no stream that could break, so the line itself does.
            call.facts().sip = LINE_BROKE;
            call.command(Command::HangUp);
        }
        if self.streams.is_empty() {
            return None;
        }
        let keys: Vec<char> = acts.iter().filter_map(Act::key).collect();
        let tick = Tick { at, spoken: spoken.as_ref(), is_lost, played: &played, marks: &marks, keys: &keys, dies };
        self.streams.iter().filter_map(|stream| stream.tick(&tick)).min()
    }
}

impl Act {
    fn key(&self) -> Option<char> {
        match self {
            Act::Pressed(key) => Some(*key),
            _ => None,
        }
    }
}

impl FromCallee {
    fn of(act: &Act) -> Option<FromCallee> {
        match act {
            Act::Began => Some(FromCallee::BeganToSpeak),
            Act::Breathed { text, mumbled } => Some(FromCallee::Said { text: text.clone(), mumbled: *mumbled }),
            Act::Pressed(key) => Some(FromCallee::Pressed(*key)),
            Act::Heard(_)
            | Act::Misheard(_)
            | Act::HeardKey(_)
            | Act::Kept(_)
            | Act::Said { .. }
            | Act::HangUp
            | Act::DropStream => None,
        }
    }
}

fn note(call: &Call, act: Act, log: &Log) {
    let sid = call.sid.clone();
    match act {
        Act::Heard(text) => log.add(Event::Heard { sid, text }),
        Act::Misheard(hint) => log.add(Event::Warning {
            sid: Some(sid),
            code: 0,
            message: format!("the callee did not understand: {hint}"),
        }),
        Act::Said { text, mumbled } => log.add(Event::Said { sid, text, mumbled }),
        Act::Kept(text) => log.add(Event::Message { sid, text }),
        Act::HeardKey(key) => log.add(Event::Key { sid, key, by_callee: false }),
        Act::Pressed(key) => log.add(Event::Key { sid, key, by_callee: true }),
        Act::HangUp => call.command(Command::HangUp),
        Act::Began | Act::Breathed { .. } | Act::DropStream => {}
    }
}
