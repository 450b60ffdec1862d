//! WAV files of 8000 samples a second.

use super::{Channels, Sound};
use crate::mulaw::{self, SILENCE};

const RATE: u32 = 8000;

/// How the samples of a file are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    /// 16-bit linear samples: what Twilio's own files have.
    #[default]
    Pcm16,
    /// G.711 μ-law, a byte a sample: the sound as it was on the line, in half the room.
    Mulaw,
}

impl Coding {
    fn tag(self) -> u16 {
        match self {
            Coding::Pcm16 => 1,
            Coding::Mulaw => 7,
        }
    }

    fn bytes(self) -> u16 {
        match self {
            Coding::Pcm16 => 2,
            Coding::Mulaw => 1,
        }
    }
}

/// The whole file.
pub(super) fn file(sound: &Sound, coding: Coding, channels: Channels) -> Vec<u8> {
    let data = match channels {
        Channels::Mono => coded((0..sound.samples()).map(|n| mixed(sound, n)), coding),
        Channels::Dual => {
            let pairs = (0..sound.samples()).flat_map(|n| [at(&sound.inbound, n), at(&sound.outbound, n)]);
            coded(pairs, coding)
        }
    };
    let mut file = header(data.len(), sound.samples(), coding, channels);
    file.extend(data);
    // A chunk of odd length is followed by a byte that does not count.
    if file.len() % 2 == 1 {
        file.push(0);
    }
    file
}

/// Everything before the samples: RIFF sizes do not count themselves and their names.
fn header(data: usize, samples: usize, coding: Coding, channels: Channels) -> Vec<u8> {
    let block = coding.bytes() * channels.count();
    let mut format = Vec::new();
    format.extend(coding.tag().to_le_bytes());
    format.extend(channels.count().to_le_bytes());
    format.extend(RATE.to_le_bytes());
    format.extend((RATE * u32::from(block)).to_le_bytes());
    format.extend(block.to_le_bytes());
    format.extend((coding.bytes() * 8).to_le_bytes());
    let mut chunks = Vec::new();
    if coding == Coding::Mulaw {
        // Formats other than PCM say how long their extension is, and how many samples there are.
        format.extend([0, 0]);
        chunk(&mut chunks, b"fmt ", &format);
        chunk(&mut chunks, b"fact", &(samples as u32).to_le_bytes());
    } else {
        chunk(&mut chunks, b"fmt ", &format);
    }
    let mut header = b"RIFF".to_vec();
    header.extend(((4 + chunks.len() + 8 + data.next_multiple_of(2)) as u32).to_le_bytes());
    header.extend(b"WAVE");
    header.extend(chunks);
    header.extend(b"data");
    header.extend((data as u32).to_le_bytes());
    header
}

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    into.extend(name);
    into.extend((body.len() as u32).to_le_bytes());
    into.extend(body);
}

fn coded(samples: impl Iterator<Item = i16>, coding: Coding) -> Vec<u8> {
    match coding {
        Coding::Pcm16 => samples.flat_map(i16::to_le_bytes).collect(),
        Coding::Mulaw => samples.map(mulaw::encode).collect(),
    }
}

/// A sample of one track; a track that is not recorded is silent.
fn at(track: &[u8], n: usize) -> i16 {
    mulaw::decode(track.get(n).copied().unwrap_or(SILENCE))
}

fn mixed(sound: &Sound, n: usize) -> i16 {
    at(&sound.inbound, n).saturating_add(at(&sound.outbound, n))
}
