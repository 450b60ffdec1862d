//! One call, from the pick-up to the goodbye.
//!
//! A [`Conversation`] does no input or output and has no clock: audio and marks go in, [`Output`]s come out, and time
//! is counted in the samples that were heard, 8 to a ms. Whoever owns the socket carries the outputs out in order.
//!
//! It waits a moment for a greeting, then lets the dialogue speak. While a line plays, speech cuts it off. After a
//! line it waits: a turn goes to the dialogue, too long a silence as well. The dialogue's last line is the goodbye:
//! it is not cut off, and when it has been played the conversation hangs up.

#[cfg(test)]
mod tests;

use super::brief::Limits;
use super::dialogue::{Dialogue, End, Heard, Reply};
use super::ear::{Ear, HeardTurn};
use super::ending;
use super::machine::Machine;
use super::mulaw::{FRAME, FRAME_MS, SAMPLES_PER_MS};
use super::playback::Playback;
use super::speech::Speech;
use super::turn::Turn;
use gymcall_jobs::answer::Answer;
use gymcall_jobs::outcome::{AnsweredBy, EndedReason, Report};

/// What is to be done now, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this audio: μ-law, 8 bytes per ms, any length.
    Play(Vec<u8>),
    /// Send a mark of this name behind it.
    Mark(String),
    /// Drop what was sent and not yet played.
    Clear,
    /// Write this down.
    Event(AgentEvent),
    /// End the call. Only [`AgentEvent::Ended`] follows.
    HangUp,
}

/// What happened in the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// The agent has said something, or was cut off.
    Said(Turn),
    /// The other side has said something.
    Heard(Turn),
    /// A question was answered. Sent at once, so that a call that breaks keeps what was told.
    Answer(Answer),
    /// They asked not to be called again.
    DoNotCall {
        /// In these words.
        quote: String,
    },
    /// The conversation is over. Comes once, as the very last output.
    Ended(Report),
}

/// A call.
pub struct Conversation {
    dialogue: Box<dyn Dialogue + Send>,
    speech: Box<dyn Speech + Send>,
    limits: Limits,
    ear: Ear,
    playback: Playback,
    stage: Stage,
    /// Audio that does not fill a frame yet.
    rest: Vec<u8>,
    now_ms: u64,
    /// Since when neither side has spoken.
    quiet_since_ms: u64,
    /// How much of our line was played when the open turn cut it off.
    cut_at: Option<u8>,
    heard: ending::Heard,
    /// A turn was taken for a person's; from then on "voicemail" is just a word.
    person: bool,
}

/// How far the call has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Waiting for a greeting.
    PickedUp,
    /// Asking and listening.
    Talking,
    /// The last line plays, or has played and they still speak; not longer than until then.
    Goodbye { end: End, until_ms: u64 },
    /// Nothing follows.
    Over,
}

impl Conversation {
    /// A call that was just picked up.
    pub fn new(dialogue: Box<dyn Dialogue + Send>, speech: Box<dyn Speech + Send>, limits: Limits) -> Self {
        Self {
            dialogue,
            speech,
            ear: Ear::new(limits.turn_end_ms),
            limits,
            playback: Playback::default(),
            stage: Stage::PickedUp,
            rest: Vec::new(),
            now_ms: 0,
            quiet_since_ms: 0,
            cut_at: None,
            heard: ending::Heard::default(),
            person: false,
        }
    }

    /// The stream has started. Mostly nothing is to be done yet: a greeting may come first.
    pub fn begin(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        if self.stage == Stage::PickedUp && self.limits.greeting_wait_ms == 0 {
            self.speak_first("", &mut out);
        }
        out
    }

    /// Audio of the other side: μ-law, any length, silence included. Its length is what time is.
    pub fn hear(&mut self, mulaw: &[u8]) -> Vec<Output> {
        let mut out = Vec::new();
        self.rest.extend_from_slice(mulaw);
        let rest = std::mem::take(&mut self.rest);
        let frames = rest.chunks_exact(FRAME);
        self.rest = frames.remainder().to_vec();
        for frame in frames {
            self.frame(frame, &mut out);
        }
        out
    }

