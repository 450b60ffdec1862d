//! The tones of `docs/tones.md`, for tests: sound made and read where bits lie on whole samples.

const MARK: [u8; 8] = [0xb7, 0xa2, 0xa2, 0xb7, 0x37, 0x22, 0x22, 0x37];
const SPACE: [u8; 8] = [0xa9, 0xa9, 0x29, 0x29, 0xa9, 0xa9, 0x29, 0x29];

pub(crate) fn speak(text: &str) -> Vec<u8> {
    let mut sound = Vec::new();
    for block in text.as_bytes().chunks(64) {
        sound.extend(MARK.repeat(20));
        let mut line = vec![2];
        line.extend(block);
        line.push(3);
        line.extend(crc(block).to_be_bytes());
        for byte in line {
            sound.extend(SPACE);
            for bit in 0..8 {
                sound.extend(if byte >> bit & 1 == 1 { MARK } else { SPACE });
            }
            sound.extend(MARK);
        }
    }
    sound.extend(MARK.repeat(4));
    sound.resize(sound.len().next_multiple_of(160), 0xFF);
    sound
}

/// Every block in `sound`, and whether its CRC is right.
pub(crate) fn hear(sound: &[u8]) -> Vec<(String, bool)> {
    let bits: Vec<Option<bool>> = sound.chunks_exact(8).map(bit).collect();
    let mut blocks = Vec::new();
    let mut block: Option<Vec<u8>> = None;
    let mut at = 0;
    while at + 10 <= bits.len() {
        if bits[at] != Some(false) {
            at += 1;
            continue;
        }
        let byte = (0..8).fold(0u8, |byte, n| byte | u8::from(bits[at + 1 + n] == Some(true)) << n);
        at += 10;
        match &mut block {
            None if byte == 2 => block = Some(Vec::new()),
            None => {}
            Some(bytes) => {
                bytes.push(byte);
                if let [text @ .., 3, high, low] = bytes.as_slice() {
                    let right = crc(text) == u16::from_be_bytes([*high, *low]);
                    blocks.push((String::from_utf8_lossy(text).into_owned(), right));
                    block = None;
                }
            }
        }
    }
    blocks
}

fn bit(samples: &[u8]) -> Option<bool> {
    if samples == MARK {
        Some(true)
    } else if samples == SPACE {
        Some(false)
    } else {
        None
    }
}

fn crc(bytes: &[u8]) -> u16 {
    let mut crc = 0xFFFFu16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
    }
    crc
}
