//! Keys of a telephone, as two tones at once: made, and found again in what is heard.
//!
//! A key counts if it sounds for 40 ms, and does not if it sounds for 23 ms or less. Between two keys
//! there are 40 ms without it.

use std::collections::VecDeque;

use crate::mulaw::{self, SILENCE};

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// How long a key sounds, and how long it is quiet after it.
const KEY_MS: usize = 100;
const AFTER_KEY_MS: usize = 100;

/// A key must fill two windows, each begun so long after the one before.
const HOP: usize = 80;
const WINDOW: usize = 2 * HOP;
const WINDOWS: usize = 2;

/// The sound of `key`, with the quiet after it, in whole frames; none if it is not a key.
pub(crate) fn key(key: char) -> Option<Vec<u8>> {
    let (row, column) = place(key)?;
    let tone = |hz: f32, n: usize| (std::f32::consts::TAU * hz * n as f32 / 8000.0).sin();
    let samples: Vec<i16> =
        (0..KEY_MS * 8).map(|n| (5000.0 * (tone(ROWS[row], n) + tone(COLUMNS[column], n))).round() as i16).collect();
    let mut sound = mulaw::encode_all(&samples);
    sound.resize((KEY_MS + AFTER_KEY_MS) * 8, SILENCE);
    Some(sound)
}

/// The sound of keys and waits, as `SendDigits` writes them: `w` is half a second, `W` a whole one.
pub(crate) fn keys(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(|letter| match letter {
            'w' => vec![SILENCE; 4000],
            'W' => vec![SILENCE; 8000],
            letter => key(letter).unwrap_or_default(),
        })
        .collect()
}

fn place(key: char) -> Option<(usize, usize)> {
    (0..4).find_map(|row| Some((row, KEYS[row].iter().position(|on_it| *on_it == key)?)))
}

/// Hears keys in one direction of a call.
#[derive(Debug, Default)]
pub(crate) struct KeyEar {
    /// The last window, or less at the beginning.
    window: VecDeque<i16>,
    /// The key that sounds, in how many windows by now.
    sounding: Option<(char, usize)>,
}

impl KeyEar {
    /// Takes the next frame; gives the keys that are certain by now.
    pub(crate) fn frame(&mut self, frame: &[u8]) -> Vec<char> {
        if self.sounding.is_none() && !mulaw::is_speech(frame) {
            self.window.clear();
            return Vec::new();
        }
        frame.chunks(HOP).filter_map(|hop| self.hop(hop)).collect()
    }

    fn hop(&mut self, hop: &[u8]) -> Option<char> {
        self.window.extend(hop.iter().map(|byte| mulaw::decode(*byte)));
        let surplus = self.window.len().saturating_sub(WINDOW);
        self.window.drain(..surplus);
        if self.window.len() < WINDOW {
            return None;
        }
        let heard = sounding(self.window.make_contiguous());
        let windows = match (heard, self.sounding) {
            (Some(key), Some((before, windows))) if key == before => windows + 1,
            _ => 1,
        };
        self.sounding = heard.map(|key| (key, windows));
        // Once, however long it is held.
        heard.filter(|_| windows == WINDOWS)
    }
}

/// The key that fills the whole window, if one does.
fn sounding(window: &[i16]) -> Option<char> {
    let power = |samples: &[i16]| samples.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>();
    let (early, late) = (power(&window[..WINDOW / 2]), power(&window[WINDOW / 2..]));
    let total = early + late;
    // A tone that has begun or ended inside it leaves one half weaker.
    if total < (500.0 * 500.0) * WINDOW as f32 || early < 0.75 * late || late < 0.75 * early {
        return None;
    }
    let (row, row_power) = strongest(window, &ROWS);
    let (column, column_power) = strongest(window, &COLUMNS);
    // Nearly all of the sound is in two tones, of which neither drowns the other (8 dB).
    let pure = row_power + column_power > 0.8 * total;
    let even = row_power < 6.3 * column_power && column_power < 6.3 * row_power;
    (pure && even).then_some(KEYS[row][column])
}

fn strongest(window: &[i16], pitches: &[f32; 4]) -> (usize, f32) {
    let powers = pitches.map(|hz| goertzel(window, hz));
    (0..4).map(|n| (n, powers[n])).fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
}

/// The part of the window's power that is at one pitch.
fn goertzel(window: &[i16], hz: f32) -> f32 {
    let turn = 2.0 * (std::f32::consts::TAU * hz / 8000.0).cos();
    let (last, before) = window.iter().fold((0.0f32, 0.0f32), |(last, before), &sample| {
        let next = f32::from(sample) + turn * last - before;
        (next, last)
    });
    (last * last + before * before - turn * last * before) * 2.0 / window.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mulaw::FRAME;
    use crate::tones::{self, Voice};

    fn hear(sound: &[u8]) -> String {
        let mut ear = KeyEar::default();
        sound.chunks(FRAME).flat_map(|frame| ear.frame(frame)).collect()
    }

    /// `key` for so many samples, so many samples into a frame.
    fn burst(name: char, samples: usize, offset: usize) -> Vec<u8> {
        let mut sound = vec![SILENCE; offset];
        sound.extend(&key(name).unwrap()[..samples]);
        sound.resize(offset + samples + 4 * FRAME, SILENCE);
        sound
    }

    #[test]
    fn every_key_is_heard_once_however_often_pressed() {
        let all = "1234567890*#ABCD";
        assert_eq!(hear(&keys(all)), all);
        assert_eq!(hear(&keys("11w11W1")), "11111");
        assert_eq!(keys("1wW").len(), 200 * 8 + 4000 + 8000);
        assert!(key('E').is_none() && keys("xE").is_empty());
    }

    #[test]
    fn forty_milliseconds_are_enough_and_twenty_three_are_not_wherever_they_begin() {
        for name in "1234567890*#ABCD".chars() {
            for offset in (0..FRAME).step_by(7) {
                assert_eq!(hear(&burst(name, 40 * 8, offset)), name.to_string(), "40 ms of {name} at {offset}");
                assert_eq!(hear(&burst(name, 23 * 8, offset)), "", "23 ms of {name} at {offset}");
            }
        }
    }

    #[test]
    fn speech_and_single_tones_are_no_keys() {
        let text = "Press 1 for hours, 2 for prices. The quick brown fox jumps over the lazy dog; 0123456789 *#!";
        assert_eq!(hear(&tones::speak(text, Voice::Clear)), "");
        for hz in [697, 941, 1000, 1209, 1400, 1633, 2100] {
            assert_eq!(hear(&tones::beep(hz, 500)), "", "{hz} Hz");
        }
    }
}
