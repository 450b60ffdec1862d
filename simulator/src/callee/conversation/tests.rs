use super::*;
use crate::callee::Callees;
use crate::mulaw::SILENCE;
use crate::speech::Speech;
use crate::tones::Voice;

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
        Desk::with(Arc::clone(Callees::built_in().at(number)))
    }

    /// Calls the one callee that `toml` describes, but for its number.
    fn of(toml: &str) -> Desk {
        let callees = Callees::from_toml(&format!("[[callee]]\nnumbers = ['+1']\n{toml}")).unwrap();
        Desk::with(Arc::clone(callees.at("+1")))
    }

    fn with(callee: Arc<Callee>) -> Desk {
        Desk {
            callee: Conversation::new(callee, Arc::new(Speaker::silent(Speech::Tones))),
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

    /// The keys that the callee has pressed, with when.
    fn pressed(&self) -> Vec<(u64, char)> {
        let pressed = |(at, act): &(u64, Act)| match act {
            Act::Pressed(key) => Some((*at, *key)),
            _ => None,
        };
        self.acts.iter().filter_map(pressed).collect()
    }

    fn hung_up_at(&self) -> Option<u64> {
        self.acts.iter().find(|(_, act)| *act == Act::HangUp).map(|(at, _)| *at)
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

const MENU: &str = r#"
    greeting = "For opening hours press 1, for prices press 2"
    choice = [
        { press = "1", hears = ["hours", "one"], goes = "hours" },
        { press = "2", hears = ["prices", "two"], goes = "prices" },
        { press = "0", hears = ["operator"], goes = "operator" },
        { after_ms = 3000, goes = "start" },
    ]
    [[callee.stage]]
    name = "hours"
    greeting = "We are open from 6 am to 10 pm"
    choice = [{ press = "*", goes = "start" }]
    [[callee.stage]]
    name = "prices"
    greeting = "For a day pass press 1, for a month press 2"
    choice = [{ press = "1", goes = "day" }]
    [[callee.stage]]
    name = "day"
    greeting = "A day pass is 15 dollars"
    hangs_up = true
    [[callee.stage]]
    name = "operator"
    music_ms = 1500
    greeting = "Front desk, this is Sam"
    [[callee.stage.rule]]
    hears = ["classes"]
    says = "We have yoga"
"#;

#[test]
fn a_menu_is_walked_by_keys_down_and_up() {
    let mut desk = Desk::of(MENU);
    desk.wait(1500);
    assert_eq!(desk.take(), "For opening hours press 1, for prices press 2");
    desk.play(&tones::keys("1"));
    desk.wait(1500);
    assert_eq!(desk.take(), "We are open from 6 am to 10 pm");
    // A key that means nothing here changes nothing.
    desk.play(&tones::keys("7*"));
    desk.wait(1500);
    assert_eq!(desk.take(), "For opening hours press 1, for prices press 2");
    desk.play(&tones::keys("2W1"));
    desk.wait(1500);
    assert!(desk.take().ends_with("A day pass is 15 dollars"));
    assert!(desk.did(&Act::HangUp));
    let heard: String =
        desk.acts.iter().filter_map(|(_, act)| if let Act::HeardKey(key) = act { Some(*key) } else { None }).collect();
    assert_eq!(heard, "17*21");
}

#[test]
fn a_key_breaks_into_the_menu_that_is_being_read() {
    let mut desk = Desk::of(MENU);
    desk.wait(600);
    desk.play(&tones::keys("1"));
    desk.wait(1500);
    assert_eq!(desk.take().rsplit('|').next(), Some("We are open from 6 am to 10 pm"));
    assert!(!desk.heard.iter().any(|(_, heard)| matches!(heard, Heard::Text(text) if text.contains("prices"))));
}

#[test]
fn a_menu_is_walked_by_words_and_an_operator_answers_after_some_music() {
    let mut desk = Desk::of(MENU);
    desk.wait(1500);
    desk.take();
    desk.ask("Operator, please");
    let music = desk.spoken.iter().rev().take_while(|speech| **speech).count();
    assert_eq!(music, 0, "the music has ended");
    assert_eq!(desk.take(), "Front desk, this is Sam");
    desk.ask("Which classes do you offer?");
    assert_eq!(desk.take(), "We have yoga");
}

#[test]
fn a_menu_that_nobody_answers_is_read_again() {
    let mut desk = Desk::of(MENU);
    desk.wait(9000);
    let read = desk.take().matches("For opening hours").count();
    assert_eq!(read, 3, "at 0.4 s, and twice after 3 s of silence");
}

#[test]
fn a_screener_connects_or_declines() {
    let screener = r#"
        greeting = "Please say your name and why you are calling"
        choice = [{ hears = ["membership", "opening hours"], goes = "person" }, { goes = "declined" }]
        [[callee.stage]]
        name = "person"
        greeting = "Hello?"
        rule = [{ says = "We open at six" }]
        [[callee.stage]]
        name = "declined"
        greeting = "This person is not available"
        hangs_up = true
    "#;
    let mut welcome = Desk::of(screener);
    welcome.wait(1500);
    welcome.take();
    welcome.ask("This is an automated call about your opening hours");
    assert_eq!(welcome.take(), "Hello?");
    welcome.ask("When do you open?");
    assert_eq!(welcome.take(), "We open at six");
    assert!(!welcome.did(&Act::HangUp));
    let mut stranger = Desk::of(screener);
    stranger.wait(1500);
    stranger.take();
    stranger.ask("I am selling vacuum cleaners");
    assert_eq!(stranger.take(), "This person is not available");
    assert!(stranger.did(&Act::HangUp));
}

#[test]
fn on_hold_nobody_listens() {
    let mut desk = Desk::of("music_ms = 4000\ngreeting = 'Sorry for the wait'\nrule = [{ says = 'Six' }]");
    desk.play(&tones::speak("When do you open?", Voice::Clear));
    desk.wait(2000);
    assert!(desk.spoken[..100].iter().all(|sound| *sound), "there is music");
    desk.wait(4000);
    assert_eq!(desk.take(), "Sorry for the wait");
    assert!(!desk.acts.iter().any(|(_, act)| matches!(act, Act::Heard(_))));
    desk.ask("When do you open?");
    assert_eq!(desk.take(), "Six");
}

#[test]
fn a_voicemail_keeps_what_is_said_after_its_beep() {
    let mut desk = Desk::of("greeting = 'Leave a message'\nbeep = { hz = 1000, ms = 400 }\ntakes_message = true");
    desk.play(&tones::speak("Too early", Voice::Clear));
    desk.wait(2500);
    desk.ask("Please call us back");
    desk.ask("Goodbye");
    let kept: Vec<&Act> = desk.acts.iter().map(|(_, act)| act).filter(|act| matches!(act, Act::Kept(_))).collect();
    assert_eq!(kept, [&Act::Kept("Please call us back".into()), &Act::Kept("Goodbye".into())]);
}

#[test]
fn keys_are_pressed_as_a_reply_and_unasked() {
    let mut desk =
        Desk::of("presses = [{ after_ms = 2000, keys = '5w#' }]\nrule = [{ says = 'One moment', presses = '12' }]");
    desk.wait(4000);
    let pressed = desk.pressed();
    assert_eq!(pressed, [(2000, '5'), (2700, '#')]);
    desk.ask("Press one and two");
    assert_eq!(desk.take(), "One moment");
    assert_eq!(desk.pressed()[2..].iter().map(|(_, key)| *key).collect::<String>(), "12");
    // They sound on the line: another telephone hears them.
    let mut desk = Desk::of("presses = [{ after_ms = 100, keys = '90' }]");
    let (mut ear, mut heard) = (KeyEar::default(), String::new());
    for _ in 0..50 {
        let frame = desk.callee.frame(&QUIET, &mut Vec::new());
        heard.extend(ear.frame(&frame.unwrap_or(QUIET)));
    }
    assert_eq!(heard, "90");
}

#[test]
fn hangs_up_in_the_middle_of_a_reply() {
    let mut desk = Desk::of("hangs_up_during_reply = 2\nrule = [{ says = 'We are open from six in the morning' }]");
    desk.ask(HOURS);
    assert_eq!(desk.take(), "We are open from six in the morning");
    assert_eq!(desk.hung_up_at(), None);
    let asked = desk.callee.now;
    desk.ask(HOURS);
    let at = desk.hung_up_at().unwrap();
    let said: Vec<u64> =
        desk.acts.iter().filter(|(_, act)| matches!(act, Act::Breathed { .. })).map(|(at, _)| *at).collect();
    let (last, began) = (said[said.len() - 1], desk.acts.iter().rev().find(|(_, act)| *act == Act::Began).unwrap().0);
    assert!(began >= asked && began < at && at < last, "it hung up at {at}, in the words from {began} to {last}");
}

#[test]
fn words_that_no_sound_tells_are_told_when_it_has_been_heard() {
    let mut desk = Desk::call("+14155550101");
    desk.wait(2000);
    desk.take();
    // Some sound that is no tone of ours, with a pause among it that ends a turn.
    desk.play(&tones::music(600));
    desk.wait(500);
    desk.play(&tones::music(600));
    desk.callee.told("Good morning.");
    desk.callee.told("What are your opening hours?");
    desk.wait(3000);
    assert_eq!(desk.take(), "We are open from 6 am to 10 pm every day");
    assert!(desk.did(&Act::Heard("Good morning. What are your opening hours?".into())));
}
