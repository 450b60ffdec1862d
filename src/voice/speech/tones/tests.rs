use super::*;
use crate::voice::mulaw::{FRAME, SILENCE, decode, encode};
use sha2::{Digest, Sha256};

/// A small generator of numbers, so that every run is the same run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        self.roll() as usize % end
    }

    /// Normal, by the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.roll() as f64 / (1u64 << 31) as f64).sum::<f64>() - 6.0
    }

    fn words(&mut self) -> String {
        let words = ["gym", "sechs", "café", "$15.50", "—", "open", "yoga & spin", "x", "Monday", "ten", "夜"];
        let count = 1 + self.below(30);
        (0..count).map(|_| words[self.below(words.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// What a fresh receiver makes of some audio, and whether it says that something is missing.
fn receive(audio: &[u8]) -> (String, bool) {
    let mut tones = Tones::new();
    let mut pieces: Vec<Piece> = audio.chunks(FRAME).flat_map(|frame| tones.hear(frame)).collect();
    pieces.extend(tones.turn_over());
    let text = pieces.iter().map(|piece| piece.text.as_str()).collect();
    (text, pieces.is_empty() || pieces.iter().any(|piece| piece.damaged))
}

fn say(text: &str) -> Vec<u8> {
    Tones::new().say(text)
}

fn flip(audio: &mut [u8], bit: usize) {
    let mark = say("")[..8].to_vec();
    let space = [5657, 5657, -5657, -5657, 5657, 5657, -5657, -5657].map(encode);
    let samples = &mut audio[bit * 8..bit * 8 + 8];
    let other = if samples == mark { &space[..] } else { &mark[..] };
    samples.copy_from_slice(other);
}

fn with_noise(audio: &mut [u8], dice: &mut Dice) {
    // 20 dB under a sine of peak 8000.
    let sigma = 8000.0 / f64::sqrt(2.0) / 10.0;
    for sample in audio.iter_mut() {
        *sample = encode((f64::from(decode(*sample)) + sigma * dice.normal()) as i16);
    }
}

fn with_jitter(audio: &[u8], dice: &mut Dice) -> Vec<u8> {
    let late = |dice: &mut Dice| if dice.below(3) == 0 { vec![SILENCE; FRAME] } else { Vec::new() };
    audio.chunks(FRAME).flat_map(|frame| [late(dice), frame.to_vec()].concat()).collect()
}

#[test]
fn the_vectors_of_the_page_are_met() {
    let sixty_five = "x".repeat(65);
    let vectors = [
        ("", 640, "5053ec5f98d3ae68f3533d6d48f0d4a1f622eb50b0390833c603ab26dc9caa77"),
        ("Hi", 800, "c9c5db5213ac9a01cc265928784fa5ff3862381e1184b60e4266feb0732933f5"),
        ("123456789", 1280, "8a67cb6591e0928621bfa978b626b066b8902e6c158bb9808636fa3d40e72807"),
        ("Café — $15 a day", 2080, "f20f81c51b5da9dd7023aeaaae81a577d8352f9b554e9d8dd377e9058d8a996b"),
        (&sixty_five, 6240, "09578d50ce197da2794e8be27bab443a9626eea8734bba401a8397e786197e24"),
    ];
    for (text, samples, sum) in vectors {
        let audio = say(text);
        assert_eq!(audio.len(), samples, "{text}");
        let hex: String = Sha256::digest(&audio).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, sum, "{text}");
        assert_eq!(receive(&audio), (text.to_owned(), false));
    }
}

#[test]
fn control_characters_become_spaces() {
    assert_eq!(receive(&say("a\u{2}b\u{3}\nc\u{7f}")), ("a b  c ".to_owned(), false));
}

#[test]
fn a_block_is_never_cut_inside_a_character() {
    let text = "夜".repeat(50);
    assert_eq!(receive(&say(&text)), (text, false));
}

#[test]
fn noise_and_jitter_and_a_flipped_bit_a_second_are_survived() {
    let mut dice = Dice(7);
    let mut exact = 0;
    for _ in 0..25 {
        let text = dice.words();
        let mut audio = say(&text);
        with_noise(&mut audio, &mut dice);
        // The first byte of text comes after 20 bits of lead and ten of STX.
        for second in 0..audio.len().div_ceil(8000) {
            let bits_in_second = (audio.len() / 8 - second * 1000).min(1000);
            let bit = second * 1000 + dice.below(bits_in_second);
            let place = bit % 10;
            if bit > 30 && place != 0 && place != 9 {
                flip(&mut audio, bit);
            }
        }
        let (heard, damaged) = receive(&with_jitter(&audio, &mut dice));
        assert!(damaged || heard == text, "{heard:?} was taken for {text:?}");
        exact += usize::from(!damaged && heard == text);
    }
    assert!(exact >= 24, "only {exact} of 25");
}

#[test]
fn noise_alone_never_damages() {
    let mut dice = Dice(3);
    for _ in 0..50 {
        let text = dice.words();
        let mut audio = say(&text);
        with_noise(&mut audio, &mut dice);
        assert_eq!(receive(&with_jitter(&audio, &mut dice)), (text, false));
    }
}

#[test]
fn any_one_flipped_data_bit_is_mended() {
    let text = "a \u{1f3cb} day pass is 15";
    let audio = say(text);
    let bytes = text.len() + 4;
    for bit in (0..bytes * 10).filter(|bit| bit % 10 != 0).map(|bit| 20 + bit) {
        let mut wrong = audio.clone();
        flip(&mut wrong, bit);
        assert_eq!(receive(&wrong), (text.to_owned(), false), "bit {bit}");
    }
}

#[test]
fn a_lost_start_bit_is_told() {
    let audio = say("a day pass is 15");
    for byte in 1..17 {
        let mut wrong = audio.clone();
        flip(&mut wrong, 20 + byte * 10);
        assert!(receive(&wrong).1, "byte {byte}");
    }
}

#[test]
fn two_wrong_bits_are_told() {
    let mut dice = Dice(11);
    for _ in 0..300 {
        let mut audio = say("a day pass is 15 dollars");
        let first = dice.below(24);
        let second = (first + 1 + dice.below(23)) % 24;
        for byte in [first, second] {
            flip(&mut audio, 31 + byte * 10 + dice.below(8));
        }
        assert!(receive(&audio).1);
    }
}

#[test]
fn a_missing_beginning_is_told() {
    let audio = say("a day pass is 15 dollars");
    // What follows is good, and must not hide it.
    let (heard, damaged) = receive(&[&audio[FRAME * 2..], &vec![SILENCE; FRAME * 15], &say("yes")].concat());
    assert_eq!((heard.as_str(), damaged), ("yes", true));
}

#[test]
fn a_steady_tone_says_nothing() {
    let mark = say("")[..8].to_vec();
    assert_eq!(receive(&mark.repeat(1000)), (String::new(), true));
}

#[test]
fn the_second_block_of_a_sentence_goes_on_and_a_second_breath_does_not() {
    let mut tones = Tones::new();
    let breath = vec![SILENCE; FRAME * 17];
    let audio = [say(&"x".repeat(65)), breath, say("and more")].concat();
    let continues: Vec<bool> =
        audio.chunks(FRAME).flat_map(|frame| tones.hear(frame)).map(|piece| piece.continues).collect();
    assert_eq!(continues, [false, true, false]);
}
