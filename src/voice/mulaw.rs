//! G.711 μ-law, the only audio a phone line knows: 8000 samples a second, one byte each.

/// One sample of silence. Zero would be a full-scale click.
pub const SILENCE: u8 = 0xff;

/// Samples (and bytes) in one millisecond.
pub const SAMPLES_PER_MS: u64 = 8;

/// Samples (and bytes) in one frame.
pub const FRAME: usize = 160;

/// Milliseconds in one frame.
pub const FRAME_MS: u64 = 20;

/// The RMS of 16-bit samples from which a frame counts as speech: -40 dBFS.
const SPEECH_RMS: i64 = 328;

const BIAS: i32 = 132;
const CLIP: i32 = 32635;

const DECODED: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let bits = !(byte as u8);
        let magnitude = (((((bits & 15) as i32) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
        table[byte] = if bits & 0x80 == 0 { magnitude } else { -magnitude } as i16;
        byte += 1;
    }
    table
};

/// One 16-bit sample as a μ-law byte.
pub fn encode(sample: i16) -> u8 {
    // In 32 bits, because the magnitude of the lowest sample does not fit in 16.
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    // The bias keeps bit 7 or a higher one set, so there are 0 to 24 leading zeros to count.
    let exponent = 24 - magnitude.leading_zeros();
    let mantissa = (magnitude >> (exponent + 3)) & 15;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (exponent << 4) as u8 | mantissa as u8)
}

/// One μ-law byte as a 16-bit sample.
pub fn decode(byte: u8) -> i16 {
    DECODED[usize::from(byte)]
}

/// Whether a frame is loud enough to be speech: its RMS is at least -40 dBFS.
pub fn is_speech(frame: &[u8]) -> bool {
    let energy: i64 = frame.iter().map(|&byte| i64::from(decode(byte)).pow(2)).sum();
    !frame.is_empty() && energy >= SPEECH_RMS * SPEECH_RMS * frame.len() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_table_is_that_of_the_standard() {
        let table: Vec<u8> = (0..=255).flat_map(|byte| decode(byte).to_le_bytes()).collect();
        let sum: String = Sha256::digest(table).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827");
    }

    #[test]
    fn single_values_are_those_of_the_standard() {
        let decoded = [(0xff, 0), (0x7f, 0), (0x00, -32124), (0x80, 32124), (0x01, -31100), (0x0f, -16764)];
        let more = [(0x10, -15996), (0x8f, 16764), (0xf0, 120), (0x7e, -8), (0xfe, 8)];
        for (byte, sample) in decoded.into_iter().chain(more) {
            assert_eq!(decode(byte), sample, "{byte:02x}");
        }
        let encoded = [(0, 0xff), (1000, 0xce), (-1000, 0x4e), (100, 0xf2), (-100, 0x72)];
        for (sample, byte) in encoded.into_iter().chain([(32767, 0x80), (-32768, 0x00)]) {
            assert_eq!(encode(sample), byte, "{sample}");
        }
    }

    #[test]
    fn every_byte_but_negative_zero_comes_back() {
        for byte in (0..=255).filter(|&byte| byte != 0x7f) {
            assert_eq!(encode(decode(byte)), byte);
        }
    }

    #[test]
    fn speech_begins_at_minus_40_dbfs() {
        assert!(!is_speech(&[SILENCE; FRAME]));
        assert!(!is_speech(&[encode(320); FRAME]));
        assert!(is_speech(&[encode(340); FRAME]));
        assert!(!is_speech(&[]));
    }
}
