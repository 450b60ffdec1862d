//! The sound path of an answered call: a clock of 20 ms, the callee at one end, what is played to it
//! at the other. It runs from pick-up to hang-up, whether a media stream is attached or not.

mod bridge;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::call::{Call, Command};
use crate::callee::{Act, Callee, Conversation};
use crate::detection;
use crate::log::{Event, Log};
use crate::mulaw::FRAME;
use crate::stream::Playback;
use bridge::Bridge;

/// Frames a stream may lag behind before audio is thrown away: ten seconds.
const LARGEST_LAG: usize = 500;

/// SIP: service unavailable.
const LINE_BROKE: u16 = 503;

/// What a media stream is given every 20 ms.
#[derive(Debug)]
pub(crate) struct Tick {
    /// The callee's sound; `None` is silence.
    pub(crate) spoken: Option<[u8; FRAME]>,
    /// Marks whose audio the callee has heard.
    pub(crate) marks: Vec<String>,
    /// The callee's line makes the stream break.
    pub(crate) drop: bool,
}

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
#[derive(Clone, Default)]
pub(crate) struct Line {
    ends: Arc<Mutex<Ends>>,
}

#[derive(Default)]
struct Ends {
    playback: Playback,
    stream: Option<mpsc::Sender<Tick>>,
    listeners: Vec<mpsc::UnboundedSender<FromCallee>>,
    /// To another call's line.
    bridge: Option<Bridge>,
    /// Frames thrown away because the stream did not take them.
    lost: bool,
}

impl Line {
    /// What is played to the callee.
    pub(crate) fn with_playback<T>(&self, change: impl FnOnce(&mut Playback) -> T) -> T {
        change(&mut self.lock().playback)
    }

    /// Attaches a stream; it is given every tick from now on.
    pub(crate) fn attach(&self) -> mpsc::Receiver<Tick> {
        let (sender, receiver) = mpsc::channel(LARGEST_LAG);
        let mut ends = self.lock();
        ends.playback.clear();
        ends.stream = Some(sender);
        ends.lost = false;
        receiver
    }

    /// Takes the stream off, with all it had not played; true if some of its audio was lost.
    pub(crate) fn detach(&self) -> bool {
        let mut ends = self.lock();
        ends.playback.clear();
        ends.stream = None;
        ends.lost
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

    /// Keeps the clock until the task is ended.
    pub(crate) async fn run(self, call: Arc<Call>, callee: Arc<Callee>, log: Log) {
        let mut conversation = Conversation::new(callee);
        let mut clock = interval(Duration::from_millis(20));
        // A late tick is made up for: what matters is 50 frames in every second.
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            clock.tick().await;
            let mut acts = Vec::new();
            self.tick(&call, &log, &mut conversation, &mut acts);
            for act in acts {
                note(&call, act, &log);
            }
        }
    }

    fn tick(&self, call: &Call, log: &Log, conversation: &mut Conversation, acts: &mut Vec<Act>) {
        let mut ends = self.lock();
        let idle = ends.playback.is_empty();
        let (mut heard, marks) = ends.playback.frame();
        let across = ends.bridge.as_ref().and_then(Bridge::hear);
        if let Some(across) = across.filter(|_| idle) {
            heard = across;
        }
        let spoken = conversation.frame(&heard, acts);
        if let Some(bridge) = &ends.bridge {
            bridge.say(spoken);
        }
        call.tape.frame(spoken.as_ref(), &heard);
        detection::hear(call, spoken.as_ref(), log);
        for news in acts.iter().filter_map(FromCallee::of) {
            ends.listeners.retain(|listener| listener.send(news.clone()).is_ok());
        }
        let drop = acts.contains(&Act::DropStream);
        if drop && ends.stream.is_none() {
            // There is no stream that could break, so the line itself does.
            call.facts().sip = LINE_BROKE;
            call.command(Command::HangUp);
        }
        if let Some(stream) = &ends.stream {
            let tick = Tick { spoken, marks, drop };
            ends.lost |= matches!(stream.try_send(tick), Err(mpsc::error::TrySendError::Full(_)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
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
