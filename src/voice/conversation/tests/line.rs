//! A phone line with somebody at the other end: plays what is sent in real time, sends marks back where the audio
//! before them ends, and all of them at once on `clear`.

use crate::voice::brief::{Brief, Limits};
use crate::voice::conversation::{AgentEvent, Conversation, Output};
use crate::voice::dialogue::scripted::Scripted;
use crate::voice::mulaw::{FRAME, FRAME_MS, SILENCE, encode};
use crate::voice::speech::{Speech, tones::Tones};
use crate::voice::turn::Turn;
use gymcall_jobs::answer::Answer;
use gymcall_jobs::outcome::Report;
use gymcall_jobs::question::Question;
use std::collections::VecDeque;

pub(super) struct Line {
    conversation: Conversation,
    sent: VecDeque<Sent>,
    voice: VecDeque<u8>,
    told: usize,
    pub(super) events: Vec<AgentEvent>,
    pub(super) now_ms: u64,
    pub(super) cleared_at: Option<u64>,
    pub(super) hung_up: bool,
    pub(super) marks_come_back: bool,
}

enum Sent {
    Audio(VecDeque<u8>),
    Mark(String),
}

pub(super) fn conversation(limits: Limits) -> Conversation {
    let brief = Brief {
        gym_name: "Iron Temple".into(),
        on_behalf_of: "FitData".into(),
        greeting: None,
        questions: Question::defaults(),
        variables: Default::default(),
        recorded: false,
    };
    Conversation::new(Box::new(Scripted::new(brief)), Box::new(Tones::new()), limits)
}

/// Half a second of sound that is no words: a tone that glides.
pub(super) fn mumble() -> Vec<u8> {
    (0..4000).map(f64::from).map(|n| encode((6000.0 * f64::sin(n * (0.1 + n / 30_000.0))) as i16)).collect()
}

/// Half a second at 1000 Hz.
pub(super) fn beep() -> Vec<u8> {
    (0..4000).map(|n| encode((8000.0 * f64::sin(f64::from(n) * std::f64::consts::FRAC_PI_4)) as i16)).collect()
}

impl Line {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let mut line = Self {
            conversation: conversation(limits),
            sent: VecDeque::new(),
            voice: VecDeque::new(),
            told: 0,
            events: Vec::new(),
            now_ms: 0,
            cleared_at: None,
            hung_up: false,
            marks_come_back: true,
        };
        let outputs = line.conversation.begin();
        line.carry_out(outputs);
        line
    }

    /// Lets the other side say this, after all it has to say already.
    pub(super) fn speak(&mut self, text: &str) {
        self.send(Tones::new().say(text));
    }

    pub(super) fn send(&mut self, audio: Vec<u8>) {
        self.voice.extend(audio);
    }

    pub(super) fn pause(&mut self, ms: usize) {
        self.send(vec![SILENCE; ms * 8]);
    }

    /// Runs until all that the other side has to say is sent.
    pub(super) fn until_idle(&mut self) {
        self.until(|line| line.voice.is_empty());
    }

    pub(super) fn until_playing(&mut self) {
        self.until(|line| !line.sent.is_empty());
    }

    /// Runs until the agent has spoken once more, and gives its words.
    pub(super) fn agent_says(&mut self) -> String {
        self.until(|line| line.said().len() > line.told);
        self.told += 1;
        self.said()[self.told - 1].text.clone()
    }

    /// Runs to the end.
    pub(super) fn end(&mut self) -> Report {
        let ended = |line: &Line| match line.events.last() {
            Some(AgentEvent::Ended(report)) => Some(*report),
            _ => None,
        };
        self.until(|line| ended(line).is_some());
        ended(self).unwrap()
    }

    pub(super) fn stop(&mut self) {
        let outputs = self.conversation.hung_up();
        self.carry_out(outputs);
    }

    pub(super) fn lose(&mut self) {
        let outputs = self.conversation.lost();
        self.carry_out(outputs);
    }

    pub(super) fn said(&self) -> Vec<Turn> {
        let said = |event: &AgentEvent| if let AgentEvent::Said(turn) = event { Some(turn.clone()) } else { None };
        self.events.iter().filter_map(said).collect()
    }

    pub(super) fn heard(&self) -> Vec<String> {
        let heard =
            |event: &AgentEvent| if let AgentEvent::Heard(turn) = event { Some(turn.text.clone()) } else { None };
        self.events.iter().filter_map(heard).collect()
    }

    pub(super) fn answers(&self) -> Vec<Answer> {
        let answer = |event: &AgentEvent| if let AgentEvent::Answer(it) = event { Some(it.clone()) } else { None };
        self.events.iter().filter_map(answer).collect()
    }

    pub(super) fn quotes(&self) -> Vec<String> {
        let quote =
            |event: &AgentEvent| if let AgentEvent::DoNotCall { quote } = event { Some(quote.clone()) } else { None };
        self.events.iter().filter_map(quote).collect()
    }

    /// Nothing of what was sent is still to be played.
    pub(super) fn sent_is_played(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn until(&mut self, done: impl Fn(&Line) -> bool) {
        for _ in 0..60_000 / FRAME_MS {
            if done(self) {
                return;
            }
            self.frame();
        }
        panic!("nothing came in a minute, after {:#?}", self.events);
    }

    fn frame(&mut self) {
        self.play();
        self.now_ms += FRAME_MS;
        let mut frame: Vec<u8> = self.voice.drain(..FRAME.min(self.voice.len())).collect();
        frame.resize(FRAME, SILENCE);
        let outputs = self.conversation.hear(&frame);
        self.carry_out(outputs);
    }

    /// Plays one frame of what was sent.
    fn play(&mut self) {
        let mut room = FRAME;
        while let Some(first) = self.sent.front_mut() {
            match first {
                Sent::Audio(audio) if audio.is_empty() => drop(self.sent.pop_front()),
                Sent::Audio(_) if room == 0 => return,
                Sent::Audio(audio) => {
                    let played = room.min(audio.len());
                    audio.drain(..played);
                    room -= played;
                }
                Sent::Mark(name) => {
                    let name = std::mem::take(name);
                    self.sent.pop_front();
                    self.mark(&name);
                }
            }
        }
    }

    pub(super) fn mark(&mut self, name: &str) {
        if self.marks_come_back {
            let outputs = self.conversation.mark(name);
            self.carry_out(outputs);
        }
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        let ended = matches!(self.events.last(), Some(AgentEvent::Ended(_)));
        assert!(!ended || outputs.is_empty(), "after the end came {outputs:?}");
        for output in outputs {
            match output {
                Output::Play(audio) => self.sent.push_back(Sent::Audio(audio.into())),
                Output::Mark(name) => self.sent.push_back(Sent::Mark(name)),
                Output::Clear => {
                    self.cleared_at = Some(self.now_ms);
                    for sent in std::mem::take(&mut self.sent) {
                        if let Sent::Mark(name) = sent {
                            self.mark(&name);
                        }
                    }
                }
                Output::Event(event) => self.events.push(event),
                Output::HangUp => self.hung_up = true,
            }
        }
    }
}