    /// A mark came back.
    pub fn mark(&mut self, name: &str) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(line) = self.playback.played(name, self.now_ms) {
            self.line_over(line, &mut out);
        }
        out
    }

    /// The other side hung up. Words it had begun still count: "don't call again" is often the last thing said.
    pub fn hung_up(&mut self) -> Vec<Output> {
        self.broken_off(EndedReason::UserHangup)
    }

    /// The stream broke.
    pub fn lost(&mut self) -> Vec<Output> {
        self.broken_off(EndedReason::ErrorStream)
    }

    fn frame(&mut self, frame: &[u8], out: &mut Vec<Output>) {
        if self.stage == Stage::Over {
            return;
        }
        self.now_ms += FRAME_MS;
        let turn = self.ear.frame(frame, self.now_ms, &mut *self.speech);
        if self.stage == Stage::Talking && self.ear.frames() >= self.limits.barge_in_frames {
            self.cut_line(out);
        }
        if let Some(turn) = turn {
            self.turn(turn, out);
        }
        self.pass_time(out);
    }

    /// What the mere passing of time brings.
    fn pass_time(&mut self, out: &mut Vec<Output>) {
        // A goodbye has its own, longer wait.
        if self.stage == Stage::Talking
            && let Some(line) = self.playback.overdue(self.now_ms)
        {
            self.line_over(line, out);
        }
        match self.stage {
            Stage::PickedUp if self.ear.open_ms() >= self.limits.greeting_max_ms => {
                // Its words up to here are kept, but a machine that talks on is not waited for.
                if let Some(heard) = self.ear.finish(&mut *self.speech) {
                    out.push(Output::Event(AgentEvent::Heard(heard.turn)));
                }
                self.machine(Machine::Voicemail(AnsweredBy::MachineStart), out);
            }
            Stage::PickedUp if !self.ear.is_listening() && self.now_ms >= self.limits.greeting_wait_ms => {
                self.speak_first("", out);
            }
            Stage::Talking if self.now_ms >= self.limits.max_duration_ms => self.time_up(out),
            Stage::Talking if self.quiet_ms() >= self.limits.inactivity_ms => {
                self.quiet_since_ms = self.now_ms;
                let reply = self.dialogue.silence();
                self.carry_out(reply, out);
            }
            Stage::Goodbye { until_ms, .. } if self.now_ms >= until_ms => self.hang_up(out),
            _ => {}
        }
    }

    fn quiet_ms(&self) -> u64 {
        if self.playback.is_playing() || self.ear.is_listening() { 0 } else { self.now_ms - self.quiet_since_ms }
    }

    /// The other side has finished a turn.
    fn turn(&mut self, heard: HeardTurn, out: &mut Vec<Output>) {
        self.quiet_since_ms = self.now_ms;
        let picked_up = self.stage == Stage::PickedUp;
        let machine = Machine::recognise(&heard, picked_up);
        let turn = heard.turn;
        out.push(Output::Event(AgentEvent::Heard(turn.clone())));
        if let Some(machine) = machine.filter(|_| !self.person && !matches!(self.stage, Stage::Goodbye { .. })) {
            return self.machine(machine, out);
        }
        let cut_at = self.cut_at.take();
        self.note(&turn, cut_at);
        match self.stage {
            Stage::PickedUp => self.speak_first(&turn.text, out),
            _ => {
                let reply = self.dialogue.heard(&to_dialogue(turn, cut_at));
                self.carry_out(reply, out);
            }
        }
    }

    fn note(&mut self, turn: &Turn, cut_at: Option<u8>) {
        let words = !turn.damaged && turn.text.chars().any(char::is_alphanumeric);
        self.heard.sound = true;
        self.heard.words |= words;
        // A greeting, or words over our own, may still be the beginning of a machine's announcement.
        self.person |= words && cut_at.is_none() && self.stage == Stage::Talking;
    }

    fn speak_first(&mut self, greeting: &str, out: &mut Vec<Output>) {
        self.stage = Stage::Talking;
        let reply = self.dialogue.begin(greeting);
        self.carry_out(reply, out);
    }

    /// Does what the dialogue decided.
    fn carry_out(&mut self, reply: Reply, out: &mut Vec<Output>) {
        out.extend(reply.answers.into_iter().map(|answer| Output::Event(AgentEvent::Answer(answer))));
        let known = matches!(self.stage, Stage::Goodbye { end: End::DoNotCall { .. }, .. });
        if let Some(End::DoNotCall { quote }) = reply.end.as_ref().filter(|_| !known) {
            out.push(Output::Event(AgentEvent::DoNotCall { quote: quote.clone() }));
        }
        if let Stage::Goodbye { end, .. } = &mut self.stage {
            // The goodbye is said; but what they ask for over it or behind it is granted all the same.
            *end = reply.end.unwrap_or_else(|| end.clone());
            if !self.playback.is_playing() {
                self.hang_up(out);
            }
            return;
        }
        let length_ms = reply.say.map_or(0, |line| self.say(line, out));
        if let Some(end) = reply.end {
            self.stage = Stage::Goodbye { end, until_ms: self.now_ms + length_ms + self.limits.goodbye_wait_ms };
        }
    }

    /// Sends a line; gives its length in ms.
    fn say(&mut self, line: String, out: &mut Vec<Output>) -> u64 {
        let audio = self.speech.say(&line);
        let length_ms = audio.len() as u64 / SAMPLES_PER_MS;
        self.cut_at = None;
        let mark = self.playback.begin(line, &audio, self.now_ms);
        out.extend([Output::Play(audio), Output::Mark(mark)]);
        length_ms
    }

    /// Stops our line because they speak.
    fn cut_line(&mut self, out: &mut Vec<Output>) {
        let Some((line, percent)) = self.playback.cut(self.now_ms) else { return };
        self.cut_at = line.interrupted.then_some(percent);
        out.extend([Output::Clear, Output::Event(AgentEvent::Said(line))]);
    }

    /// A line has been played to its end.
    fn line_over(&mut self, line: Turn, out: &mut Vec<Output>) {
        self.quiet_since_ms = self.now_ms;
        out.push(Output::Event(AgentEvent::Said(line)));
        // Who speaks right now may be saying the one thing that must not be missed.
        if matches!(self.stage, Stage::Goodbye { .. }) && !self.ear.is_listening() {
            self.hang_up(out);
        }
    }

    fn time_up(&mut self, out: &mut Vec<Output>) {
        self.cut_line(out);
        let turn = self.ear.finish(&mut *self.speech).map(|heard| heard.turn);
        let reply = match turn.map(|turn| self.last_words(turn, out)) {
            Some(reply) if reply.end.is_some() => reply,
            _ => self.dialogue.time_up(),
        };
        self.carry_out(reply, out);
    }

    /// A turn that gets no answer any more.
    fn last_words(&mut self, turn: Turn, out: &mut Vec<Output>) -> Reply {
        out.push(Output::Event(AgentEvent::Heard(turn.clone())));
        let cut_at = self.cut_at.take();
        self.note(&turn, cut_at);
        let reply = match self.stage {
            Stage::PickedUp => self.dialogue.begin(&turn.text),
            _ => self.dialogue.heard(&to_dialogue(turn, cut_at)),
        };
        out.extend(reply.answers.iter().cloned().map(|answer| Output::Event(AgentEvent::Answer(answer))));
        Reply { answers: Vec::new(), ..reply }
    }

    fn broken_off(&mut self, reason: EndedReason) -> Vec<Output> {
        let mut out = Vec::new();
        if self.stage == Stage::Over {
            return out;
        }
        if let Some((line, percent)) = self.playback.cut(self.now_ms) {
            self.cut_at = self.cut_at.or(line.interrupted.then_some(percent));
            out.push(Output::Event(AgentEvent::Said(line)));
        }
        let turn = self.ear.finish(&mut *self.speech).map(|heard| heard.turn);
        let asked = turn.and_then(|turn| self.last_words(turn, &mut out).end);
        if let Some(End::DoNotCall { quote }) = &asked {
            out.push(Output::Event(AgentEvent::DoNotCall { quote: quote.clone() }));
        }
        // What was decided before the goodbye stays so, whoever is the first to put the receiver down.
        let (end, reason) = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Goodbye { end, .. } => (Some(asked.unwrap_or_else(|| end.clone())), ending::reason(&end)),
            _ => (asked, reason),
        };
        let report = ending::report(end.as_ref(), reason, self.dialogue.tally(), self.heard);
        out.push(Output::Event(AgentEvent::Ended(report)));
        out
    }

    /// A machine is not talked to.
    fn machine(&mut self, machine: Machine, out: &mut Vec<Output>) {
        self.stage = Stage::Over;
        out.extend([Output::HangUp, Output::Event(AgentEvent::Ended(machine.report()))]);
    }

    fn hang_up(&mut self, out: &mut Vec<Output>) {
        let Stage::Goodbye { end, .. } = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        // Its mark never came. By now it was said, or the line is too broken to tell.
        out.extend(self.playback.cut(self.now_ms).map(|(line, _)| Output::Event(AgentEvent::Said(line))));
        let report = ending::report(Some(&end), ending::reason(&end), self.dialogue.tally(), self.heard);
        out.extend([Output::HangUp, Output::Event(AgentEvent::Ended(report))]);
    }
}

fn to_dialogue(turn: Turn, cut_at: Option<u8>) -> Heard {
    Heard { text: turn.text, damaged: turn.damaged, from_ms: turn.from_ms, to_ms: turn.to_ms, cut_at }
}
