use super::*;
use crate::twiml::{self, Verb};

/// Feeds a gather whose prompts have just ended; `feed` has seconds since then, and what happened.
struct Waiting {
    gather: Gather,
    began: Instant,
}

impl Waiting {
    fn with(attributes: &str) -> Waiting {
        let (verbs, remarks) = twiml::parse(&format!("<Response><Gather {attributes}/></Response>")).unwrap();
        assert!(remarks.is_empty(), "{remarks:?}");
        let [Verb::Gather(gather)] = &verbs[..] else { panic!() };
        Waiting { gather: gather.clone(), began: Instant::now() }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.began + Duration::from_secs_f64(seconds)
    }

    fn after(&self, feed: &[(f64, FromCallee)]) -> Ear<'_> {
        let mut ear = Ear::new(&self.gather);
        ear.prompts_over(self.began);
        for (seconds, what) in feed {
            ear.hear(what.clone(), self.at(*seconds));
        }
        ear
    }
}

fn pressed(keys: &str) -> Vec<(f64, FromCallee)> {
    keys.chars().enumerate().map(|(n, key)| (n as f64, FromCallee::Pressed(key))).collect()
}

fn said(text: &str) -> FromCallee {
    FromCallee::Said { text: text.to_owned(), mumbled: false }
}

fn digits(digits: &str, finished_on: Option<char>) -> Input {
    Input::Keys { digits: digits.to_owned(), finished_on }
}

#[test]
fn keys_end_by_their_number_by_the_last_key_or_by_a_pause() {
    let waiting = Waiting::with("numDigits='2'");
    assert!(!waiting.after(&pressed("4")).is_done());
    let ear = waiting.after(&pressed("42"));
    assert!(ear.is_done());
    assert_eq!(ear.input(), digits("42", None));
    let waiting = Waiting::with("timeout='3'");
    assert_eq!(waiting.after(&[]).deadline(), Some(waiting.at(3.0)));
    let ear = waiting.after(&pressed("12"));
    assert!(!ear.is_done());
    assert_eq!(ear.deadline(), Some(waiting.at(4.0)));
    let ear = waiting.after(&pressed("12#"));
    assert!(ear.is_done());
    assert_eq!(ear.input(), digits("12", Some('#')));
}

#[test]
fn the_finishing_key_ends_nothing_on_its_own_and_may_be_another() {
    let waiting = Waiting::with("");
    let ear = waiting.after(&pressed("#"));
    assert!(!ear.is_done());
    assert_eq!(ear.input(), Input::None);
    let waiting = Waiting::with("finishOnKey='*'");
    assert_eq!(waiting.after(&pressed("1#*")).input(), digits("1#", Some('*')));
    let waiting = Waiting::with("finishOnKey=''");
    let ear = waiting.after(&pressed("1#*"));
    assert!(!ear.is_done());
    assert_eq!(ear.input(), digits("1#*", None));
}

#[test]
fn breaths_with_short_pauses_are_waited_for() {
    let waiting = Waiting::with("input='speech' speechTimeout='2' timeout='5'");
    let breaths = [(1.0, FromCallee::BeganToSpeak), (2.0, said("one")), (3.5, FromCallee::BeganToSpeak)];
    assert_eq!(waiting.after(&breaths[..1]).deadline(), Some(waiting.at(61.0)), "nobody is cut off in mid-word");
    assert_eq!(waiting.after(&breaths[..2]).deadline(), Some(waiting.at(4.0)));
    assert_eq!(waiting.after(&breaths).deadline(), Some(waiting.at(61.0)));
    let waiting = Waiting::with("input='speech' speechTimeout='auto'");
    assert_eq!(waiting.after(&breaths[..2]).deadline(), Some(waiting.at(2.7)));
    let waiting = Waiting::with("input='speech' timeout='4'");
    assert_eq!(waiting.after(&breaths[..2]).deadline(), Some(waiting.at(6.0)), "speechTimeout is the timeout");
}

#[test]
fn what_comes_first_counts() {
    let waiting = Waiting::with("input='dtmf speech'");
    let speech = [(1.0, FromCallee::BeganToSpeak), (2.0, FromCallee::Pressed('1')), (3.0, said("one"))];
    assert!(matches!(waiting.after(&speech).input(), Input::Words(_)));
    let keys = [(1.0, FromCallee::Pressed('1')), (2.0, FromCallee::BeganToSpeak), (3.0, said("one"))];
    assert_eq!(waiting.after(&keys).input(), digits("1", None));
    let waiting = Waiting::with("input='speech'");
    assert_eq!(waiting.after(&pressed("12")).input(), Input::None);
    let waiting = Waiting::with("input='dtmf'");
    assert_eq!(waiting.after(&[(1.0, said("one"))]).input(), Input::None);
}

#[test]
fn keys_always_stop_the_prompts_and_speech_does_where_it_may() {
    let stops = |attributes: &str, what: FromCallee| {
        let waiting = Waiting::with(attributes);
        Ear::new(&waiting.gather).hear(what, waiting.began)
    };
    assert!(stops("", FromCallee::Pressed('#')));
    assert!(stops("input='dtmf speech' bargeIn='false'", FromCallee::Pressed('1')));
    assert!(stops("input='speech'", FromCallee::BeganToSpeak));
    assert!(!stops("input='speech' bargeIn='false'", FromCallee::BeganToSpeak));
    assert!(!stops("", FromCallee::BeganToSpeak));
}
