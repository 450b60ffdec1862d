//! Answering machine detection, as ordered.

use std::time::Duration;

use super::Fetch;

/// How to find out whether a person or a machine has picked up.
#[derive(Debug, Clone)]
pub(crate) struct Detection {
    pub(crate) mode: DetectionMode,
    pub(crate) telling: Telling,
    /// `unknown` after so long, from 3 to 59 s.
    pub(crate) timeout: Duration,
    /// Speech of at least this length is a machine's greeting, from 1000 to 6000 ms.
    pub(crate) speech_threshold: Duration,
    /// Silence of this length ends a greeting, from 500 to 5000 ms.
    pub(crate) speech_end_threshold: Duration,
    /// Silence of this length at the very beginning gives `unknown`, from 2000 to 10000 ms.
    pub(crate) silence_timeout: Duration,
}

/// When a machine is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DetectionMode {
    /// As soon as it is known to be one.
    Enable,
    /// When its greeting is over.
    DetectMessageEnd,
}

impl DetectionMode {
    pub(crate) fn parse(word: &str) -> Option<DetectionMode> {
        match word {
            "Enable" => Some(DetectionMode::Enable),
            "DetectMessageEnd" => Some(DetectionMode::DetectMessageEnd),
            _ => None,
        }
    }
}

/// How the client learns of the result.
#[derive(Debug, Clone)]
pub(crate) enum Telling {
    /// In the request for TwiML, which waits for it.
    InVoiceRequest,
    /// By a webhook of its own, while the TwiML runs; by none if no URL was given.
    Callback(Option<Fetch>),
}
