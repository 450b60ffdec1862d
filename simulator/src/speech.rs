//! How callees and `<Say>` sound: as tones, which both ends understand, or as an installed program speaks.
//!
//! What a program says is for the ears of people. The callee is told the words of `<Say>` when it has
//! heard all of them, for nobody here understands speech; nor does the callee understand what an app
//! says on a media stream, unless it says it in tones.

mod program;
mod wav;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::mulaw;
use crate::tones::{self, Voice};

/// What speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speech {
    /// The tones of `docs/tones.md`.
    #[default]
    Tones,
    /// The program `flite`.
    Flite,
    /// The program `espeak-ng`.
    EspeakNg,
}

/// A word that is none of `tones`, `flite` and `espeak-ng`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no speech: tones, flite or espeak-ng")]
pub struct NoSpeech(String);

impl FromStr for Speech {
    type Err = NoSpeech;

    fn from_str(word: &str) -> Result<Speech, NoSpeech> {
        match word {
            "tones" => Ok(Speech::Tones),
            "flite" => Ok(Speech::Flite),
            "espeak-ng" => Ok(Speech::EspeakNg),
            other => Err(NoSpeech(other.to_owned())),
        }
    }
}

/// A program that was to speak, and did not.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// It cannot be started.
    #[error("{program} cannot be started: {error}. Install it, or leave --speech out")]
    Missing {
        /// Its name.
        program: &'static str,
        /// Why not.
        error: std::io::Error,
    },
    /// It took too long.
    #[error("{0} did not speak in time")]
    TooLong(&'static str),
    /// It ended with an error, or what it wrote is no sound.
    #[error("{program} did not speak: {why}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What it said, or what was wrong with its sound.
        why: String,
    },
}

/// The voice of one simulator. Each text is spoken by the program once, and then kept.
#[derive(Debug)]
pub(crate) struct Speaker {
    speech: Speech,
    spoken: Mutex<HashMap<String, Arc<[u8]>>>,
}

impl Speaker {
    /// A speaker; with a program, it says a word first, to find out whether it can.
    pub(crate) async fn start(speech: Speech) -> Result<Speaker, SpeechError> {
        let speaker = Speaker::silent(speech);
        if speech != Speech::Tones {
            program::speak(speech, "Ready").await?;
        }
        Ok(speaker)
    }

    /// A speaker that has not said anything yet.
    pub(crate) fn silent(speech: Speech) -> Speaker {
        Speaker { speech, spoken: Mutex::default() }
    }

    /// Whether what it says can be understood from its sound.
    pub(crate) fn is_understood(&self) -> bool {
        self.speech == Speech::Tones
    }

    /// Has the program speak what it has not spoken yet, so that the sound is there when it is needed.
    pub(crate) async fn prepare(&self, texts: impl Iterator<Item = &str>) {
        if self.is_understood() {
            return;
        }
        for text in texts {
            if self.spoken().contains_key(text) {
                continue;
            }
            match program::speak(self.speech, text).await {
                Ok(sound) => drop(self.spoken().insert(text.to_owned(), sound.into())),
                Err(error) => tracing::warn!(%error, text, "spoken in tones"),
            }
        }
    }

    /// `text` as sound in whole frames; what was not prepared is said in tones.
    pub(crate) fn sound(&self, text: &str, voice: Voice) -> Vec<u8> {
        let spoken = self.spoken().get(text).cloned();
        match (spoken, voice) {
            (None, _) => tones::speak(text, voice),
            (Some(sound), Voice::Clear) => sound.to_vec(),
            // Into the beard: so low that one has to ask again.
            (Some(sound), Voice::Mumbled) => sound.iter().map(|byte| mulaw::encode(mulaw::decode(*byte) / 6)).collect(),
        }
    }

    fn spoken(&self) -> MutexGuard<'_, HashMap<String, Arc<[u8]>>> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
