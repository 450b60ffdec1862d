//! A callee on the telephone: frames in, frames out, no clock and no I/O.
//!
//! It is fed what was really played to it, 20 ms at a time, so an agent that clears its audio is
//! not heard to the end, and time is what has been played.

mod speech;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::{Callee, Stage};
use crate::mulaw::{self, FRAME};
use crate::speech::Speaker;
use crate::tones::{self, Heard, KeyEar, Receiver};
use speech::{After, Speech};

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
    /// A key was heard.
    HeardKey(char),
    /// What was heard is kept as a message.
    Kept(String),
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
    Pressed(char),
    HangUp,
    DropStream,
}

/// One call as a callee lives it.
pub(crate) struct Conversation {
    callee: Arc<Callee>,
    speaker: Arc<Speaker>,
    /// The stage it is at.
    at: usize,
    /// When the stage was opened, or when something came last; while it opens, nothing.
    waits_since: Option<u64>,
    /// Nobody listens before that.
    deaf_until: u64,
    receiver: Receiver,
    /// Only where keys mean something: to look for them in every sound would cost for nothing.
    keys: Option<KeyEar>,
    /// Milliseconds since it was picked up.
    now: u64,
    turn: Option<Turn>,
    silence: u64,
    planned: VecDeque<Speech>,
    /// Keys to be pressed unasked, in order.
    unasked: VecDeque<Speech>,
    speaking: Option<Speech>,
    mumbled: HashSet<(usize, usize)>,
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

impl Conversation {
    /// `callee` has just picked up.
    pub(crate) fn new(callee: Arc<Callee>, speaker: Arc<Speaker>) -> Conversation {
        let unasked = callee.presses.iter().map(|press| {
            let mut speech = Speech::new(u64::from(press.after_ms), false, After::Nothing);
            speech.press(&press.keys);
            speech
        });
        let hears_keys = callee.stages.iter().flat_map(|stage| &stage.choices).any(|choice| choice.press.is_some());
        let mut conversation = Conversation {
            at: 0,
            waits_since: None,
            deaf_until: 0,
            receiver: Receiver::default(),
            keys: hears_keys.then(KeyEar::default),
            now: 0,
            turn: None,
            silence: 0,
            planned: VecDeque::new(),
            unasked: unasked.collect(),
            speaking: None,
            mumbled: HashSet::new(),
            interruptions: 0,
            replies: 0,
            hang_up_at: callee.hangs_up_after_ms.map(u64::from),
            callee,
            speaker,
        };
        conversation.enter(0);
        conversation
    }

    /// Hears one frame and gives the one that goes back meanwhile; `None` is silence.
    pub(crate) fn frame(&mut self, heard: &[u8], acts: &mut Vec<Act>) -> Option<[u8; FRAME]> {
        self.listen(heard, acts);
        self.wait();
        let spoken = self.speak(acts);
        if self.hang_up_at.is_some_and(|at| at <= self.now) {
            self.hang_up_at = None;
            acts.push(Act::HangUp);
        }
        self.now += TICK;
        spoken
    }

    /// Learns the words of what has just been played to it, where their sound does not tell.
    pub(crate) fn told(&mut self, text: &str) {
        let turn = self.turn.get_or_insert(Turn { began: self.now, ..Turn::default() });
        if !turn.text.is_empty() {
            turn.text.push(' ');
        }
        turn.text.push_str(text);
    }

    fn stage(&self) -> &Stage {
        // The names were checked when the callees were read, and the first stage is always there.
        &self.callee.stages[self.at]
    }

    /// Begins the stage `at`: what was being said is cut off, and what was to be said is not.
    fn enter(&mut self, at: usize) {
        self.at = at;
        self.speaking = None;
        self.planned.clear();
        self.waits_since = None;
        let (opening, deaf_ms) = opening(self.stage(), self.now, &self.speaker);
        self.deaf_until = self.now + deaf_ms;
        self.planned.push_back(opening);
    }

    fn go(&mut self, name: &str) {
        if let Some(at) = self.callee.stages.iter().position(|stage| stage.name == name) {
            self.enter(at);
        }
    }

