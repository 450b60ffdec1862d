//! Text to sound.

use super::block::{ETX, GREATEST_TEXT, STX};
use super::crc::crc;
use crate::voice::mulaw;

/// One bit of mark (1000 Hz) and of space (2000 Hz), eight samples each.
const MARK: [i16; 8] = [3061, 7391, 7391, 3061, -3061, -7391, -7391, -3061];
const SPACE: [i16; 8] = [5657, 5657, -5657, -5657, 5657, 5657, -5657, -5657];

const LEAD_BITS: usize = 20;
const TAIL_BITS: usize = 4;

/// The μ-law audio of a text, in whole frames.
pub(super) fn utterance(text: &str) -> Vec<u8> {
    let text = text.replace(|c: char| c.is_ascii_control(), " ");
    let mut audio = Vec::new();
    for block in blocks(&text) {
        bits(&mut audio, &[true; LEAD_BITS]);
        for byte in framed(block) {
            bits(&mut audio, &serial(byte));
        }
    }
    bits(&mut audio, &[true; TAIL_BITS]);
    audio.resize(audio.len().next_multiple_of(mulaw::FRAME), mulaw::SILENCE);
    audio
}

/// The text cut where a block is full, never inside a character. Empty text is one empty block.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut rest = text;
    loop {
        let (block, after) = rest.split_at(rest.floor_char_boundary(GREATEST_TEXT));
        blocks.push(block);
        if after.is_empty() {
            return blocks;
        }
        rest = after;
    }
}

fn framed(text: &str) -> Vec<u8> {
    let mut bytes = vec![STX];
    bytes.extend(text.bytes());
    bytes.push(ETX);
    bytes.extend(crc(text.as_bytes()).to_be_bytes());
    bytes
}

/// A space, eight data bits with the least significant first, a mark.
fn serial(byte: u8) -> [bool; 10] {
    let mut bits = [true; 10];
    bits[0] = false;
    for (place, bit) in bits[1..9].iter_mut().enumerate() {
        *bit = byte >> place & 1 == 1;
    }
    bits
}

fn bits(audio: &mut Vec<u8>, bits: &[bool]) {
    for &bit in bits {
        let samples = if bit { MARK } else { SPACE };
        audio.extend(samples.map(mulaw::encode));
    }
}
