//! One call, turn by turn, where Twilio itself speaks and listens.
//!
//! A [`Spoken`] call has no clock and does no input or output: a turn goes in, a [`Reply`] comes out. It is made anew
//! for every turn, from the turns on record: whichever server Twilio's next request reaches, the same turns lead to
//! the same reply.
//!
//! What a stream shows is not known here: whether our line was cut off, and where. Their first words mostly come while
//! we introduce ourselves, as people pick up the phone with a greeting. So those that are no answer are taken for words
//! over the introduction, which is then said again: everybody is told who calls before they are asked anything twice.
//! For those that may be an answer, or a machine's, the clock tells what of our first line they can have heard.

#[cfg(test)]
mod tests;

use super::conversation::AgentEvent;
use super::dialogue::{self, Dialogue, End};
use super::ending;
use super::machine::Machine;
use super::pause::pause_s;
use super::turn::Turn;
use gymcall_jobs::question::Question;
use gymcall_jobs::turn::SpokenTurn;

/// Below this, words are not believed. Twilio gives 0.9 and more to clear speech; what is under 0.4 is mostly a radio,
/// a bad line or somebody beside the phone, and asking again costs less than a wrong price.
pub const LEAST_CONFIDENCE: f64 = 0.4;

/// The letters a second of a slow voice: a line must not be taken for said before it is.
const LETTERS_PER_SECOND: u64 = 10;

/// The letters a second of a usual voice, ours or theirs.
const USUAL_LETTERS_PER_SECOND: u64 = 15;

/// A letter from here on is mostly a syllable: the writing of Chinese, Japanese and Korean.
const FIRST_SYLLABLE: char = '\u{2e80}';

/// The pauses before and after a message for a machine, in ms.
const AROUND_MESSAGE_MS: u64 = 3_000;

/// How long a machine's beep is waited for: as long as Twilio listens for one at most.
const BEEP_WITHIN_S: u32 = 30;

/// A call that is held in turns.
#[derive(Debug, Clone)]
pub struct Spoken<D> {
    dialogue: D,
    machine: OnMachine,
    max_duration_ms: u64,
    turns: usize,
    /// How long our first line takes in a usual voice.
    first_line_ms: u64,
    heard: ending::Heard,
    /// A turn was taken for a person's; from then on "voicemail" is just a word.
    person: bool,
}

/// What becomes of a call in which a voicemail is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnMachine {
    /// It is ended.
    HangUp,
    /// Nothing is said until Twilio's detection has heard the beep.
    AwaitBeep,
    /// This is said: its words have ended, and nothing else tells when the beep comes.
    Say(String),
}

/// What is to be done about a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The line to say. `None` says nothing.
    pub line: Option<String>,
    /// What follows.
    pub then: Then,
    /// What is to be stored before, in this order.
    pub events: Vec<AgentEvent>,
}

/// What follows a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Twilio listens for the next turn.
    Listen,
    /// The call is ended.
    HangUp,
    /// The line waits for so many seconds, and then the call is ended.
    Wait {
        /// Seconds.
        seconds: u32,
    },
    /// As [`Then::HangUp`], and the line is a message for a machine: it waits for the beep first.
    Message,
}

impl Reply {
    /// How long the line takes, in ms; more rather than less.
    pub fn line_ms(&self) -> u64 {
        let letters = self.line.as_deref().map_or(0, letters);
        let wait = match self.then {
            Then::Wait { seconds } => u64::from(seconds) * 1_000,
            Then::Message => AROUND_MESSAGE_MS,
            Then::Listen | Then::HangUp => 0,
        };
        letters * 1_000 / LETTERS_PER_SECOND + 1_000 + wait
    }
}

impl<D: Dialogue + Clone> Spoken<D> {
    /// A call that was just picked up, and its first line. `max_duration_ms` after the pick-up the agent says goodbye.
    pub fn begin(mut dialogue: D, machine: OnMachine, max_duration_ms: u64) -> (Self, Reply) {
        let first = dialogue.begin("");
        let first_line_ms = first.say.as_deref().map_or(0, letters) * 1_000 / USUAL_LETTERS_PER_SECOND;
        let heard = ending::Heard::default();
        let mut call = Self { dialogue, machine, max_duration_ms, turns: 0, first_line_ms, heard, person: false };
        let reply = call.carry_out(first, Vec::new(), 0);
        (call, reply)
    }

    /// The question that was put last.
    pub fn asking(&self) -> Option<&Question> {
        self.dialogue.asking()
    }

