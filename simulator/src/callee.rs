//! Who picks up: how each number behaves, as data.

mod conversation;
mod file;
mod ring;
mod stage;

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::line::Condition;

pub(crate) use conversation::{Act, Conversation};
pub use file::CalleesError;
pub(crate) use ring::{Ring, RingEnd};
pub(crate) use stage::{Beep, Choice, Rule, Stage};

/// Everybody who can be called.
#[derive(Debug, Clone)]
pub struct Callees {
    by_number: HashMap<String, Arc<Callee>>,
    otherwise: Arc<Callee>,
}

/// One person, machine or dead line. All times are milliseconds; `docs/simulator.md` has the format.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callee {
    /// Numbers it answers; empty for the default.
    #[serde(default)]
    pub(crate) numbers: Vec<String>,
    /// For people; the simulator does not read it.
    #[serde(default, rename = "about")]
    _about: String,
    /// Twilio refuses to call it at all.
    #[serde(default)]
    pub(crate) invalid: bool,
    /// Twilio refuses to call it at all, with this code.
    #[serde(default)]
    pub(crate) refused: Option<u32>,
    /// What comes of each call in turn; the last one repeats.
    #[serde(default = "ring::picks_up")]
    pub(crate) calls: Vec<Ring>,
    /// Said while it rings, before anybody has picked up.
    #[serde(default)]
    pub(crate) early_media: String,
    /// Music comes first, and nobody listens while it plays.
    #[serde(default)]
    music_ms: u32,
    /// Said after picking up; nothing if empty.
    #[serde(default)]
    greeting: String,
    #[serde(default = "stage::greet_after_ms")]
    greet_after_ms: u32,
    /// Sounds after the greeting, as a voicemail's.
    #[serde(default)]
    beep: Option<Beep>,
    /// What is heard after the greeting is kept as a message.
    #[serde(default)]
    takes_message: bool,
    #[serde(default, rename = "choice")]
    choices: Vec<Choice>,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
    /// Silence before each reply.
    #[serde(default = "think_ms")]
    pub(crate) think_ms: u32,
    /// Pause between the breaths of a reply.
    #[serde(default = "breath_ms")]
    pub(crate) breath_ms: u32,
    /// The first reply of each rule is mumbled.
    #[serde(default)]
    pub(crate) mumbles_first: bool,
    /// Talks into the agent's turn.
    #[serde(default)]
    pub(crate) interrupts: Option<Interruption>,
    /// Keys pressed unasked.
    #[serde(default)]
    pub(crate) presses: Vec<Press>,
    /// Hangs up after so many replies.
    #[serde(default)]
    pub(crate) hangs_up_after_replies: Option<u32>,
    /// Hangs up in the middle of this reply, counted from 1.
    #[serde(default)]
    pub(crate) hangs_up_during_reply: Option<u32>,
    /// Hangs up so long after picking up.
    #[serde(default)]
    pub(crate) hangs_up_after_ms: Option<u32>,
    /// The media stream breaks after so many replies; where there is none, the line does.
    #[serde(default)]
    pub(crate) drops_stream_after_replies: Option<u32>,
    /// What is wrong with its line.
    #[serde(default)]
    pub(crate) line: Condition,
    /// The parts of a call. The first is made of the keys above; the file has the others.
    #[serde(default, rename = "stage")]
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interruption {
    /// So long into a turn of the agent's.
    pub(crate) after_ms: u32,
    pub(crate) says: String,
    /// In how many turns.
    #[serde(default = "once")]
    pub(crate) times: u32,
}

/// Keys pressed at some time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Press {
    /// So long after picking up.
    pub(crate) after_ms: u32,
    /// `w` waits half a second, `W` a whole one.
    pub(crate) keys: String,
}

impl Callees {
    /// Who answers `number`.
    pub(crate) fn at(&self, number: &str) -> &Arc<Callee> {
        self.by_number.get(number).unwrap_or(&self.otherwise)
    }
}

impl Callee {
    /// The code with which Twilio refuses to call it, if it does.
    pub(crate) fn refusal(&self) -> Option<u32> {
        self.refused.or(self.invalid.then_some(21211))
    }

    /// What comes of the `nth` call, from 0.
    pub(crate) fn ring(&self, nth: usize) -> Ring {
        let last = self.calls.len().saturating_sub(1);
        self.calls.get(nth.min(last)).copied().unwrap_or(ring::PICKS_UP)
    }

    /// What is heard of it before anybody picks up: it says one thing, and does nothing else.
    pub(crate) fn early(&self) -> Option<Callee> {
        (!self.early_media.is_empty()).then(|| Callee {
            stages: vec![Stage { greeting: self.early_media.clone(), ..Stage::silent() }],
            presses: Vec::new(),
            interrupts: None,
            hangs_up_after_ms: None,
            ..self.clone()
        })
    }

    /// Every text that it can say.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let own = std::iter::once(self.early_media.as_str()).chain(self.interrupts.iter().map(|how| how.says.as_str()));
        own.chain(self.stages.iter().flat_map(Stage::texts)).filter(|text| !text.is_empty())
    }
}

fn think_ms() -> u32 {
    200
}

fn breath_ms() -> u32 {
    350
}

fn once() -> u32 {
    1
}
