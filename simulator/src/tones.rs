//! Text as audible modem sound, so that both ends of a call really hear each other.
//!
//! This is the simulator's own writing of `docs/tones.md`: 1000 baud, mark 1000 Hz, space 2000 Hz,
//! start bit, eight data bits, stop bit; text in blocks with a CRC. It shares no code with the
//! product, because a counterpart with the same code would agree with its mistakes.

mod block;
mod keys;
mod pitch;
mod receiver;

pub(crate) use block::{ETX, LONGEST, STX, crc};
pub(crate) use keys::{KeyEar, key, keys};
pub(crate) use pitch::pitch;
pub(crate) use receiver::{Heard, Receiver};

use crate::mulaw;

/// Samples per bit at 8000 Hz and 1000 baud.
pub(crate) const BIT: usize = 8;

const MARK: [i16; BIT] = [3061, 7391, 7391, 3061, -3061, -7391, -7391, -3061];
const SPACE: [i16; BIT] = [5657, 5657, -5657, -5657, 5657, 5657, -5657, -5657];
const LEAD_BITS: usize = 20;
const TAIL_BITS: usize = 4;

/// How well a text is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    Clear,
    /// Two wrong bits in every block: more than a receiver can mend, so it must notice.
    Mumbled,
}

/// `text` as μ-law sound, padded with silence to whole frames of 160 bytes.
pub(crate) fn speak(text: &str, voice: Voice) -> Vec<u8> {
    let mut samples = Vec::new();
    for block in block::blocks(text) {
        for _ in 0..LEAD_BITS {
            samples.extend(MARK);
        }
        let line = match voice {
            Voice::Clear => block,
            Voice::Mumbled => block::damage(block),
        };
        for byte in line {
            push_byte(&mut samples, byte);
        }
    }
    for _ in 0..TAIL_BITS {
        samples.extend(MARK);
    }
    let whole = samples.len().next_multiple_of(mulaw::FRAME);
    samples.resize(whole, 0);
    mulaw::encode_all(&samples)
}

/// A plain tone of `hz` for `ms` milliseconds, as the beep of a voicemail, in whole frames.
pub(crate) fn beep(hz: u32, ms: u32) -> Vec<u8> {
    let samples: Vec<i16> = (0..ms as usize * 8)
        .map(|n| {
            let turn = std::f64::consts::TAU * f64::from(hz) * n as f64 / 8000.0;
            (8000.0 * turn.sin()).round() as i16
        })
        .collect();
    let mut sound = mulaw::encode_all(&samples);
    sound.resize(sound.len().next_multiple_of(mulaw::FRAME), mulaw::SILENCE);
    sound
}

/// Music of a telephone exchange for `ms` milliseconds: two notes at a time, so that nobody takes it for
/// a beep.
pub(crate) fn music(ms: u32) -> Vec<u8> {
    const NOTE_MS: usize = 400;
    const CHORDS: [(f64, f64); 4] = [(440.0, 554.4), (493.9, 622.3), (554.4, 659.3), (493.9, 587.3)];
    let samples: Vec<i16> = (0..ms as usize * 8)
        .map(|n| {
            let (low, high) = CHORDS[n / (NOTE_MS * 8) % CHORDS.len()];
            let wave = |hz: f64| (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin();
            (3500.0 * (wave(low) + wave(high))).round() as i16
        })
        .collect();
    mulaw::encode_all(&samples)
}

fn push_byte(samples: &mut Vec<i16>, byte: u8) {
    samples.extend(SPACE);
    for bit in 0..8 {
        samples.extend(if byte >> bit & 1 == 1 { MARK } else { SPACE });
    }
    samples.extend(MARK);
}

#[cfg(test)]
mod tests;
