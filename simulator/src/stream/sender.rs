//! What goes to the app on one stream. The clock of the lines writes the sound here, 50 times a
//! second and stream, so a message is written into buffers that are used again, and straight to the
//! socket.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::outlet::Outlet;
use crate::clock::PERIOD;
use crate::line::Condition;
use crate::mulaw::{FRAME, SILENCE};

/// Base64 of one frame.
const PAYLOAD: usize = FRAME.div_ceil(3) * 4;
static QUIET: LazyLock<String> = LazyLock::new(|| STANDARD.encode([SILENCE; FRAME]));
/// The time of a stream's first frame: Twilio's are small and not 0.
const FIRST_TIMESTAMP: u64 = 5;

/// One tick of a line, as its streams see it.
pub(crate) struct Tick<'a> {
    /// When it was due.
    pub(crate) at: u64,
    /// The callee's sound; `None` is silence.
    pub(crate) spoken: Option<&'a [u8; FRAME]>,
    /// Whether the line lost that frame.
    pub(crate) is_lost: bool,
    /// What is played to the callee.
    pub(crate) played: &'a [u8; FRAME],
    /// Marks whose audio the callee has heard.
    pub(crate) marks: &'a [String],
    /// Keys that the callee pressed.
    pub(crate) keys: &'a [char],
    /// The callee's line makes the streams die.
    pub(crate) dies: bool,
}

/// What the clock has to tell the task that holds the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Audio was thrown away: the app reads too slowly.
    Lagging,
    /// Nothing is to be read for so many milliseconds.
    Stalled(u64),
    HalfOpen,
    Died,
    CloseWith(u16),
}

/// Which sides of a call a stream carries, and whether it takes sound for the callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// `<Connect>`: the callee's sound out, the app's in.
    TwoWay,
    /// `<Start>`: out only.
    OneWay { inbound: bool, outbound: bool },
}

impl Direction {
    pub(crate) fn inbound(self) -> bool {
        matches!(self, Direction::TwoWay | Direction::OneWay { inbound: true, .. })
    }

    pub(crate) fn outbound(self) -> bool {
        matches!(self, Direction::OneWay { outbound: true, .. })
    }

    /// How many of a call's tracks for one-way streams it takes.
    pub(crate) fn tracks(self) -> usize {
        usize::from(self.inbound()) + usize::from(self.outbound())
    }
}

/// The sending side of an open stream.
pub(crate) struct Sender {
    sid: String,
    direction: Direction,
    condition: Condition,
    /// More than so many bytes do not wait for a slow app.
    largest_lag: usize,
    outlet: Outlet,
    news: mpsc::UnboundedSender<News>,
    state: Mutex<State>,
}

struct State {
    sequence: u64,
    /// Media messages so far, of the inbound and of the outbound track.
    chunks: [u64; 2],
    /// When the first frame was due.
    began: Option<u64>,
    /// When the next tick is due.
    next: u64,
    /// Frames for the wire that the line holds back, with the time they go.
    held: VecDeque<(u64, Vec<u8>)>,
    dice: StdRng,
    lagging: bool,
    stalled: bool,
    over: bool,
    /// Used again for every message, and for every frame around one.
    text: Vec<u8>,
    frame: Vec<u8>,
}

impl Sender {
    pub(super) fn new(
        sid: &str,
        direction: Direction,
        condition: Condition,
        seed: u64,
        largest_lag: usize,
        outlet: Outlet,
    ) -> (Sender, mpsc::UnboundedReceiver<News>) {
        let (news, receiver) = mpsc::unbounded_channel();
        let state = State {
            sequence: 0,
            chunks: [0; 2],
            began: None,
            next: 0,
            held: VecDeque::new(),
            dice: StdRng::seed_from_u64(seed),
            lagging: false,
            stalled: false,
            over: false,
            text: Vec::new(),
            frame: Vec::new(),
        };
        let state = Mutex::new(state);
        (Sender { sid: sid.to_owned(), direction, condition, largest_lag, outlet, news, state }, receiver)
    }

    pub(crate) fn is_two_way(&self) -> bool {
        self.direction == Direction::TwoWay
    }

    /// `connected` and `start`, which come before all else.
    pub(super) fn hello(&self, start: &Value) {
        let mut state = self.state();
        let hello = json!({"event": "connected", "protocol": "Call", "version": "1.0.0"});
        state.text = hello.to_string().into_bytes();
        self.send(&mut state, None);
        self.say(&mut state, "start", start);
    }

    /// Gives a mark back.
    pub(super) fn mark(&self, name: &str) {
        self.say(&mut self.state(), "mark", &json!({ "name": name }));
    }

    /// The last message. What the line holds back goes before it.
    pub(super) fn stop(&self, stop: &Value) {
        let mut state = self.state();
        self.release(&mut state, u64::MAX);
        self.say(&mut state, "stop", stop);
    }

    /// Sends nothing any more, and does not say so.
    pub(super) fn play_dead(&self) {
        self.state().over = true;
        self.outlet.play_dead();
    }

