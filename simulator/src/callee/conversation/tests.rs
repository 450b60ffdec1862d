use super::*;
use crate::callee::Callees;

const QUIET: [u8; FRAME] = [SILENCE; FRAME];

/// A callee, and the agent's ear on the other end.
struct Desk {
    callee: Conversation,
    ear: Receiver,
    acts: Vec<(u64, Act)>,
    heard: Vec<(u64, Heard)>,
    spoken: Vec<bool>,
}

impl Desk {
    fn call(number: &str) -> Desk {
        let callee = Arc::clone(Callees::built_in().at(number));
        Desk {
            callee: Conversation::new(callee),
            ear: Receiver::default(),
            acts: Vec::new(),
            heard: Vec::new(),
            spoken: Vec::new(),
        }
    }

    fn play(&mut self, sound: &[u8]) {
        for frame in sound.chunks(FRAME) {
            let now = self.callee.now;
            let mut acts = Vec::new();
            let back = self.callee.frame(frame, &mut acts).unwrap_or(QUIET);
            self.acts.extend(acts.into_iter().map(|act| (now, act)));
            self.spoken.push(mulaw::is_speech(&back));
            let heard = self.ear.frame(&back);
            self.heard.extend(heard.into_iter().map(|heard| (now, heard)));
        }
    }

    fn wait(&mut self, ms: usize) {
        self.play(&vec![SILENCE; ms * 8]);
    }

    fn ask(&mut self, text: &str) {
        self.play(&tones::speak(text, Voice::Clear));
        self.wait(3500);
    }

    /// What was heard since the last time.
    fn take(&mut self) -> String {
        self.heard
            .drain(..)
            .map(|(_, heard)| match heard {
                Heard::Text(text) => text,
                Heard::Damaged(_) => "<damaged>".to_owned(),
            })
            .collect::<Vec<_>>()
            .join("|")
    }

    fn did(&self, act: &Act) -> bool {
        self.acts.iter().any(|(_, done)| done == act)
    }
}

const HOURS: &str = "Hello, this is an automated call. What are your opening hours?";

#[test]
fn greets_then_answers_each_question() {
    let mut desk = Desk::call("+14155550101");
    desk.wait(2000);
    assert_eq!(desk.take(), "Hello, thank you for calling the gym");
    desk.ask(HOURS);
    assert_eq!(desk.take(), "We are open from 6 am to 10 pm every day");
    desk.ask("Which classes do you offer?");
    assert_eq!(desk.take(), "We have yoga, spin and boxing");
    assert!(desk.did(&Act::Heard(HOURS.to_owned())));
}

#[test]
fn a_turn_ends_by_400_ms_of_silence_and_no_less() {
    let mut desk = Desk::call("+14155550101");
    desk.wait(2000);
    desk.play(&tones::speak("How much is", Voice::Clear));
    desk.wait(360);
    desk.play(&tones::speak(" a day pass?", Voice::Clear));
    desk.wait(3000);
    assert!(desk.did(&Act::Heard("How much is a day pass?".to_owned())));
}

#[test]
fn two_breaths_have_a_pause_shorter_than_a_turns_end() {
    let mut desk = Desk::call("+14155550102");
    desk.wait(2000);
    desk.take();
    let asked = desk.spoken.len();
    desk.ask("What are your opening hours?");
    assert_eq!(desk.take(), "We are open from 6 am|to 10 pm every day");
    let talk = desk.spoken[asked..].iter();
    let talk: Vec<bool> = talk.copied().skip_while(|speech| !speech).collect();
    let pause = talk.iter().skip_while(|speech| **speech).take_while(|speech| !**speech).count();
    assert!((15..30).contains(&pause), "{pause} frames");
}

#[test]
fn mumbles_once_then_speaks_up() {
    let mut desk = Desk::call("+14155550103");
    desk.wait(2000);
    desk.take();
    desk.ask("How much is a day pass?");
    assert_eq!(desk.take(), "<damaged>");
    desk.ask("Sorry, I did not catch that. How much is a day pass?");
    assert_eq!(desk.take(), "A day pass is 15 dollars");
}

