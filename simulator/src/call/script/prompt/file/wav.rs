//! Reading WAV files of 8000 samples a second.

use crate::mulaw;

const RATE: u32 = 8000;

/// A file whose sound cannot be read here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) why: &'static str,
    /// Its length in samples at 8000 a second, if it is known.
    pub(super) samples: Option<usize>,
}

/// The format of a file, as its `fmt ` chunk has it.
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bytes_per_second: u32,
    bits: u16,
}

/// The sound as μ-law; of several channels the first.
pub(super) fn read(file: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let unknown = |why| Unreadable { why, samples: None };
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(unknown("it is no WAV file"));
    }
    let mut format = None;
    let mut rest = &file[12..];
    while let Some((name, body, after)) = chunk(rest) {
        match name {
            b"fmt " => format = Format::read(body),
            b"data" => {
                let format = format.ok_or_else(|| unknown("its sound comes before its format"))?;
                return format.sound(body);
            }
            _ => {}
        }
        rest = after;
    }
    Err(unknown("there is no sound in it"))
}

/// The first chunk: its name, what is in it as far as it is there, and what follows.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let name: &[u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let size = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    let body = &bytes[8..];
    // A file that was streamed does not know its length.
    let end = size.min(body.len());
    let next = (end + end % 2).min(body.len());
    Some((name, &body[..end], &body[next..]))
}

impl Format {
    fn read(body: &[u8]) -> Option<Format> {
        let u16_at = |at: usize| Some(u16::from_le_bytes(body.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?));
        Some(Format {
            tag: u16_at(0)?,
            channels: u16_at(2)?,
            rate: u32_at(4)?,
            bytes_per_second: u32_at(8)?,
            bits: u16_at(14)?,
        })
    }

    fn sound(&self, data: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let channels = usize::from(self.channels.max(1));
        match (self.tag, self.rate, self.bits) {
            (7, RATE, 8) => Ok(data.chunks_exact(channels).map(|frame| frame[0]).collect()),
            (1, RATE, 16) => Ok(data
                .chunks_exact(2 * channels)
                .map(|frame| mulaw::encode(i16::from_le_bytes([frame[0], frame[1]])))
                .collect()),
            _ => {
                let samples = data.len() as u64 * u64::from(RATE) / u64::from(self.bytes_per_second.max(1));
                Err(Unreadable {
                    why: "only mu-law and 16-bit samples, 8000 a second, are read",
                    samples: Some(samples as usize),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let block = channels * bits / 8;
        let mut format = Vec::new();
        format.extend(tag.to_le_bytes());
        format.extend(channels.to_le_bytes());
        format.extend(rate.to_le_bytes());
        format.extend((rate * u32::from(block)).to_le_bytes());
        format.extend(block.to_le_bytes());
        format.extend(bits.to_le_bytes());
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        file.extend(format);
        file.extend(b"data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn reads_mulaw_and_16_bit_samples_and_of_two_channels_the_first() {
        assert_eq!(read(&file(7, 1, 8000, 8, &[1, 2, 3])), Ok(vec![1, 2, 3]));
        assert_eq!(read(&file(7, 2, 8000, 8, &[1, 2, 3, 4])), Ok(vec![1, 3]));
        let samples: Vec<u8> = [0i16, 1000, -1000].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(read(&file(1, 1, 8000, 16, &samples)), Ok(vec![0xFF, 0xCE, 0x4E]));
    }

    #[test]
    fn the_length_of_another_coding_is_known_all_the_same() {
        let unreadable = read(&file(1, 1, 16000, 16, &[0; 3200])).unwrap_err();
        assert_eq!(unreadable.samples, Some(800));
        for file in [&b"ID3 an mp3"[..], b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", b""] {
            assert_eq!(read(file).unwrap_err().samples, None);
        }
    }
}
