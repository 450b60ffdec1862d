//! A callee on the telephone: frames in, frames out, no clock and no I/O.
//!
//! It is fed what was really played to it, 20 ms at a time, so an agent that clears its audio is
//! not heard to the end, and time is what has been played.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::Callee;
use crate::mulaw::{self, FRAME, SILENCE};
use crate::tones::{self, Heard, Receiver, Voice};

/// One frame, in milliseconds.
const TICK: u64 = 20;
/// So much silence ends the agent's turn.
const TURN_ENDS_MS: u64 = 400;
/// The line is put down so long after the agent's goodbye.
const AFTER_GOODBYE_MS: u64 = 3000;
/// Nobody hangs up on the very end of his own last word.
const AFTER_LAST_WORD_MS: u64 = 200;
const BEFORE_BEEP_MS: u32 = 300;

/// What a callee does besides making sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Heard(String),
    /// A turn, or part of it, that could not be understood; with what it may have been.
    Misheard(String),
    /// It has begun to say all of this.
    Said {
        text: String,
        mumbled: bool,
    },
    /// It draws breath and makes a sound.
    Began,
    /// One breath is at its end: these were its words.
    Breathed {
        text: String,
        mumbled: bool,
    },
    /// A key of its telephone: `0`-`9`, `*`, `#`, `A`-`D`.
    #[allow(dead_code, reason = "no callee presses keys yet")]
    Pressed(char),
    HangUp,
    DropStream,
}

/// One call as a callee lives it.
pub(crate) struct Conversation {
    callee: Arc<Callee>,
    receiver: Receiver,
    /// Milliseconds since it was picked up.
    now: u64,
    turn: Option<Turn>,
    silence: u64,
    planned: VecDeque<Speech>,
    speaking: Option<Speech>,
    mumbled: HashSet<usize>,
    interruptions: u32,
    replies: u32,
    hang_up_at: Option<u64>,
}

/// What the agent is saying.
#[derive(Default)]
struct Turn {
    began: u64,
    text: String,
    interrupted: bool,
}

struct Speech {
    not_before: u64,
    sound: VecDeque<u8>,
    text: String,
    mumbled: bool,
    is_reply: bool,
    /// Not yet at their end, in order.
    breaths: VecDeque<Breath>,
    /// Bytes of sound that have been played.
    played: usize,
}

/// Where in a speech's sound some of its words are, in bytes.
struct Breath {
    from: usize,
    to: usize,
    text: String,
}

impl Speech {
    fn new(not_before: u64, mumbled: bool, is_reply: bool) -> Speech {
        Speech {
            not_before,
            sound: VecDeque::new(),
            text: String::new(),
            mumbled,
            is_reply,
            breaths: VecDeque::new(),
            played: 0,
        }
    }

    /// Adds words that are said in one breath.
    fn breathe(&mut self, text: &str) {
        let voice = if self.mumbled { Voice::Mumbled } else { Voice::Clear };
        let from = self.sound.len();
        self.sound.extend(tones::speak(text, voice));
        self.breaths.push_back(Breath { from, to: self.sound.len(), text: text.to_owned() });
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// The next frame, with the breaths that begin and end in it.
    fn frame(&mut self, acts: &mut Vec<Act>) -> [u8; FRAME] {
        let mut frame = [SILENCE; FRAME];
        let length = self.sound.len().min(FRAME);
        for (byte, next) in frame.iter_mut().zip(self.sound.drain(..length)) {
            *byte = next;
        }
        let before = self.played;
        self.played += length;
        while let Some(breath) = self.breaths.front() {
            if (before..self.played).contains(&breath.from) {
                acts.push(Act::Began);
            }
            if breath.to > self.played {
                break;
            }
            if let Some(Breath { text, .. }) = self.breaths.pop_front() {
                acts.push(Act::Breathed { text, mumbled: self.mumbled });
            }
        }
        frame
    }
}

impl Conversation {
    /// `callee` has just picked up.
    pub(crate) fn new(callee: Arc<Callee>) -> Conversation {
        let mut planned = VecDeque::new();
        if !callee.greeting.is_empty() || callee.beep.is_some() {
            planned.push_back(greeting(&callee));
        }
        Conversation {
            hang_up_at: callee.hangs_up_after_ms.map(u64::from),
            callee,
            receiver: Receiver::default(),
            now: 0,
            turn: None,
            silence: 0,
            planned,
            speaking: None,
            mumbled: HashSet::new(),
            interruptions: 0,
            replies: 0,
        }
    }

