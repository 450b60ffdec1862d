//! A part of a call: what is said first, and what follows from what is then heard.

use serde::Deserialize;

/// The name of the stage that a call begins with.
pub(crate) const START: &str = "start";

/// Most callees have one stage; menus, screeners and exchanges have several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    pub(crate) name: String,
    /// Music comes first, and nobody listens while it plays.
    #[serde(default)]
    pub(crate) music_ms: u32,
    #[serde(default)]
    pub(crate) greeting: String,
    /// Silence before the greeting.
    #[serde(default = "greet_after_ms")]
    pub(crate) greet_after_ms: u32,
    /// Sounds after the greeting, as a voicemail's.
    #[serde(default)]
    pub(crate) beep: Option<Beep>,
    /// What is heard after the greeting is kept as a message.
    #[serde(default)]
    pub(crate) takes_message: bool,
    /// Puts the line down after the greeting.
    #[serde(default)]
    pub(crate) hangs_up: bool,
    #[serde(default, rename = "choice")]
    pub(crate) choices: Vec<Choice>,
    #[serde(default, rename = "rule")]
    pub(crate) rules: Vec<Rule>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beep {
    pub(crate) hz: u32,
    pub(crate) ms: u32,
}

/// A way from one stage to another. Without a key, words and a wait it is the way for any other words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) press: Option<char>,
    #[serde(default)]
    pub(crate) hears: Vec<String>,
    /// After so much time in which nothing came.
    #[serde(default)]
    pub(crate) after_ms: Option<u32>,
    /// The name of a stage.
    pub(crate) goes: String,
}

/// What is said to what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Any of these in the agent's turn, whatever the case; none means anything the others do not match.
    #[serde(default)]
    pub(crate) hears: Vec<String>,
    #[serde(default)]
    pub(crate) says: Says,
    /// Keys pressed after what is said; `w` waits half a second, `W` a whole one.
    #[serde(default)]
    pub(crate) presses: String,
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

impl Default for Says {
    fn default() -> Says {
        Says::Breaths(Vec::new())
    }
}

impl Says {
    pub(crate) fn breaths(&self) -> &[String] {
        match self {
            Says::OneBreath(text) => std::slice::from_ref(text),
            Says::Breaths(breaths) => breaths,
        }
    }
}

impl Stage {
    /// Nothing is said, and nothing listened to.
    pub(crate) fn silent() -> Stage {
        Stage {
            name: START.to_owned(),
            music_ms: 0,
            greeting: String::new(),
            greet_after_ms: greet_after_ms(),
            beep: None,
            takes_message: false,
            hangs_up: false,
            choices: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The rule for what was heard.
    pub(crate) fn rule_for(&self, heard: &str) -> Option<usize> {
        let named = last_named(heard, self.rules.iter().map(|rule| rule.hears.as_slice()));
        named.or_else(|| self.rules.iter().position(|rule| rule.hears.is_empty()))
    }

    /// The way that the words `heard` name.
    pub(crate) fn choice_for(&self, heard: &str) -> Option<&Choice> {
        let named = last_named(heard, self.choices.iter().map(|choice| choice.hears.as_slice()))?;
        self.choices.get(named)
    }

    /// The way for words that name no other.
    pub(crate) fn other_choice(&self) -> Option<&Choice> {
        let is_other =
            |choice: &&Choice| choice.press.is_none() && choice.hears.is_empty() && choice.after_ms.is_none();
        self.choices.iter().find(is_other)
    }

    /// The way that `key` opens.
    pub(crate) fn choice_of(&self, key: char) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.press == Some(key))
    }

    /// Every text that is said here.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let replies = self.rules.iter().flat_map(|rule| rule.says.breaths()).map(String::as_str);
        std::iter::once(self.greeting.as_str()).chain(replies)
    }
}

/// Which of the lists has the keyword that comes last: a question asked again after an apology, or after
/// an introduction, is at the end.
fn last_named<'a>(heard: &str, lists: impl Iterator<Item = &'a [String]>) -> Option<usize> {
    let heard = heard.to_lowercase();
    let said_at = |list: &[String]| list.iter().filter_map(|keyword| heard.rfind(&keyword.to_lowercase())).max();
    lists
        .enumerate()
        .filter_map(|(index, list)| Some((said_at(list)?, index)))
        .max_by_key(|(at, _)| *at)
        .map(|(_, index)| index)
}

pub(super) fn greet_after_ms() -> u32 {
    400
}
