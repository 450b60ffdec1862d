//! How text is cut into blocks, and what guards each of them.

/// Opens a block.
pub(crate) const STX: u8 = 0x02;
/// Closes the text of a block; its CRC follows.
pub(crate) const ETX: u8 = 0x03;
/// Most text bytes in one block.
pub(crate) const LONGEST: usize = 64;

/// CRC-16, polynomial 0x1021, start 0xFFFF, not reflected.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 })
    })
}

/// The bytes of every block of `text` as they go on the line, without the lead.
pub(crate) fn blocks(text: &str) -> Vec<Vec<u8>> {
    // A control character could be taken for the edge of a block.
    let clean: String = text.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }).collect();
    let mut blocks = Vec::new();
    let mut rest = clean.as_str();
    loop {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(LONGEST));
        blocks.push(framed(head.as_bytes()));
        if tail.is_empty() {
            return blocks;
        }
        rest = tail;
    }
}

fn framed(text: &[u8]) -> Vec<u8> {
    let mut line = vec![STX];
    line.extend(text);
    line.push(ETX);
    line.extend(crc(text).to_be_bytes());
    line
}

/// Turns two bits of a block over. Any two texts that pass this CRC differ in at least four bits,
/// so no single bit turned back can make the result look right.
pub(crate) fn damage(mut line: Vec<u8>) -> Vec<u8> {
    // Low bits only: a letter stays a letter, and the block keeps its edges.
    let text = 1..line.len().saturating_sub(3);
    if text.len() >= 2 {
        line[text.start] ^= 1;
        line[text.end - 1] ^= 1;
    } else if let Some(last) = line.last_mut() {
        *last ^= 0b11;
    }
    line
}
