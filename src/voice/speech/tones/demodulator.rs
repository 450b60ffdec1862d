//! Sound to bytes.
//!
//! A limiter keeps only the sign of each sample, so loudness does not matter. A bit is a mark if there is more
//! energy at 1000 Hz than at 2000 Hz in its eight samples. The clock is taken anew from the edge of each start bit.

use crate::voice::mulaw;

const BIT: usize = 8;
const BYTE: usize = 10 * BIT;

/// How far a start bit may come too early, in samples.
const EARLY: usize = 2;

const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
const COS_1000: [f32; BIT] = [1.0, HALF, 0.0, -HALF, -1.0, -HALF, 0.0, HALF];
const SIN_1000: [f32; BIT] = [0.0, HALF, 1.0, HALF, 0.0, -HALF, -1.0, -HALF];
const COS_2000: [f32; BIT] = [1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0];
const SIN_2000: [f32; BIT] = [0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0];

/// A byte from the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineByte {
    pub(super) value: u8,
    /// Bits of mark between the byte before and this one.
    pub(super) lead: usize,
}

/// Finds bytes in a stream of samples.
#[derive(Debug, Default)]
pub(super) struct Demodulator {
    signs: Vec<f32>,
    /// Where the next start bit is looked for.
    at: usize,
    /// Samples of mark passed since the last byte.
    idle: usize,
    /// The last stop bit was a space: there is no edge, so the old clock goes on.
    no_edge: bool,
}

impl Demodulator {
    /// Takes samples, as μ-law.
    pub(super) fn listen(&mut self, frame: &[u8]) {
        // What lies more than a bit behind is never looked at again.
        let done = self.at.saturating_sub(BIT);
        self.signs.drain(..done);
        self.at -= done;
        self.signs.extend(frame.iter().map(|&byte| f32::from(mulaw::decode(byte).signum())));
    }

    /// The next byte, if all its samples are there.
    pub(super) fn next_byte(&mut self) -> Option<LineByte> {
        while self.at + BIT <= self.signs.len() {
            if self.tilt(self.at) >= 0.0 {
                self.at += 1;
                self.idle += 1;
                self.no_edge = false;
                continue;
            }
            // The edge lies up to seven samples after the first window in which space is stronger.
            let start = if self.no_edge { self.at } else { self.edge() };
            if start + BYTE > self.signs.len() {
                return None;
            }
            let lead = (self.idle + start).saturating_sub(self.at) / BIT;
            let bit = |place: usize| self.tilt(start + place * BIT) > 0.0;
            let value = (0..8).fold(0, |value, place| value | u8::from(bit(place + 1)) << place);
            let stop = bit(9);
            self.no_edge = !stop;
            self.at = start + BYTE;
            self.idle = 0;
            return Some(LineByte { value, lead });
        }
        None
    }

    /// The energy at 1000 Hz less that at 2000 Hz in the bit that begins here.
    fn tilt(&self, at: usize) -> f32 {
        let window = &self.signs[at.min(self.signs.len())..(at + BIT).min(self.signs.len())];
        let sum = |wave: &[f32; BIT]| window.iter().zip(wave).map(|(sign, wave)| sign * wave).sum::<f32>();
        let power = |cos, sin| sum(cos).powi(2) + sum(sin).powi(2);
        power(&COS_1000, &SIN_1000) - power(&COS_2000, &SIN_2000)
    }

    /// Where mark turns into space, near here: most mark before it, most space behind it.
    fn edge(&self) -> usize {
        let contrast = |at: usize| at.checked_sub(BIT).map_or(0.0, |before| self.tilt(before)) - self.tilt(at);
        let from = self.at.saturating_sub(EARLY);
        (from..self.at + BIT).fold(self.at, |best, at| if contrast(at) > contrast(best) { at } else { best })
    }
}
