//! What has come in by now, and how long it is waited for more. No clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use crate::call::script::recognition::Breath;
use crate::line::FromCallee;
use crate::twiml::{Gather, Pause, Speech};

/// The pause after which speech is over when the app leaves that to Twilio.
const AUTO_PAUSE: Duration = Duration::from_millis(700);
/// Twilio listens to no longer speech.
const LONGEST_SPEECH: Duration = Duration::from_secs(60);

/// One `<Gather>` while it waits.
pub(super) struct Ear<'a> {
    gather: &'a Gather,
    digits: String,
    finished_on: Option<char>,
    words: Vec<Breath>,
    /// When the first word began; from then on keys do not count.
    spoken_since: Option<Instant>,
    deadline: Option<Instant>,
    done: bool,
}

/// What a callee has put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    None,
    Keys { digits: String, finished_on: Option<char> },
    Words(Vec<Breath>),
}

impl<'a> Ear<'a> {
    pub(super) fn new(gather: &'a Gather) -> Ear<'a> {
        Ear {
            gather,
            digits: String::new(),
            finished_on: None,
            words: Vec::new(),
            spoken_since: None,
            deadline: None,
            done: false,
        }
    }

    /// Takes what the callee did; true if it stops the prompts.
    pub(super) fn hear(&mut self, what: FromCallee, now: Instant) -> bool {
        if let FromCallee::Pressed(key) = what {
            return self.press(key, now);
        }
        let Some(speech) = self.listening() else {
            return false;
        };
        // Whoever was speaking already when this began is heard from the middle on.
        let longest = *self.spoken_since.get_or_insert(now) + LONGEST_SPEECH;
        self.deadline = Some(match what {
            FromCallee::Said { text, mumbled } => {
                self.words.push(Breath { text, mumbled });
                let pause = match speech.pause {
                    Pause::Auto => AUTO_PAUSE,
                    Pause::Of(pause) => pause,
                };
                longest.min(now + pause)
            }
            FromCallee::BeganToSpeak | FromCallee::Pressed(_) => longest,
        });
        speech.barge_in
    }

    /// What comes first counts, keys or words: with a key pressed, nobody listens to words any more.
    fn listening(&self) -> Option<&'a Speech> {
        self.gather.speech.as_ref().filter(|_| self.digits.is_empty())
    }

    fn press(&mut self, key: char, now: Instant) -> bool {
        let Some(keys) = self.gather.keys.as_ref().filter(|_| self.spoken_since.is_none()) else {
            return false;
        };
        if keys.finish == Some(key) {
            // On its own it ends nothing.
            if !self.digits.is_empty() {
                self.finished_on = Some(key);
                self.done = true;
            }
        } else {
            self.digits.push(key);
            self.done = keys.most == Some(self.digits.len());
            self.deadline = Some(now + self.gather.timeout);
        }
        true
    }

    /// The prompts have been played, or were stopped.
    pub(super) fn prompts_over(&mut self, now: Instant) {
        if self.digits.is_empty() && self.spoken_since.is_none() {
            self.deadline = Some(now + self.gather.timeout);
        }
    }

    /// When it is over unless something comes. While prompts play it is not.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn words(&self) -> &[Breath] {
        &self.words
    }

    pub(super) fn input(self) -> Input {
        if !self.digits.is_empty() {
            Input::Keys { digits: self.digits, finished_on: self.finished_on }
        } else if !self.words.is_empty() {
            Input::Words(self.words)
        } else {
            Input::None
        }
    }
}

#[cfg(test)]
mod tests;
