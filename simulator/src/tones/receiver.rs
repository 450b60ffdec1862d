//! Hearing: from 20 ms frames of μ-law back to blocks of text.

use std::collections::VecDeque;

use super::{BIT, ETX, LONGEST, STX, crc};
use crate::mulaw;

/// A byte on the line, with its start and stop bit, in samples.
const CHARACTER: usize = 10 * BIT;
/// Mark samples inside a block that mean its sender has given it up.
const LEAD: usize = 12 * BIT;
/// Silent frames inside a block (200 ms) that mean the same.
const IDLE_FRAMES: usize = 10;
/// Text, ETX and CRC: a block cannot be longer.
const GREATEST: usize = LONGEST + 3;

/// What came out of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    /// More than one bit was wrong; the printable bytes are only a hint.
    Damaged(String),
}

/// A listener to one side of a call.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    /// Limited samples not yet read: +1, -1, or 0 for none.
    samples: VecDeque<i8>,
    /// Bytes since STX, while inside a block.
    block: Option<Vec<u8>>,
    /// The byte before had no proper stop bit, so the next start bit shows no edge to align to.
    ran_on: bool,
    mark_run: usize,
    idle_frames: usize,
}

impl Receiver {
    /// Takes the next frame as it was played.
    pub(crate) fn frame(&mut self, frame: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        if !mulaw::is_speech(frame) {
            self.idle_frames += 1;
            if self.idle_frames == IDLE_FRAMES {
                self.give_up(&mut heard);
            }
            return heard;
        }
        self.idle_frames = 0;
        self.samples.extend(frame.iter().map(|&byte| mulaw::decode(byte).signum() as i8));
        while self.read(&mut heard) {}
        heard
    }

    /// Reads one step further; false when more samples are needed.
    fn read(&mut self, heard: &mut Vec<Heard>) -> bool {
        // The look-ahead is one bit past a character, so that a start bit can be aligned.
        if self.samples.len() < CHARACTER + BIT {
            return false;
        }
        let start = match self.start_bit() {
            Some(start) => start,
            None => {
                self.skip_sample(heard);
                return true;
            }
        };
        if self.samples.len() < start + CHARACTER {
            return false;
        }
        self.mark_run = 0;
        let bit = |n: usize| is_mark(self.window(start + n * BIT));
        let byte = (0..8).fold(0u8, |byte, n| byte | u8::from(bit(n + 1)) << n);
        let stopped = bit(9);
        // Half a bit is left for the next edge: the two clocks need not agree exactly.
        let slack = if stopped { BIT / 2 } else { 0 };
        self.ran_on = !stopped;
        self.samples.drain(..start + CHARACTER - slack);
        self.byte(byte, heard);
        true
    }

    /// Where in the next few samples a start bit begins, if one does.
    fn start_bit(&self) -> Option<usize> {
        if !is_space(self.window(0)) {
            return None;
        }
        if self.ran_on {
            return Some(0);
        }
        // The window has just begun to look like a space; the bit begins where it does so most.
        let mut best = (0, f32::MIN);
        for at in 0..BIT {
            let (mark, space) = energies(self.window(at));
            if space - mark > best.1 + 0.01 {
                best = (at, space - mark);
            }
        }
        Some(best.0)
    }

    fn skip_sample(&mut self, heard: &mut Vec<Heard>) {
        self.ran_on = false;
        if is_mark(self.window(0)) {
            self.mark_run += 1;
            if self.mark_run == LEAD {
                self.give_up(heard);
            }
        } else {
            self.mark_run = 0;
        }
        self.samples.pop_front();
    }

    fn byte(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        let Some(block) = &mut self.block else {
            if byte == STX {
                self.block = Some(Vec::new());
            }
            return;
        };
        block.push(byte);
        if let [text @ .., ETX, high, low] = block.as_slice()
            && crc(text) == u16::from_be_bytes([*high, *low])
        {
            heard.push(Heard::Text(String::from_utf8_lossy(text).into_owned()));
            self.block = None;
        } else if block.len() >= GREATEST {
            self.give_up(heard);
        }
    }

    /// The block goes no further: one wrong bit is mended, more are reported.
    fn give_up(&mut self, heard: &mut Vec<Heard>) {
        if let Some(block) = self.block.take() {
            heard.push(mend(&block).map_or_else(|| Heard::Damaged(hint(&block)), Heard::Text));
        }
    }

    fn window(&self, at: usize) -> [i8; BIT] {
        std::array::from_fn(|n| self.samples.get(at + n).copied().unwrap_or(0))
    }
}

fn mend(block: &[u8]) -> Option<String> {
    (0..block.len().saturating_sub(2)).rev().filter(|&at| block[at] == ETX).find_map(|at| {
        let mut text = block[..at].to_vec();
        let sent = u16::from_be_bytes([block[at + 1], block[at + 2]]);
        if (crc(&text) ^ sent).count_ones() <= 1 {
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
        for bit in 0..at * 8 {
            text[bit / 8] ^= 1 << (bit % 8);
            if crc(&text) == sent {
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
            text[bit / 8] ^= 1 << (bit % 8);
        }
        None
    })
}

fn hint(block: &[u8]) -> String {
    let text = block.iter().rposition(|&byte| byte == ETX);
    String::from_utf8_lossy(&block[..text.unwrap_or(block.len())])
        .chars()
        .filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER)
        .collect()
}

fn is_space(window: [i8; BIT]) -> bool {
    let (mark, space) = energies(window);
    // The floor keeps silence, which has no energy at either pitch, from starting a byte.
    space > mark && space > 8.0
}

fn is_mark(window: [i8; BIT]) -> bool {
    let (mark, space) = energies(window);
    mark > space
}

/// Energy at 1000 Hz and at 2000 Hz over one bit, whatever the phase.
fn energies(window: [i8; BIT]) -> (f32, f32) {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const COS: [f32; BIT] = [1.0, HALF, 0.0, -HALF, -1.0, -HALF, 0.0, HALF];
    let at = |step: usize, quarter: usize| -> f32 {
        window.iter().enumerate().map(|(n, &sample)| f32::from(sample) * COS[(n * step + quarter) % BIT]).sum()
    };
    let energy = |step| at(step, 0).powi(2) + at(step, 2).powi(2);
    (energy(1), energy(2))
}
