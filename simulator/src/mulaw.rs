//! G.711 μ-law: one byte a sample, 8000 samples a second.

/// What a line carries when nobody speaks. (0x00 would be a full-scale click.)
pub(crate) const SILENCE: u8 = 0xFF;

/// Bytes in one 20 ms frame.
pub(crate) const FRAME: usize = 160;

const BIAS: i32 = 132;
const CLIP: i32 = 32_635;

/// One 16-bit linear sample as a μ-law byte.
pub(crate) fn encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    let exponent = (31 - magnitude.leading_zeros()) as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// One μ-law byte as a 16-bit linear sample.
pub(crate) fn decode(byte: u8) -> i16 {
    let bits = i32::from(!byte);
    let magnitude = ((((bits & 0x0F) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
    let signed = if bits & 0x80 != 0 { -magnitude } else { magnitude };
    signed as i16
}

/// A whole sound as μ-law.
pub(crate) fn encode_all(samples: &[i16]) -> Vec<u8> {
    samples.iter().map(|&sample| encode(sample)).collect()
}

/// Whether a frame is loud enough (RMS over -40 dBFS, 328 of 32768) to count as speech.
pub(crate) fn is_speech(frame: &[u8]) -> bool {
    // Most frames of a call are this, and must cost next to nothing.
    if frame.iter().all(|byte| *byte == SILENCE) {
        return false;
    }
    let sum: i64 = frame.iter().map(|&byte| i64::from(decode(byte)).pow(2)).sum();
    sum >= 328 * 328 * frame.len().max(1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_of_the_law() {
        for (byte, sample) in [
            (0xFF, 0),
            (0x7F, 0),
            (0x00, -32_124),
            (0x80, 32_124),
            (0x01, -31_100),
            (0x0F, -16_764),
            (0x10, -15_996),
            (0x8F, 16_764),
            (0xF0, 120),
            (0x7E, -8),
            (0xFE, 8),
        ] {
            assert_eq!(decode(byte), sample, "byte {byte:#x}");
        }
        for (sample, byte) in
            [(0, 0xFF), (1000, 0xCE), (-1000, 0x4E), (100, 0xF2), (-100, 0x72), (i16::MAX, 0x80), (i16::MIN, 0x00)]
        {
            assert_eq!(encode(sample), byte, "sample {sample}");
        }
    }

    #[test]
    fn every_byte_but_negative_zero_survives_the_round_trip() {
        for byte in (0..=255u8).filter(|&byte| byte != 0x7F) {
            assert_eq!(encode(decode(byte)), byte);
        }
    }

    #[test]
    fn silence_is_not_speech_and_a_tone_is() {
        assert!(!is_speech(&[SILENCE; FRAME]));
        assert!(is_speech(&encode_all(&[3000; FRAME])));
    }
}