    fn listen(&mut self, frame: &[u8], acts: &mut Vec<Act>) {
        let is_deaf = self.now < self.deaf_until;
        let keys = self.keys.as_mut().map(|ear| ear.frame(frame)).unwrap_or_default();
        for key in keys.into_iter().filter(|_| !is_deaf) {
            acts.push(Act::HeardKey(key));
            self.waits_since = self.waits_since.map(|_| self.now);
            let goes = self.stage().choice_of(key).map(|choice| choice.goes.clone());
            if let Some(name) = goes {
                self.go(&name);
            }
        }
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
                // What a program says is no damaged tone.
                (Heard::Damaged(_), _) if !self.speaker.is_understood() => {}
                (Heard::Damaged(hint), _) => acts.push(Act::Misheard(hint)),
            }
        }
        self.interrupt();
        if self.silence >= TURN_ENDS_MS
            && let Some(turn) = self.turn.take()
            && !turn.text.is_empty()
            && !is_deaf
        {
            if self.stage().takes_message && self.waits_since.is_some() {
                acts.push(Act::Kept(turn.text.clone()));
            }
            self.waits_since = self.waits_since.map(|_| self.now);
            self.answer(&turn.text);
            acts.push(Act::Heard(turn.text));
        }
    }

    /// Goes where the stage leads if nothing comes for some time.
    fn wait(&mut self) {
        let Some(since) = self.waits_since.filter(|_| self.turn.is_none() && self.speaking.is_none()) else {
            return;
        };
        let waited = self.now - since;
        let is_due = |after_ms: Option<u32>| after_ms.is_some_and(|after_ms| u64::from(after_ms) <= waited);
        let goes = self.stage().choices.iter().find(|choice| is_due(choice.after_ms));
        if let Some(name) = goes.map(|choice| choice.goes.clone()) {
            self.go(&name);
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
            let mut speech = Speech::new(self.now, false, After::Nothing);
            speech.breathe(&how.says, &self.speaker);
            self.planned.push_back(speech);
        }
    }

    fn answer(&mut self, heard: &str) {
        if heard.to_lowercase().contains("goodbye") {
            let at = self.now + AFTER_GOODBYE_MS;
            self.hang_up_at = Some(self.hang_up_at.map_or(at, |sooner| sooner.min(at)));
            return;
        }
        let stage = self.stage();
        let rule = stage.rule_for(heard);
        let other = stage.other_choice().filter(|_| rule.is_none());
        if let Some(name) = stage.choice_for(heard).or(other).map(|choice| choice.goes.clone()) {
            return self.go(&name);
        }
        if let Some(rule) = rule {
            self.reply(rule);
        }
    }

    fn reply(&mut self, index: usize) {
        let callee = Arc::clone(&self.callee);
        let rule = &callee.stages[self.at].rules[index];
        let mumbled = callee.mumbles_first && self.mumbled.insert((self.at, index));
        let think = rule.think_ms.unwrap_or(callee.think_ms);
        let mut speech = Speech::new(self.now + u64::from(think), mumbled, After::Replied);
        for (n, breath) in rule.says.breaths().iter().enumerate() {
            if n > 0 {
                speech.quiet(callee.breath_ms);
            }
            speech.breathe(breath, &self.speaker);
        }
        speech.press(&rule.presses);
        // A question asked again while one thinks wants one answer, not two.
        self.planned.retain(|speech| speech.after != After::Replied);
        self.planned.push_back(speech);
    }

    fn speak(&mut self, acts: &mut Vec<Act>) -> Option<[u8; FRAME]> {
        if self.speaking.as_ref().is_some_and(Speech::is_over)
            && let Some(speech) = self.speaking.take()
        {
            self.said(speech.after, acts);
        }
        if self.speaking.is_none() {
            let due = |speech: &mut Speech| speech.not_before <= self.now;
            if let Some(speech) = self.unasked.pop_front_if(due).or_else(|| self.planned.pop_front_if(due)) {
                self.begin(speech, acts);
            }
        }
        let speech = self.speaking.as_mut()?;
        if speech.is_over() { None } else { Some(speech.frame(acts)) }
    }

    fn begin(&mut self, speech: Speech, acts: &mut Vec<Act>) {
        if !speech.text.is_empty() {
            acts.push(Act::Said { text: speech.text.clone(), mumbled: speech.mumbled });
        }
        let is_last = self.callee.hangs_up_during_reply == Some(self.replies + 1);
        if is_last && speech.after == After::Replied {
            self.hang_up_at = Some(self.now + speech.rest_ms() / 2);
        }
        self.speaking = Some(speech);
    }

    fn said(&mut self, after: After, acts: &mut Vec<Act>) {
        match after {
            After::Nothing => {}
            After::Opened => {
                self.waits_since = Some(self.now);
                if self.stage().hangs_up {
                    self.hang_up_at = Some(self.now + AFTER_LAST_WORD_MS);
                }
            }
            After::Replied => {
                self.waits_since = self.waits_since.map(|_| self.now);
                self.replied(acts);
            }
        }
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

/// What opens `stage`, from `now` on, and for how many milliseconds of it nobody listens.
fn opening(stage: &Stage, now: u64, speaker: &Speaker) -> (Speech, u64) {
    let music = u64::from(stage.music_ms);
    let first_sound = if music > 0 { now } else { now + u64::from(stage.greet_after_ms) };
    let mut speech = Speech::new(first_sound, false, After::Opened);
    if music > 0 {
        speech.sound(tones::music(stage.music_ms));
        speech.quiet(stage.greet_after_ms);
    }
    if !stage.greeting.is_empty() {
        speech.breathe(&stage.greeting, speaker);
    }
    if let Some(beep) = stage.beep {
        speech.quiet(BEFORE_BEEP_MS);
        speech.sound(tones::beep(beep.hz, beep.ms));
    }
    (speech, music)
}

#[cfg(test)]
mod tests;
