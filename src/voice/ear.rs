//! When the other side speaks, and when it has finished.
//!
//! A turn begins with the first frame of speech and ends after enough silence. Nothing else ends one: people
//! breathe, and audio comes late.

use super::beep::Beep;
use super::mulaw::{FRAME_MS, is_speech};
use super::speech::{Piece, Speech};
use super::turn::Turn;

/// Speech of fewer frames, without a word in it, is a click.
const SHORTEST_TURN: u32 = 3;

/// A turn of the other side that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeardTurn {
    pub(super) turn: Turn,
    /// A steady tone was in it, as of an answering machine.
    pub(super) beep: bool,
}

/// Listens, frame by frame.
#[derive(Debug)]
pub(super) struct Ear {
    turn_end_ms: u64,
    open: Option<OpenTurn>,
}

#[derive(Debug)]
struct OpenTurn {
    from_ms: u64,
    to_ms: u64,
    frames: u32,
    pieces: Vec<Piece>,
    beep: Beep,
}

impl Ear {
    pub(super) fn new(turn_end_ms: u64) -> Self {
        Self { turn_end_ms, open: None }
    }

    /// Takes the frame that ends at `now_ms`; gives the turn that is over with it.
    pub(super) fn frame(&mut self, frame: &[u8], now_ms: u64, speech: &mut dyn Speech) -> Option<HeardTurn> {
        let pieces = speech.hear(frame);
        if is_speech(frame) {
            let from_ms = now_ms - FRAME_MS;
            let open = self.open.get_or_insert_with(|| OpenTurn::new(from_ms));
            open.to_ms = now_ms;
            open.frames += 1;
            open.beep.listen(frame);
        }
        let open = self.open.as_mut()?;
        open.pieces.extend(pieces);
        if now_ms - open.to_ms < self.turn_end_ms { None } else { self.finish(speech) }
    }

    /// Ends the open turn now, if there is one: the line is dead or the time is up.
    pub(super) fn finish(&mut self, speech: &mut dyn Speech) -> Option<HeardTurn> {
        let mut open = self.open.take()?;
        open.pieces.extend(speech.turn_over());
        (open.frames >= SHORTEST_TURN || !open.pieces.is_empty()).then(|| open.close())
    }

    /// Frames of speech in the open turn.
    pub(super) fn frames(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.frames)
    }

    /// Whether a turn is open.
    pub(super) fn is_listening(&self) -> bool {
        self.open.is_some()
    }

    /// How long the open turn is, from its first speech to its last.
    pub(super) fn open_ms(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.to_ms - open.from_ms)
    }
}

impl OpenTurn {
    fn new(from_ms: u64) -> Self {
        Self { from_ms, to_ms: from_ms, frames: 0, pieces: Vec::new(), beep: Beep::default() }
    }

    fn close(self) -> HeardTurn {
        let mut text = String::new();
        for piece in &self.pieces {
            let breath = if text.is_empty() || piece.continues { "" } else { " " };
            text.push_str(breath);
            text.push_str(&piece.text);
        }
        // Sound without a word is a mumble: something was said, and nobody knows what.
        let damaged = self.pieces.is_empty() || self.pieces.iter().any(|piece| piece.damaged);
        let turn = Turn { text, from_ms: self.from_ms, to_ms: self.to_ms, damaged, interrupted: false };
        HeardTurn { turn, beep: self.beep.heard() }
    }
}