    /// Hears one frame and gives the one that goes back meanwhile; `None` is silence.
    pub(crate) fn frame(&mut self, heard: &[u8], acts: &mut Vec<Act>) -> Option<[u8; FRAME]> {
        self.listen(heard, acts);
        let spoken = self.speak(acts);
        if self.hang_up_at.is_some_and(|at| at <= self.now) {
            self.hang_up_at = None;
            acts.push(Act::HangUp);
        }
        self.now += TICK;
        spoken
    }

    fn listen(&mut self, frame: &[u8], acts: &mut Vec<Act>) {
        if mulaw::is_speech(frame) {
            self.silence = 0;
            let began = self.now;
            self.turn.get_or_insert(Turn { began, ..Turn::default() });
        } else {
            self.silence += TICK;
        }
        for heard in self.receiver.frame(frame) {
            match (heard, &mut self.turn) {
                (Heard::Text(text), Some(turn)) => turn.text.push_str(&text),
                (Heard::Text(_), None) => {}
                (Heard::Damaged(hint), _) => acts.push(Act::Misheard(hint)),
            }
        }
        self.interrupt();
        if self.silence >= TURN_ENDS_MS
            && let Some(turn) = self.turn.take()
            && !turn.text.is_empty()
        {
            self.answer(&turn.text);
            acts.push(Act::Heard(turn.text));
        }
    }

    fn interrupt(&mut self) {
        let (Some(how), Some(turn)) = (&self.callee.interrupts, &mut self.turn) else {
            return;
        };
        let due = self.now >= turn.began + u64::from(how.after_ms);
        if due && !turn.interrupted && self.interruptions < how.times {
            turn.interrupted = true;
            self.interruptions += 1;
            let mut speech = Speech::new(self.now, false, false);
            speech.breathe(&how.says);
            self.planned.push_back(speech);
        }
    }

    fn answer(&mut self, heard: &str) {
        if heard.to_lowercase().contains("goodbye") {
            let at = self.now + AFTER_GOODBYE_MS;
            self.hang_up_at = Some(self.hang_up_at.map_or(at, |sooner| sooner.min(at)));
            return;
        }
        let Some(index) = self.callee.rule_for(heard) else {
            return;
        };
        let rule = &self.callee.rules[index];
        let mumbled = self.callee.mumbles_first && self.mumbled.insert(index);
        let think = rule.think_ms.unwrap_or(self.callee.think_ms);
        let mut speech = Speech::new(self.now + u64::from(think), mumbled, true);
        for breath in rule.says.breaths() {
            if !speech.sound.is_empty() {
                speech.sound.extend(quiet(self.callee.breath_ms));
            }
            speech.breathe(breath);
        }
        // A question asked again while one thinks wants one answer, not two.
        self.planned.retain(|speech| !speech.is_reply);
        self.planned.push_back(speech);
    }

    fn speak(&mut self, acts: &mut Vec<Act>) -> Option<[u8; FRAME]> {
        if self.speaking.as_ref().is_some_and(|it| it.sound.is_empty())
            && let Some(speech) = self.speaking.take()
            && speech.is_reply
        {
            self.replied(acts);
        }
        if self.speaking.is_none()
            && self.planned.front().is_some_and(|next| next.not_before <= self.now)
            && let Some(speech) = self.planned.pop_front()
        {
            acts.push(Act::Said { text: speech.text.clone(), mumbled: speech.mumbled });
            self.speaking = Some(speech);
        }
        self.speaking.as_mut().map(|speech| speech.frame(acts))
    }

    fn replied(&mut self, acts: &mut Vec<Act>) {
        self.replies += 1;
        if self.callee.hangs_up_after_replies == Some(self.replies) {
            self.hang_up_at = Some(self.now + AFTER_LAST_WORD_MS);
        }
        if self.callee.drops_stream_after_replies == Some(self.replies) {
            acts.push(Act::DropStream);
        }
    }
}

fn greeting(callee: &Callee) -> Speech {
    let mut speech = Speech::new(u64::from(callee.greet_after_ms), false, false);
    if !callee.greeting.is_empty() {
        speech.breathe(&callee.greeting);
    }
    if let Some(beep) = callee.beep {
        speech.sound.extend(quiet(BEFORE_BEEP_MS));
        speech.sound.extend(tones::beep(beep.hz, beep.ms));
    }
    speech
}

fn quiet(ms: u32) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(SILENCE, ms as usize * 8)
}

#[cfg(test)]
mod tests;
