//! Telling people and machines apart by the rhythm of what they say: frames in, a verdict out.
//!
//! A person says a few words and waits; a machine talks on, beeps, or whistles like a fax. Time is
//! what has been heard, 20 ms a frame.

use super::AnsweredBy;
use crate::call::{Detection, DetectionMode};
use crate::mulaw::{self, FRAME};
use crate::tones;

const TICK: u64 = 20;
/// A tone that keeps its pitch for so long is not part of speech.
const BEEP_MS: u64 = 120;
/// What a fax that answers whistles, and how long it must.
const FAX_HZ: f32 = 2100.0;
const FAX_MS: u64 = 500;
/// Two frames have one pitch if they differ by no more.
const SAME_HZ: f32 = 25.0;

/// When what is concluded; all in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// A machine is reported when its greeting is over, and not as soon as it is known to be one.
    pub(crate) awaits_message_end: bool,
    pub(crate) timeout_ms: u64,
    /// Speech that lasts so long is a machine's.
    pub(crate) speech_ms: u64,
    /// Silence that ends it.
    pub(crate) speech_end_ms: u64,
    /// Silence at the very beginning that ends it all.
    pub(crate) silence_ms: u64,
}

impl From<&Detection> for Rules {
    fn from(ordered: &Detection) -> Rules {
        let ms = |length: std::time::Duration| length.as_millis() as u64;
        Rules {
            awaits_message_end: ordered.mode == DetectionMode::DetectMessageEnd,
            timeout_ms: ms(ordered.timeout),
            speech_ms: ms(ordered.speech_threshold),
            speech_end_ms: ms(ordered.speech_end_threshold),
            silence_ms: ms(ordered.silence_timeout),
        }
    }
}

/// One pick-up, being listened to.
#[derive(Debug)]
pub(crate) struct Detector {
    rules: Rules,
    now: u64,
    /// When speech began, and when it was last heard.
    speech: Option<(u64, u64)>,
    machine: bool,
    tone: Option<Tone>,
}

#[derive(Debug, Clone, Copy)]
struct Tone {
    hz: f32,
    ms: u64,
}

impl Tone {
    fn is_fax(self) -> bool {
        (self.hz - FAX_HZ).abs() <= SAME_HZ
    }
}

impl Detector {
    pub(crate) fn new(rules: Rules) -> Detector {
        Detector { rules, now: 0, speech: None, machine: false, tone: None }
    }

    /// Milliseconds heard so far.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.now
    }

    /// Hears 20 ms of the callee (`None` is silence); gives the verdict, once there is one.
    pub(crate) fn frame(&mut self, frame: Option<&[u8; FRAME]>) -> Option<AnsweredBy> {
        let speech = frame.filter(|frame| mulaw::is_speech(*frame));
        let began = self.now;
        self.now += TICK;
        if speech.is_some() {
            let (first, _) = self.speech.unwrap_or((began, began));
            self.speech = Some((first, self.now));
        }
        self.follow(speech.and_then(tones::pitch)).or_else(|| self.judge())
    }

    /// Follows a tone from frame to frame; a fax is known while it whistles, a beep when it is over.
    fn follow(&mut self, pitch: Option<f32>) -> Option<AnsweredBy> {
        let before = self.tone;
        self.tone = match (before, pitch) {
            (Some(tone), Some(hz)) if (tone.hz - hz).abs() <= SAME_HZ => Some(Tone { ms: tone.ms + TICK, ..tone }),
            (_, Some(hz)) => Some(Tone { hz, ms: TICK }),
            (_, None) => None,
        };
        if self.tone.is_some_and(|tone| tone.is_fax() && tone.ms >= FAX_MS) {
            return Some(AnsweredBy::Fax);
        }
        let ended = before.filter(|tone| self.tone.is_none_or(|now| now.ms <= tone.ms));
        let beeped = ended.is_some_and(|tone| tone.ms >= BEEP_MS && !tone.is_fax());
        beeped.then_some(if self.rules.awaits_message_end {
            AnsweredBy::MachineEndBeep
        } else {
            AnsweredBy::MachineStart
        })
    }

    fn judge(&mut self) -> Option<AnsweredBy> {
        let rules = self.rules;
        match self.speech {
            Some((first, last)) => {
                // A fax has its own length to be known by, longer than the shortest threshold.
                let whistles = self.tone.is_some_and(Tone::is_fax);
                self.machine |= last - first >= rules.speech_ms && !whistles;
                if self.machine && !rules.awaits_message_end {
                    return Some(AnsweredBy::MachineStart);
                }
                if self.now - last >= rules.speech_end_ms {
                    return Some(if self.machine { AnsweredBy::MachineEndSilence } else { AnsweredBy::Human });
                }
            }
            None if self.now >= rules.silence_ms => return Some(AnsweredBy::Unknown),
            None => {}
        }
        let out_of_time = if self.machine { AnsweredBy::MachineEndOther } else { AnsweredBy::Unknown };
        (self.now >= rules.timeout_ms).then_some(out_of_time)
    }
}

#[cfg(test)]
mod tests;
