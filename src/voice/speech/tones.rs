//! Text as audible modem sound, for calls on one machine: our side of `docs/tones.md`.
//!
//! [`modulator`] turns text into samples, [`demodulator`] turns samples into bytes, [`block`] turns bytes into
//! text and knows what can be trusted.

mod block;
mod crc;
mod demodulator;
mod modulator;
#[cfg(test)]
mod tests;

use super::{Piece, Speech};
use crate::voice::mulaw;
use block::BlockReader;
use demodulator::Demodulator;

/// Silent frames after which the line counts as idle: what was begun before them does not go on.
const IDLE_FRAMES: u32 = 10;

/// The desk voice.
#[derive(Debug, Default)]
pub struct Tones {
    demodulator: Demodulator,
    reader: BlockReader,
    silent_frames: u32,
}

impl Tones {
    /// A voice that has heard nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn idle(&mut self) -> Vec<Piece> {
        // A half-read byte must not be completed with the first bits of the next utterance.
        self.demodulator = Demodulator::default();
        self.reader.idle()
    }
}

impl Speech for Tones {
    fn say(&mut self, text: &str) -> Vec<u8> {
        modulator::utterance(text)
    }

    fn hear(&mut self, frame: &[u8]) -> Vec<Piece> {
        // Silence is idle, not data: it stands where a late frame should have been.
        if !mulaw::is_speech(frame) {
            self.silent_frames += 1;
            return if self.silent_frames == IDLE_FRAMES { self.idle() } else { Vec::new() };
        }
        self.silent_frames = 0;
        self.demodulator.listen(frame);
        let mut pieces = Vec::new();
        while let Some(byte) = self.demodulator.next_byte() {
            pieces.extend(self.reader.byte(byte.value, byte.lead));
        }
        pieces
    }

    fn turn_over(&mut self) -> Vec<Piece> {
        self.silent_frames = 0;
        self.idle()
    }
}
