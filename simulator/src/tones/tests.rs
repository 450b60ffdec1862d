use super::block::blocks;
use super::*;

fn listen(sound: &[u8]) -> Vec<Heard> {
    let mut receiver = Receiver::default();
    let silence = [mulaw::SILENCE; mulaw::FRAME];
    let mut heard: Vec<Heard> = sound.chunks(mulaw::FRAME).flat_map(|frame| receiver.frame(frame)).collect();
    for _ in 0..15 {
        heard.extend(receiver.frame(&silence));
    }
    heard
}

fn text(heard: &[Heard]) -> String {
    heard
        .iter()
        .map(|heard| match heard {
            Heard::Text(text) => text.as_str(),
            Heard::Damaged(_) => "<damaged>",
        })
        .collect()
}

/// The bytes of one block as sound, with the bits in `flips` turned over.
/// Bit 0 is the lowest bit of the first byte after STX.
fn sound_of(line: &[u8], flips: &[usize]) -> Vec<u8> {
    let mut line = line.to_vec();
    for flip in flips {
        line[1 + flip / 8] ^= 1 << (flip % 8);
    }
    let mut samples = MARK.repeat(LEAD_BITS);
    for byte in line {
        push_byte(&mut samples, byte);
    }
    samples.extend(MARK.repeat(TAIL_BITS));
    samples.resize(samples.len().next_multiple_of(mulaw::FRAME), 0);
    mulaw::encode_all(&samples)
}

#[test]
fn the_vectors_of_the_page_are_spoken_to_the_byte() {
    let vectors: [(&str, usize, &str); 5] = [
        ("", 640, "5053ec5f98d3ae68f3533d6d48f0d4a1f622eb50b0390833c603ab26dc9caa77"),
        ("Hi", 800, "c9c5db5213ac9a01cc265928784fa5ff3862381e1184b60e4266feb0732933f5"),
        ("123456789", 1280, "8a67cb6591e0928621bfa978b626b066b8902e6c158bb9808636fa3d40e72807"),
        ("Café — $15 a day", 2080, "f20f81c51b5da9dd7023aeaaae81a577d8352f9b554e9d8dd377e9058d8a996b"),
        (&"x".repeat(65), 6240, "09578d50ce197da2794e8be27bab443a9626eea8734bba401a8397e786197e24"),
    ];
    for (text, samples, sha256) in vectors {
        let sound = speak(text, Voice::Clear);
        assert_eq!(sound.len(), samples, "{text}");
        assert_eq!(hex(&sha2::Sha256::digest(&sound)), sha256, "{text}");
    }
}

#[test]
fn what_is_spoken_is_heard() {
    for said in ["", "Hi", "Café — $15 a day", &"What are your opening hours? ".repeat(9), &"é".repeat(100)] {
        assert_eq!(text(&listen(&speak(said, Voice::Clear))), said);
    }
}

#[test]
fn control_characters_become_spaces() {
    let heard = listen(&speak("a\u{2}b\u{3}c\nd\u{7f}e", Voice::Clear));
    assert_eq!(text(&heard), "a b c d e");
}

#[test]
fn any_one_wrong_bit_is_mended() {
    let line = &blocks("A day pass is 15 dollars")[0];
    for bit in 0..24 * 8 {
        let heard = listen(&sound_of(line, &[bit]));
        assert_eq!(text(&heard), "A day pass is 15 dollars", "bit {bit}");
    }
    for bit in 25 * 8..27 * 8 {
        let heard = listen(&sound_of(line, &[bit]));
        assert_eq!(text(&heard), "A day pass is 15 dollars", "CRC bit {bit}");
    }
}

#[test]
fn two_wrong_bits_are_found_out() {
    let line = &blocks("A day pass is 15 dollars")[0];
    for first in (0..24 * 8).step_by(7) {
        for second in (first + 1..24 * 8).step_by(11) {
            let heard = listen(&sound_of(line, &[first, second]));
            assert!(matches!(heard[0], Heard::Damaged(_)), "bits {first} and {second}: {heard:?}");
        }
    }
}

#[test]
fn mumbling_is_damage_in_every_block_and_spares_the_next_turn() {
    let mut sound = speak(&"drop-ins are welcome ".repeat(5), Voice::Mumbled);
    sound.extend(speak("Any time", Voice::Clear));
    let heard = listen(&sound);
    assert_eq!(heard.len(), 3);
    assert!(matches!(heard[0], Heard::Damaged(_)));
    assert!(matches!(heard[1], Heard::Damaged(_)));
    assert_eq!(heard[2], Heard::Text("Any time".into()));
    for short in ["", "x", "xy"] {
        let heard = listen(&speak(short, Voice::Mumbled));
        assert!(matches!(heard[..], [Heard::Damaged(_)]), "{short}");
    }
}

#[test]
fn silence_inside_a_block_does_not_hurt() {
    let sound = speak("What is your drop-in policy?", Voice::Clear);
    let mut receiver = Receiver::default();
    let mut heard = Vec::new();
    for frame in sound.chunks(mulaw::FRAME) {
        for _ in 0..5 {
            heard.extend(receiver.frame(&[mulaw::SILENCE; mulaw::FRAME]));
        }
        heard.extend(receiver.frame(frame));
    }
    assert_eq!(text(&heard), "What is your drop-in policy?");
}

#[test]
fn frames_need_not_begin_where_bits_do() {
    for shift in 0..mulaw::FRAME {
        let mut sound = vec![mulaw::SILENCE; shift];
        sound.extend(speak("Which classes do you offer?", Voice::Clear));
        sound.resize(sound.len().next_multiple_of(mulaw::FRAME), mulaw::SILENCE);
        assert_eq!(text(&listen(&sound)), "Which classes do you offer?");
    }
}

#[test]
fn a_block_cut_off_is_damaged_and_the_next_one_is_heard() {
    let sound = speak("What are your opening hours?", Voice::Clear);
    let mut cut = sound[..mulaw::FRAME * 8].to_vec();
    cut.extend(speak("Hello", Voice::Clear));
    let heard = listen(&cut);
    assert!(matches!(&heard[0], Heard::Damaged(hint) if hint.starts_with("What a")));
    assert_eq!(heard[1], Heard::Text("Hello".into()));
}

#[test]
fn a_beep_is_sound_without_words() {
    let sound = beep(1400, 500);
    assert_eq!(sound.len(), 4000);
    assert!(sound.chunks(mulaw::FRAME).all(mulaw::is_speech));
    assert!(listen(&sound).is_empty());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

use sha2::Digest;