#[test]
fn interrupts_while_the_agent_still_speaks() {
    let mut desk = Desk::call("+14155550104");
    desk.wait(2000);
    desk.take();
    desk.play(&tones::speak(&"a long introduction ".repeat(8), Voice::Clear));
    assert_eq!(desk.take(), "Sorry, who is this?");
    desk.wait(1000);
    desk.ask(HOURS);
    assert_eq!(desk.take(), "We are open from 6 am to 10 pm every day");
}

#[test]
fn what_is_cut_off_is_not_heard() {
    let mut desk = Desk::call("+14155550101");
    desk.wait(2000);
    desk.take();
    let question = tones::speak("What are your opening hours?", Voice::Clear);
    desk.play(&question[..FRAME * 9]);
    desk.wait(2000);
    assert_eq!(desk.take(), "");
    assert!(desk.acts.iter().any(|(_, act)| matches!(act, Act::Misheard(_))));
}

#[test]
fn voicemail_beeps_and_then_says_nothing_more() {
    let mut desk = Desk::call("+14155550106");
    desk.wait(5000);
    assert!(desk.take().replace('|', "").ends_with("leave a message after the beep"));
    let beep_ends = desk.spoken.iter().rposition(|speech| *speech).unwrap();
    assert!(desk.spoken[beep_ends - 24..=beep_ends].iter().all(|s| *s));
    desk.ask("What are your opening hours?");
    assert_eq!(desk.take(), "");
    desk.wait(8000);
    assert!(desk.did(&Act::HangUp));
}

#[test]
fn hangs_up_or_breaks_the_stream_after_two_replies() {
    for (number, act) in [("+14155550111", Act::HangUp), ("+14155550117", Act::DropStream)] {
        let mut desk = Desk::call(number);
        desk.ask(HOURS);
        assert!(!desk.did(&act), "{number}");
        desk.ask("How much is a day pass?");
        assert!(desk.did(&act), "{number}");
    }
}

#[test]
fn puts_the_line_down_three_seconds_after_goodbye() {
    let mut desk = Desk::call("+14155550112");
    desk.ask("Thank you. Goodbye!");
    let (at, _) = desk.acts.iter().find(|(_, act)| *act == Act::HangUp).unwrap();
    let (heard, _) = desk.acts.iter().find(|(_, act)| matches!(act, Act::Heard(_))).unwrap();
    assert_eq!(at - heard, AFTER_GOODBYE_MS);
}

#[test]
fn silent_and_slow_callees() {
    let mut silent = Desk::call("+14155550113");
    silent.ask(HOURS);
    assert!(silent.spoken.iter().all(|speech| !speech));
    let mut slow = Desk::call("+14155550114");
    slow.wait(2000);
    slow.take();
    slow.play(&tones::speak(HOURS, Voice::Clear));
    slow.wait(2800);
    assert_eq!(slow.take(), "");
    slow.wait(1500);
    assert_eq!(slow.take(), "We are open from 6 am to 10 pm every day");
}

#[test]
fn each_breath_has_a_beginning_and_an_end_with_its_words() {
    let mut desk = Desk::call("+14155550102");
    desk.wait(1500);
    desk.acts.clear();
    desk.ask(HOURS);
    let said = |text: &str| Act::Breathed { text: text.to_owned(), mumbled: false };
    let (first, second) = ("We are open from 6 am", "to 10 pm every day");
    let breaths: Vec<(u64, Act)> =
        desk.acts.drain(..).filter(|(_, act)| matches!(act, Act::Began | Act::Breathed { .. })).collect();
    let acts: Vec<&Act> = breaths.iter().map(|(_, act)| act).collect();
    assert_eq!(acts, [&Act::Began, &said(first), &Act::Began, &said(second)]);
    let pause = breaths[2].0 - breaths[1].0;
    assert!((340..=380).contains(&pause), "{pause} ms between the breaths");
}
