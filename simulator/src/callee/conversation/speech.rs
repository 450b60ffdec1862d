//! Something a callee says: its sound, and where in it the words and the keys are.

use std::collections::VecDeque;

use super::Act;
use crate::mulaw::{FRAME, SILENCE};
use crate::speech::Speaker;
use crate::tones::{self, Voice};

/// What follows when a speech has been said to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// The stage has been opened.
    Opened,
    /// That was a reply.
    Replied,
}

pub(super) struct Speech {
    pub(super) not_before: u64,
    sound: VecDeque<u8>,
    pub(super) text: String,
    pub(super) mumbled: bool,
    pub(super) after: After,
    /// Not yet at their end, in order.
    breaths: VecDeque<Breath>,
    /// Not yet pressed, in order, with where they are.
    keys: VecDeque<(usize, char)>,
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
    pub(super) fn new(not_before: u64, mumbled: bool, after: After) -> Speech {
        Speech {
            not_before,
            sound: VecDeque::new(),
            text: String::new(),
            mumbled,
            after,
            breaths: VecDeque::new(),
            keys: VecDeque::new(),
            played: 0,
        }
    }

    /// Adds words that are said in one breath.
    pub(super) fn breathe(&mut self, text: &str, speaker: &Speaker) {
        let voice = if self.mumbled { Voice::Mumbled } else { Voice::Clear };
        let from = self.sound.len();
        self.sound.extend(speaker.sound(text, voice));
        self.breaths.push_back(Breath { from, to: self.sound.len(), text: text.to_owned() });
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// Adds keys, and the waits between them.
    pub(super) fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            if tones::key(key).is_some() {
                self.keys.push_back((self.sound.len(), key));
            }
            self.sound.extend(tones::keys(key.encode_utf8(&mut [0; 4])));
        }
    }

    /// Adds sound that has no words.
    pub(super) fn sound(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.sound.extend(bytes);
    }

    pub(super) fn quiet(&mut self, ms: u32) {
        self.sound.extend(std::iter::repeat_n(SILENCE, ms as usize * 8));
    }

    /// How much sound there still is, in milliseconds.
    pub(super) fn rest_ms(&self) -> u64 {
        self.sound.len() as u64 / 8
    }

    pub(super) fn is_over(&self) -> bool {
        self.sound.is_empty()
    }

    /// The next frame, with the breaths that begin and end in it and the keys that are pressed.
    pub(super) fn frame(&mut self, acts: &mut Vec<Act>) -> [u8; FRAME] {
        let mut frame = [SILENCE; FRAME];
        let length = self.sound.len().min(FRAME);
        for (byte, next) in frame.iter_mut().zip(self.sound.drain(..length)) {
            *byte = next;
        }
        let before = self.played;
        self.played += length;
        while let Some((_, key)) = self.keys.pop_front_if(|(at, _)| *at < self.played) {
            acts.push(Act::Pressed(key));
        }
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
