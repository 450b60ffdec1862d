use super::*;
use crate::mulaw::SILENCE;
use crate::tones::Voice;

const ENABLE: Rules =
    Rules { awaits_message_end: false, timeout_ms: 30_000, speech_ms: 2400, speech_end_ms: 1200, silence_ms: 5000 };
const MESSAGE_END: Rules = Rules { awaits_message_end: true, ..ENABLE };

/// What is heard, piece by piece.
#[derive(Clone, Copy)]
enum Piece {
    /// Words for about so many milliseconds.
    Talk(u64),
    Quiet(u64),
    Tone(u32, u64),
    Keys(&'static str),
}
use Piece::{Keys, Quiet, Talk, Tone as Beep};

fn sound(pieces: &[Piece]) -> Vec<u8> {
    let bytes = |ms: u64| ms as usize * 8;
    let mut sound = Vec::new();
    for piece in pieces {
        match *piece {
            Talk(ms) => {
                let text = "please leave a message and we will call you back ".repeat(ms as usize / 400 + 1);
                let spoken = tones::speak(&text, Voice::Clear);
                assert!(spoken.len() >= bytes(ms));
                sound.extend(&spoken[..bytes(ms)]);
            }
            Quiet(ms) => sound.resize(sound.len() + bytes(ms), SILENCE),
            Beep(hz, ms) => sound.extend(tones::beep(hz, ms as u32)),
            Keys(keys) => sound.extend(tones::keys(keys)),
        }
    }
    sound
}

/// The verdict on `pieces` and what comes after them: silence without end.
fn verdict(rules: Rules, pieces: &[Piece]) -> (AnsweredBy, u64) {
    let mut detector = Detector::new(rules);
    let heard = sound(pieces);
    let mut frames = heard.as_chunks::<FRAME>().0.iter();
    loop {
        if let Some(verdict) = detector.frame(frames.next()) {
            return (verdict, detector.elapsed_ms());
        }
        assert!(detector.elapsed_ms() < 120_000, "no verdict at all");
    }
}

#[test]
fn verdicts_by_rhythm_of_speech() {
    use AnsweredBy::{Human, MachineStart, Unknown};
    let table: [(&str, &[Piece], AnsweredBy, u64); 9] = [
        ("a few words, then waiting", &[Quiet(400), Talk(800)], Human, 400 + 800 + 1200),
        ("words with a pause among them", &[Talk(400), Quiet(1100), Talk(400)], Human, 1900 + 1200),
        ("just below the threshold", &[Talk(2380)], Human, 2380 + 1200),
        ("at the threshold", &[Talk(2400)], MachineStart, 2400),
        ("talking on", &[Quiet(200), Talk(8000)], MachineStart, 200 + 2400),
        ("talking on after a pause", &[Talk(1000), Quiet(1000), Talk(1000)], MachineStart, 2400),
        ("nothing", &[], Unknown, 5000),
        ("nothing until it is too late", &[Quiet(5000), Talk(500)], Unknown, 5000),
        ("keys are no beep", &[Keys("123")], Human, 500 + 1200),
    ];
    for (name, pieces, answered_by, after_ms) in table {
        assert_eq!(verdict(ENABLE, pieces), (answered_by, after_ms), "{name}");
    }
}

#[test]
fn a_short_greeting_with_a_beep_is_a_machines() {
    let greeting = [Quiet(200), Talk(1200), Quiet(300), Beep(1400, 500), Quiet(100)];
    let beep_ends = 200 + 1200 + 300 + 500;
    assert_eq!(verdict(ENABLE, &greeting), (AnsweredBy::MachineStart, beep_ends + TICK));
    assert_eq!(verdict(MESSAGE_END, &greeting), (AnsweredBy::MachineEndBeep, beep_ends + TICK));
}

#[test]
fn the_end_of_a_message_is_awaited() {
    use AnsweredBy::{Human, MachineEndBeep, MachineEndOther, MachineEndSilence};
    let table: [(&str, &[Piece], AnsweredBy, u64); 5] = [
        ("a person is not waited for", &[Talk(800)], Human, 2000),
        ("greeting and beep", &[Talk(4000), Quiet(700), Beep(1000, 400)], MachineEndBeep, 5100 + TICK),
        ("greeting and silence", &[Talk(4000)], MachineEndSilence, 5200),
        ("greeting without an end", &[Talk(40_000)], MachineEndOther, 30_000),
        ("too short to be a beep", &[Talk(3000), Beep(1000, 60)], MachineEndSilence, 3060 + 1200),
    ];
    for (name, pieces, answered_by, after_ms) in table {
        assert_eq!(verdict(MESSAGE_END, pieces), (answered_by, after_ms), "{name}");
    }
}

#[test]
fn a_fax_is_known_by_its_whistle_in_both_modes() {
    for rules in [ENABLE, MESSAGE_END] {
        assert_eq!(verdict(rules, &[Quiet(600), Beep(2100, 3000)]), (AnsweredBy::Fax, 1100));
    }
    // Cut off before it is certain, it is not taken for a voicemail's beep.
    assert_eq!(verdict(ENABLE, &[Beep(2100, 400)]), (AnsweredBy::Human, 1600));
}

#[test]
fn every_threshold_can_be_set() {
    let fast = Rules { speech_ms: 1000, speech_end_ms: 500, silence_ms: 2000, timeout_ms: 3000, ..ENABLE };
    assert_eq!(verdict(fast, &[Talk(980)]), (AnsweredBy::Human, 1480));
    assert_eq!(verdict(fast, &[Talk(1000)]), (AnsweredBy::MachineStart, 1000));
    assert_eq!(verdict(fast, &[]), (AnsweredBy::Unknown, 2000));
    let slow = Rules { speech_ms: 6000, timeout_ms: 3000, ..ENABLE };
    assert_eq!(verdict(slow, &[Talk(5000)]), (AnsweredBy::Unknown, 3000));
}
