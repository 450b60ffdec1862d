//! Who picks up: how each number behaves, as data.

mod conversation;
mod file;

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

pub(crate) use conversation::{Act, Conversation};
pub use file::CalleesError;

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
    #[serde(default = "picks_up")]
    pub(crate) calls: Vec<Ring>,
    /// Said after picking up; nothing if empty.
    #[serde(default)]
    pub(crate) greeting: String,
    #[serde(default = "greet_after_ms")]
    pub(crate) greet_after_ms: u32,
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
    /// Hangs up after so many replies.
    #[serde(default)]
    pub(crate) hangs_up_after_replies: Option<u32>,
    /// Hangs up so long after picking up.
    #[serde(default)]
    pub(crate) hangs_up_after_ms: Option<u32>,
    /// The media stream breaks after so many replies.
    #[serde(default)]
    pub(crate) drops_stream_after_replies: Option<u32>,
    /// Sounds after the greeting, as a voicemail's.
    #[serde(default)]
    pub(crate) beep: Option<Beep>,
    #[serde(default, rename = "rule")]
    pub(crate) rules: Vec<Rule>,
}

/// How one call to a callee goes until it is picked up, or is not.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    pub(crate) end: RingEnd,
    /// How long it rings first.
    #[serde(default = "ring_ms")]
    pub(crate) after_ms: u32,
    /// SIP response code of the end, if it is not the usual one.
    #[serde(default)]
    pub(crate) sip: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RingEnd {
    Answer,
    Busy,
    NoAnswer,
    Failed,
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

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beep {
    pub(crate) hz: u32,
    pub(crate) ms: u32,
}

/// What is said to what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Any of these in the agent's turn, whatever the case; none means anything the others do not match.
    #[serde(default)]
    pub(crate) hears: Vec<String>,
    pub(crate) says: Says,
    #[serde(default)]
    pub(crate) think_ms: Option<u32>,
}

/// A reply, in one breath or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Says {
    OneBreath(String),
    Breaths(Vec<String>),
}

impl Says {
    pub(crate) fn breaths(&self) -> &[String] {
        match self {
            Says::OneBreath(text) => std::slice::from_ref(text),
            Says::Breaths(breaths) => breaths,
        }
    }
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
        self.calls.get(nth.min(last)).copied().unwrap_or(PICKS_UP)
    }

    /// The rule for what was heard. The keyword that comes last wins: a question asked again
    /// after an apology, or after an introduction, is at the end.
    pub(crate) fn rule_for(&self, heard: &str) -> Option<usize> {
        let heard = heard.to_lowercase();
        let said_at = |rule: &Rule| rule.hears.iter().filter_map(|keyword| heard.rfind(&keyword.to_lowercase())).max();
        let spoken = self
            .rules
            .iter()
            .enumerate()
            .filter_map(|(index, rule)| Some((said_at(rule)?, index)))
            .max_by_key(|(at, _)| *at)
            .map(|(_, index)| index);
        spoken.or_else(|| self.rules.iter().position(|rule| rule.hears.is_empty()))
    }
}

const PICKS_UP: Ring = Ring { end: RingEnd::Answer, after_ms: 300, sip: None };

fn picks_up() -> Vec<Ring> {
    vec![PICKS_UP]
}

fn ring_ms() -> u32 {
    PICKS_UP.after_ms
}

fn greet_after_ms() -> u32 {
    400
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
