//! The beep of an answering machine.
//!
//! A beep is one steady tone. In a pure tone the two neighbours of each sample add up to the sample itself times a
//! number that depends on the pitch only; how badly the best such number fits tells a tone from anything else.
//! Words sent as tones change their pitch with every letter, and speech is no pure tone for long.

use super::mulaw::decode;

/// 200 ms: shorter than any machine's beep.
const STEADY_FRAMES: u32 = 10;

/// The share of a frame's energy that may be left over. A line with noise 20 dB down leaves 0.06, a single
/// bit of the other tone 0.18.
const GREATEST_REST: f64 = 0.1;

/// How far the pitch may wander, in radians per sample: 25 Hz.
const GREATEST_DRIFT: f64 = 0.02;

/// 250 Hz. Lower is hum.
const LOWEST_PITCH: f64 = 0.2;

/// Listens for a steady tone.
#[derive(Debug, Default)]
pub(super) struct Beep {
    pitch: f64,
    frames: u32,
    heard: bool,
}

impl Beep {
    pub(super) fn listen(&mut self, frame: &[u8]) {
        match pitch(frame) {
            Some(pitch) if self.frames > 0 && (pitch - self.pitch).abs() <= GREATEST_DRIFT => self.frames += 1,
            Some(pitch) => (self.pitch, self.frames) = (pitch, 1),
            None => self.frames = 0,
        }
        self.heard |= self.frames >= STEADY_FRAMES;
    }

    pub(super) fn heard(&self) -> bool {
        self.heard
    }
}

/// The pitch of a frame in radians per sample, if it is one tone.
fn pitch(frame: &[u8]) -> Option<f64> {
    let samples: Vec<f64> = frame.iter().map(|&byte| f64::from(decode(byte))).collect();
    let triples = || samples.windows(3).map(|three| (three[1], three[0] + three[2]));
    let energy: f64 = triples().map(|(middle, _)| middle * middle).sum();
    let factor = triples().map(|(middle, sides)| middle * sides).sum::<f64>() / energy;
    let rest: f64 = triples().map(|(middle, sides)| (sides - factor * middle).powi(2)).sum();
    let pitch = (factor / 2.0).clamp(-1.0, 1.0).acos();
    (energy > 0.0 && rest <= GREATEST_REST * energy && pitch >= LOWEST_PITCH).then_some(pitch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::mulaw::encode;
    use crate::voice::speech::{Speech, tones::Tones};

    fn heard(audio: &[u8]) -> bool {
        let mut beep = Beep::default();
        audio.chunks(160).for_each(|frame| beep.listen(frame));
        beep.heard()
    }

    #[test]
    fn a_steady_tone_is_a_beep() {
        for pitch in [440.0, 850.0, 1000.0, 1400.0] {
            let sine = |n: usize| encode((8000.0 * f64::sin(n as f64 * pitch * std::f64::consts::TAU / 8000.0)) as i16);
            assert!(heard(&(0..3200).map(sine).collect::<Vec<_>>()), "{pitch}");
            assert!(!heard(&(0..1200).map(sine).collect::<Vec<_>>()), "{pitch}, too short");
        }
    }

    #[test]
    fn words_are_no_beep() {
        for letter in (' '..='~').chain(['夜', 'é']) {
            assert!(!heard(&Tones::new().say(&letter.to_string().repeat(200))), "{letter}");
        }
    }
}
