//! Reading what a program writes: mono WAV of 16-bit samples, at whatever rate.

use crate::mulaw;

const RATE: u32 = 8000;

/// The samples of `file` at 8000 Hz as μ-law.
pub(super) fn as_mulaw(file: &[u8]) -> Result<Vec<u8>, String> {
    let no_wav = || "no WAV file came".to_owned();
    let (head, mut rest) = file.split_at_checked(12).ok_or_else(no_wav)?;
    if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Err(no_wav());
    }
    let mut rate = None;
    while let Some((chunk, body)) = rest.split_at_checked(8) {
        let size = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]) as usize;
        // A program that writes into a pipe does not know the size beforehand, and names too large a one.
        let (body, after) = body.split_at(size.min(body.len()));
        match &chunk[..4] {
            b"fmt " => rate = Some(rate_of(body)?),
            b"data" => {
                let samples: Vec<i16> = body.as_chunks().0.iter().copied().map(i16::from_le_bytes).collect();
                let rate = rate.ok_or_else(|| "samples of unknown rate".to_owned())?;
                return Ok(mulaw::encode_all(&at_8000(&samples, rate)));
            }
            _ => {}
        }
        rest = after.get(size % 2..).unwrap_or_default();
    }
    Err("a WAV file without samples".to_owned())
}

fn rate_of(format: &[u8]) -> Result<u32, String> {
    match *format {
        [1, 0, 1, 0, a, b, c, d, _, _, _, _, _, _, 16, 0, ..] => match u32::from_le_bytes([a, b, c, d]) {
            rate @ RATE..=192_000 => Ok(rate),
            rate => Err(format!("{rate} samples a second")),
        },
        _ => Err("neither mono nor 16 bits".to_owned()),
    }
}

/// Each new sample is the mean of the old ones in its time: what is too high for the line goes.
fn at_8000(samples: &[i16], rate: u32) -> Vec<i16> {
    if rate == RATE {
        return samples.to_vec();
    }
    let edge = |n: usize| (n as u64 * u64::from(rate) / u64::from(RATE)) as usize;
    let count = (samples.len() as u64 * u64::from(RATE) / u64::from(rate)) as usize;
    (0..count)
        .map(|n| {
            let old = &samples[edge(n)..edge(n + 1).clamp(edge(n) + 1, samples.len())];
            (old.iter().map(|sample| i64::from(*sample)).sum::<i64>() / old.len() as i64) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, channels: u16, size: u32, samples: &[i16]) -> Vec<u8> {
        let mut file = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0".to_vec();
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * 2).to_le_bytes());
        file.extend([2, 0, 16, 0]);
        file.extend(b"data");
        file.extend(size.to_le_bytes());
        file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }

    #[test]
    fn samples_come_at_the_rate_of_the_line() {
        let plain = wav(8000, 1, 8, &[0, 1000, -1000, 5000]);
        assert_eq!(as_mulaw(&plain).unwrap(), mulaw::encode_all(&[0, 1000, -1000, 5000]));
        // 22050 Hz, and a size that a pipe makes up: a second stays a second.
        let second = vec![4000i16; 22_050];
        let sound = as_mulaw(&wav(22_050, 1, 0x7fff_f000, &second)).unwrap();
        assert_eq!(sound, vec![mulaw::encode(4000); 8000]);
    }

    #[test]
    fn what_is_no_sound_is_told() {
        for (file, why) in [
            (b"oops".to_vec(), "no WAV file came"),
            (wav(8000, 2, 8, &[0; 4]), "neither mono nor 16 bits"),
            (wav(4000, 1, 8, &[0; 4]), "4000 samples a second"),
            (wav(8000, 1, 0, &[])[..36].to_vec(), "a WAV file without samples"),
        ] {
            assert_eq!(as_mulaw(&file), Err(why.to_owned()));
        }
    }
}
