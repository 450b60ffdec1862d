//! The checksum of a block, and what it can repair.

/// CRC-16 with polynomial 0x1021 and initial value 0xFFFF, no reflection, no final xor.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

/// The text with its one wrong bit set right, if one bit of text or checksum explains the difference.
///
/// Two wrong bits are never taken for one: this polynomial tells all errors of up to three bits in a block apart.
pub(super) fn mend(text: &[u8], received: u16) -> Option<Vec<u8>> {
    if (crc(text) ^ received).count_ones() <= 1 {
        return Some(text.to_vec());
    }
    let mut mended = text.to_vec();
    for index in 0..mended.len() {
        for bit in 0..8 {
            mended[index] ^= 1 << bit;
            if crc(&mended) == received {
                return Some(mended);
            }
            mended[index] ^= 1 << bit;
        }
    }
    None
}
