//! Bytes to text: finds the blocks, and tells the good from the mended and the damaged.

use super::crc::{crc, mend};
use crate::voice::speech::Piece;

/// Begins a block.
pub(super) const STX: u8 = 0x02;
/// Ends a block's text; two bytes of checksum follow.
pub(super) const ETX: u8 = 0x03;
/// The most bytes of text in a block.
pub(super) const GREATEST_TEXT: usize = 64;

const GREATEST_BLOCK: usize = GREATEST_TEXT + 3;

/// Marks in a row that can only be the lead of another block.
const NEW_LEAD: usize = 12;

/// Marks in a row from which a byte is believed to begin a block though a bit of its `STX` is wrong.
const SOME_LEAD: usize = 6;

/// Noise behind the tail of an utterance fills at most one frame, which has no room for this many bytes.
const MORE_THAN_NOISE: usize = 3;

/// A sender fills a block before it begins another, up to a character that does not fit (four bytes at most).
const FULL_TEXT: usize = GREATEST_TEXT - 3;

/// Puts blocks together.
#[derive(Debug, Default)]
pub(super) struct BlockReader {
    block: Option<Block>,
    /// Bytes outside of any block: words of which the beginning was lost.
    stray: usize,
    /// The block before was full, so the next one goes on inside its sentence.
    full: bool,
}

#[derive(Debug)]
struct Block {
    led: bool,
    bytes: Vec<u8>,
}

impl BlockReader {
    /// Takes a byte that had `lead` bits of mark before it.
    pub(super) fn byte(&mut self, value: u8, lead: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if lead >= NEW_LEAD {
            pieces.extend(self.give_up());
        }
        match &mut self.block {
            None if begins_block(value, lead) => {
                self.block = Some(Block { led: lead >= SOME_LEAD, bytes: Vec::new() });
            }
            None => self.stray += 1,
            Some(block) => {
                block.bytes.push(value);
                if let Some(text) = block.checked() {
                    self.block = None;
                    pieces.push(self.good(text));
                } else if block.bytes.len() == GREATEST_BLOCK {
                    pieces.extend(self.give_up());
                }
            }
        }
        pieces
    }

    /// The line is idle: nothing that was begun goes on.
    pub(super) fn idle(&mut self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = self.give_up().into_iter().collect();
        if std::mem::take(&mut self.stray) >= MORE_THAN_NOISE {
            pieces.push(self.damaged(String::new()));
        }
        self.full = false;
        pieces
    }

    fn give_up(&mut self) -> Option<Piece> {
        let block = self.block.take()?;
        if !block.led && block.bytes.len() < MORE_THAN_NOISE {
            return None;
        }
        Some(match block.mended() {
            Some(text) => self.good(text),
            None => self.damaged(printable(&block.bytes)),
        })
    }

    fn good(&mut self, text: Vec<u8>) -> Piece {
        let continues = std::mem::replace(&mut self.full, text.len() >= FULL_TEXT);
        Piece { text: String::from_utf8_lossy(&text).into_owned(), damaged: false, continues }
    }

    fn damaged(&mut self, hint: String) -> Piece {
        self.full = false;
        Piece { text: hint, damaged: true, continues: false }
    }
}

impl Block {
    /// The text, if the last three bytes are `ETX` and its checksum.
    fn checked(&self) -> Option<Vec<u8>> {
        let (text, end) = self.bytes.split_last_chunk::<3>()?;
        (end[0] == ETX && crc(text) == u16::from_be_bytes([end[1], end[2]])).then(|| text.to_vec())
    }

    /// The text, if one wrong bit explains everything.
    fn mended(&self) -> Option<Vec<u8>> {
        let ends = (0..self.bytes.len().saturating_sub(2)).rev();
        for end in ends.clone().filter(|&end| self.bytes[end] == ETX) {
            let received = u16::from_be_bytes([self.bytes[end + 1], self.bytes[end + 2]]);
            if let Some(text) = mend(&self.bytes[..end], received) {
                return Some(text);
            }
        }
        // The wrong bit may be in the ETX itself, and then text and checksum agree.
        let near = ends.filter(|&end| (self.bytes[end] ^ ETX).count_ones() == 1);
        near.map(|end| (&self.bytes[..end], [self.bytes[end + 1], self.bytes[end + 2]]))
            .find(|(text, received)| crc(text) == u16::from_be_bytes(*received))
            .map(|(text, _)| text.to_vec())
    }
}

fn begins_block(value: u8, lead: usize) -> bool {
    value == STX || lead >= SOME_LEAD && (value ^ STX).count_ones() == 1
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER).collect()
}