    /// The other side has said something, or nothing for too long.
    pub fn hear(&mut self, heard: &SpokenTurn) -> Reply {
        let first = self.turns == 0;
        self.turns += 1;
        let cut_at = if first { self.cut_at(heard) } else { None };
        // Then they can have heard nothing that asks for an answer, and may be a machine's.
        let unasked = cut_at.is_some_and(|percent| percent < self.dialogue.preamble());
        let mut events = Vec::new();
        let reply = if heard.is_silence() {
            self.dialogue.silence()
        } else {
            events.push(AgentEvent::Heard(turn_of(heard)));
            if let Some(machine) = Machine::of_words(&heard.text, unasked).filter(|_| !self.person) {
                return self.machine(machine, events, heard.to_ms);
            }
            let reply =
                if first { self.first_words(heard, cut_at) } else { self.dialogue.heard(&to_dialogue(heard, None)) };
            let words = !heard.damaged && heard.text.chars().any(char::is_alphanumeric);
            self.heard.sound = true;
            self.heard.words |= words;
            // A greeting may still be the beginning of a machine's announcement, whatever it tells.
            self.person |= words && (!first || !unasked && !reply.answers.is_empty());
            reply
        };
        let reply = if heard.to_ms >= self.max_duration_ms && reply.end.is_none() {
            dialogue::Reply { answers: reply.answers, ..self.dialogue.time_up() }
        } else {
            reply
        };
        self.carry_out(reply, events, heard.to_ms)
    }

    /// Their first words: an answer, or a wish, if they can be one; else words over our introduction.
    fn first_words(&mut self, heard: &SpokenTurn, cut_at: Option<u8>) -> dialogue::Reply {
        let mut believed = self.dialogue.clone();
        let reply = believed.heard(&to_dialogue(heard, cut_at));
        if reply.answers.is_empty() && reply.end.is_none() {
            return self.dialogue.heard(&to_dialogue(heard, Some(0)));
        }
        self.dialogue = believed;
        reply
    }

    /// How much of our first line was said when the first words began, in percent, if not all of it was.
    fn cut_at(&self, heard: &SpokenTurn) -> Option<u8> {
        let took_ms = letters(&heard.text) * 1_000 / USUAL_LETTERS_PER_SECOND;
        let pause_ms = u64::from(pause_s(self.asking())) * 1_000;
        let began_ms = heard.to_ms.saturating_sub(took_ms + pause_ms);
        // Less than 100, which fits.
        (began_ms < self.first_line_ms).then(|| (began_ms * 100 / self.first_line_ms) as u8)
    }

    fn carry_out(&mut self, reply: dialogue::Reply, mut events: Vec<AgentEvent>, now_ms: u64) -> Reply {
        events.extend(reply.answers.into_iter().map(AgentEvent::Answer));
        if let Some(End::DoNotCall { quote }) = &reply.end {
            events.push(AgentEvent::DoNotCall { quote: quote.clone() });
        }
        events.extend(reply.say.iter().map(|line| said(line, now_ms)));
        let then = match &reply.end {
            None => Then::Listen,
            Some(end) => {
                let report = ending::report(Some(end), ending::reason(end), self.dialogue.tally(), self.heard);
                events.push(AgentEvent::Ended(report));
                Then::HangUp
            }
        };
        Reply { line: reply.say, then, events }
    }

    /// A machine is not talked to; at most it is given a message.
    fn machine(&mut self, machine: Machine, mut events: Vec<AgentEvent>, now_ms: u64) -> Reply {
        let (line, then) = match (&self.machine, machine) {
            (OnMachine::HangUp, _) | (_, Machine::Menu) => (None, Then::HangUp),
            (OnMachine::AwaitBeep, Machine::Voicemail(_)) => (None, Then::Wait { seconds: BEEP_WITHIN_S }),
            (OnMachine::Say(message), Machine::Voicemail(_)) => (Some(message.clone()), Then::Message),
        };
        events.extend(line.iter().map(|line| said(line, now_ms)));
        events.push(AgentEvent::Ended(machine.report()));
        Reply { line, then, events }
    }
}

/// Whether Twilio's words are to be believed. Twilio need not say how sure it is, and some of its models say 0 for
/// "not told".
pub fn is_damaged(confidence: Option<f64>) -> bool {
    confidence.is_some_and(|sure| sure > 0.0 && sure < LEAST_CONFIDENCE)
}

/// How many letters a text is as long as.
fn letters(text: &str) -> u64 {
    text.chars().map(|letter| if letter < FIRST_SYLLABLE { 1 } else { 2 }).sum()
}

fn said(line: &str, now_ms: u64) -> AgentEvent {
    let text = line.to_owned();
    // When Twilio is told to say it. How far it comes with it nobody is told.
    AgentEvent::Said(Turn { text, from_ms: now_ms, to_ms: now_ms, damaged: false, interrupted: false })
}

fn turn_of(heard: &SpokenTurn) -> Turn {
    let SpokenTurn { text, damaged, from_ms, to_ms, .. } = heard.clone();
    Turn { text, from_ms, to_ms, damaged, interrupted: false }
}

fn to_dialogue(heard: &SpokenTurn, cut_at: Option<u8>) -> dialogue::Heard {
    let SpokenTurn { text, damaged, from_ms, to_ms, .. } = heard.clone();
    dialogue::Heard { text, damaged, from_ms, to_ms, cut_at }
}
