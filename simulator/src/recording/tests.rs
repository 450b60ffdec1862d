use super::*;
use crate::mulaw::{self, SILENCE};

fn tone(sample: i16) -> [u8; FRAME] {
    [mulaw::encode(sample); FRAME]
}

fn recording(channels: Channels, track: Track, trims: bool) -> Recording {
    let plan = Plan { origin: Origin::OutboundApi, channels, track, trims, callback: None, events: Vec::new() };
    let now = Timestamp::now();
    let state = State {
        status: RecordingStatus::InProgress,
        pause: PauseBehavior::Silence,
        updated: now,
        sound: Sound::new(track),
    };
    Recording {
        sid: sid::recording(),
        call_sid: sid::call(),
        plan,
        started: now,
        state: Mutex::new(state),
        has_ended: watch::Sender::new(false),
    }
}

/// Reads a WAV file as any player would: its format, and its samples as 16-bit ones.
fn read(file: &[u8]) -> (u16, u16, u32, Vec<i16>) {
    let u16_at = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let u32_at = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((&file[..4], &file[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(u32_at(4) as usize, file.len() - 8, "RIFF size");
    let (mut at, mut format, mut samples) = (12, None, Vec::new());
    while at + 8 <= file.len() {
        let (name, size) = (&file[at..at + 4], u32_at(at + 4) as usize);
        let body = &file[at + 8..at + 8 + size];
        match name {
            b"fmt " => format = Some((u16_at(at + 8), u16_at(at + 10), u32_at(at + 12))),
            b"data" => {
                samples = match format.unwrap().0 {
                    1 => body.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect(),
                    7 => body.iter().map(|byte| mulaw::decode(*byte)).collect(),
                    other => panic!("format {other}"),
                }
            }
            b"fact" => {}
            other => panic!("chunk {other:?}"),
        }
        at += 8 + size.next_multiple_of(2);
    }
    let (tag, channels, rate) = format.unwrap();
    (tag, channels, rate, samples)
}

#[test]
fn two_channels_keep_the_directions_apart_and_one_mixes_them() {
    let recording = recording(Channels::Dual, Track::Both, false);
    assert!(recording.frame(Some(&tone(1000)), &tone(3000)));
    assert!(recording.frame(None, &tone(3000)));
    assert_eq!(recording.duration(), Duration::from_millis(40));
    let (callee, app) = (mulaw::decode(mulaw::encode(1000)), mulaw::decode(mulaw::encode(3000)));
    for coding in [Coding::Pcm16, Coding::Mulaw] {
        let (tag, channels, rate, samples) = read(&recording.wav(coding, None));
        assert_eq!((tag, channels, rate), (coding_tag(coding), 2, 8000));
        assert_eq!(samples.len(), 2 * 2 * FRAME);
        assert_eq!(samples[..2], [callee, app]);
        assert_eq!(samples[2 * FRAME..2 * FRAME + 2], [0, app]);
    }
    let (_, channels, _, samples) = read(&recording.wav(Coding::Pcm16, Some(Channels::Mono)));
    assert_eq!((channels, samples.len()), (1, 2 * FRAME));
    assert_eq!((samples[0], samples[FRAME]), (callee + app, app));
}

fn coding_tag(coding: Coding) -> u16 {
    match coding {
        Coding::Pcm16 => 1,
        Coding::Mulaw => 7,
    }
}

#[test]
fn one_track_hears_one_direction_only() {
    for (track, heard) in [(Track::Inbound, 1000), (Track::Outbound, 3000)] {
        let recording = recording(Channels::Mono, track, false);
        recording.frame(Some(&tone(1000)), &tone(3000));
        let (_, _, _, samples) = read(&recording.wav(Coding::Mulaw, None));
        assert_eq!(samples, [mulaw::decode(mulaw::encode(heard)); FRAME], "{track:?}");
    }
}

#[test]
fn a_pause_leaves_silence_or_nothing() {
    for (behavior, frames) in [(PauseBehavior::Silence, 4), (PauseBehavior::Skip, 2)] {
        let recording = recording(Channels::Mono, Track::Both, false);
        let loud = tone(2000);
        recording.frame(Some(&loud), &[SILENCE; FRAME]);
        assert!(!recording.resume(), "it is not paused");
        assert!(recording.pause(behavior) && !recording.pause(behavior));
        assert_eq!(recording.status(), RecordingStatus::Paused);
        recording.frame(Some(&loud), &loud);
        recording.frame(Some(&loud), &loud);
        assert!(recording.resume());
        recording.frame(Some(&loud), &[SILENCE; FRAME]);
        let (_, _, _, samples) = read(&recording.wav(Coding::Pcm16, None));
        assert_eq!(samples.len(), frames * FRAME, "{behavior:?}");
        assert_eq!(samples.iter().filter(|sample| **sample != 0).count(), 2 * FRAME);
    }
}

#[test]
fn trimming_cuts_both_ends_and_leaves_the_middle() {
    let mut sound = Sound::new(Track::Both);
    let quiet = [SILENCE; FRAME];
    for (inbound, outbound) in [(0, 0), (1000, 0), (0, 0), (0, 2000), (0, 0), (0, 0)] {
        let frame = |sample| if sample == 0 { quiet } else { tone(sample) };
        sound.frame(Some(&frame(inbound)), Some(&frame(outbound)));
    }
    assert_eq!(sound.trailing_silence(), Duration::from_millis(40));
    sound.trim();
    assert_eq!(sound.duration(), Duration::from_millis(60));
    assert_eq!((sound.inbound.len(), sound.outbound.len()), (3 * FRAME, 3 * FRAME));
    assert_eq!((sound.inbound[0], sound.outbound[2 * FRAME]), (mulaw::encode(1000), mulaw::encode(2000)));
    let mut silent = Sound::new(Track::Inbound);
    silent.frame(None, None);
    silent.trim();
    assert!(silent.is_empty() && silent.inbound.is_empty());
}