    /// Sends what belongs to one tick. Gives the time at which the line lets more of it through, if
    /// that is before the next tick.
    pub(crate) fn tick(&self, tick: &Tick<'_>) -> Option<u64> {
        let mut state = self.state();
        if state.over {
            return None;
        }
        let began = *state.began.get_or_insert(tick.at);
        self.release(&mut state, tick.at);
        let since = tick.at - began;
        self.suffer(&mut state, since, tick.dies);
        if self.is_two_way() {
            for mark in tick.marks {
                self.say(&mut state, "mark", &json!({ "name": mark }));
            }
        }
        if self.outlet.backlog() <= self.largest_lag {
            let due = self.due(&mut state, tick.at, since);
            if self.direction.inbound() && !tick.is_lost {
                self.media(&mut state, due, "inbound", since, tick.spoken);
            }
            if self.direction.outbound() {
                self.media(&mut state, due, "outbound", since, Some(tick.played));
            }
        } else if !state.lagging {
            state.lagging = true;
            let _ = self.news.send(News::Lagging);
        }
        if self.is_two_way() {
            for key in tick.keys {
                self.say(&mut state, "dtmf", &json!({"track": "inbound_track", "digit": key.to_string()}));
            }
        }
        state.next = tick.at + PERIOD;
        state.wakes()
    }

    /// Lets through what has waited long enough, between two ticks.
    pub(crate) fn between(&self, at: u64) -> Option<u64> {
        let mut state = self.state();
        self.release(&mut state, at);
        state.wakes()
    }

    /// What the condition of the line does at this time of the stream.
    fn suffer(&self, state: &mut State, since: u64, dies: bool) {
        let condition = &self.condition;
        let due = |at: Option<u64>| at.is_some_and(|at| since >= at);
        if let Some(stall) = condition.stall
            && since >= stall.after_ms
            && !state.stalled
        {
            state.stalled = true;
            let _ = self.news.send(News::Stalled(stall.for_ms));
        }
        let end = if dies || due(condition.dies_after_ms) {
            News::Died
        } else if due(condition.half_open_after_ms) {
            News::HalfOpen
        } else if let Some(close) = condition.close.filter(|close| due(Some(close.after_ms))) {
            News::CloseWith(close.code)
        } else {
            return;
        };
        state.over = true;
        let _ = self.news.send(end);
    }

    /// When a frame that is said now comes through, if not at once.
    fn due(&self, state: &mut State, at: u64, since: u64) -> Option<u64> {
        let condition = &self.condition;
        let mut due = at;
        if condition.jitter_ms > 0 {
            due += state.dice.random_range(0..=condition.jitter_ms);
        }
        if let Some(heaps) = since.checked_div(condition.burst_ms) {
            due = due.max(at - since + (heaps + 1) * condition.burst_ms);
        }
        if let Some(stall) = condition.stall
            && (stall.after_ms..stall.after_ms + stall.for_ms).contains(&since)
        {
            due = due.max(at - since + stall.after_ms + stall.for_ms);
        }
        if condition.reorder > 0.0 {
            // Until after the next frame, with which it may change places.
            due = due.max(at + PERIOD + 1);
        }
        (due > at).then_some(due)
    }

    fn media(&self, state: &mut State, due: Option<u64>, track: &str, since: u64, sound: Option<&[u8; FRAME]>) {
        if state.over {
            return;
        }
        state.sequence += 1;
        let chunk = &mut state.chunks[usize::from(track == "outbound")];
        *chunk += 1;
        let mut encoded = [0; PAYLOAD];
        let payload = match sound {
            None => QUIET.as_bytes(),
            Some(sound) => match STANDARD.encode_slice(sound, &mut encoded) {
                Ok(length) => &encoded[..length],
                Err(_) => QUIET.as_bytes(),
            },
        };
        state.text.clear();
        // Writing to memory cannot fail.
        let _ = write!(
            state.text,
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"{track}","chunk":"{chunk}","timestamp":"{}","payload":""#,
            state.sequence,
            since + FIRST_TIMESTAMP,
        );
        state.text.extend_from_slice(payload);
        let _ = write!(state.text, r#""}},"streamSid":"{}"}}"#, self.sid);
        self.send(state, due);
    }

    /// A message with a number of its own.
    fn say(&self, state: &mut State, event: &str, body: &Value) {
        if state.over {
            return;
        }
        state.sequence += 1;
        state.text.clear();
        let _ = write!(
            state.text,
            r#"{{"event":"{event}","sequenceNumber":"{}","{event}":{body},"streamSid":"{}"}}"#,
            state.sequence, self.sid
        );
        self.send(state, None);
    }

    /// Sends `state.text`: when the line lets it through, or else at once. Behind what waits, it waits too.
    fn send(&self, state: &mut State, due: Option<u64>) {
        state.frame.clear();
        mask(&state.text, &mut state.frame);
        match (due, state.held.back().map(|(last, _)| *last)) {
            (None, None) => self.outlet.send(&state.frame),
            (Some(due), None) => state.held.push_back((due, state.frame.clone())),
            (due, Some(last)) => state.held.push_back((due.unwrap_or(last).max(last), state.frame.clone())),
        }
    }

    fn release(&self, state: &mut State, now: u64) {
        while state.held.front().is_some_and(|(due, _)| *due <= now) {
            if state.held.len() > 1 && state.dice.random_bool(self.condition.reorder.clamp(0.0, 1.0)) {
                state.held.swap(0, 1);
            }
            if let Some((_, frame)) = state.held.pop_front() {
                self.outlet.send(&frame);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When something that is held back goes, if that is before the next tick.
    fn wakes(&self) -> Option<u64> {
        self.held.front().map(|(due, _)| *due).filter(|due| *due < self.next)
    }
}

/// Appends a text frame to `frame`, masked as all that a client sends.
fn mask(text: &[u8], frame: &mut Vec<u8>) {
    let mask: [u8; 4] = rand::random();
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), mask: Some(mask), ..FrameHeader::default() };
    // Writing to memory cannot fail.
    let _ = header.format(text.len() as u64, frame);
    frame.extend(text.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}
