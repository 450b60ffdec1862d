//! What people say instead of an answer.

use crate::voice::answers::Phrase;

/// A turn that is not, or not only, an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remark {
    DoNotCall,
    WrongNumber,
    Refusal,
    /// Declines only if it comes before any answer; later "no thanks" is small talk.
    NoThanks,
    CallLater,
    WhoIsThis,
    SayAgain,
    Wait,
    NotKnown,
}

/// In this order: what must never be missed comes first.
const PHRASES: [(Remark, &[&str]); 9] = [
    (
        Remark::DoNotCall,
        &[
            "dont call again",
            "dont call us",
            "dont call me",
            "dont call here",
            "dont call this",
            "dont call back",
            "dont call anymore",
            "dont call any more",
            "dont ever call",
            "do not call again",
            "do not call us",
            "do not call me",
            "do not call here",
            "do not call this",
            "do not call back",
            "do not call anymore",
            "do not ever call",
            "do not call list",
            "never call",
            "stop calling",
            "quit calling",
            "no more calls",
            "take us off",
            "take me off",
            "take this number off",
            "take our number off",
            "remove us",
            "remove me",
            "remove our number",
            "remove this number",
            "off your list",
            "off the list",
            "dont phone",
            "lose our number",
            "lose this number",
            "dont want you to call",
            "dont want any calls",
            "dont want to be called",
        ],
    ),
    (
        Remark::WrongNumber,
        &[
            "wrong number",
            "not a gym",
            "isnt a gym",
            "no gym here",
            "not the gym",
            "isnt the gym",
            "arent a gym",
            "private number",
            "private residence",
            "wrong place",
        ],
    ),
    (
        Remark::Refusal,
        &[
            "not interested",
            "no solicit",
            "no soliciting",
            "no solicitors",
            "leave us alone",
            "leave me alone",
            "go away",
            "dont want to talk",
            "not going to answer",
            "dont talk to robots",
            "dont talk to machines",
            "dont answer surveys",
            "dont do surveys",
            "dont have time for this",
        ],
    ),
    (Remark::NoThanks, &["no thanks", "no thank you"]),
    (
        Remark::CallLater,
        &[
            "call back later",
            "call back tomorrow",
            "call back another",
            "call me back",
            "call us back",
            "call back in",
            "call back at",
            "call back when",
            "please call back",
            "could you call back",
            "can you call back",
            "call again later",
            "call later",
            "call tomorrow",
            "call another time",
            "some other time",
            "busy right now",
            "busy now",
            "im busy",
            "were busy",
            "too busy",
            "bad time",
            "not a good time",
            "try again later",
            "try later",
            "in a meeting",
            "in the middle of a class",
        ],
    ),
    (
        Remark::WhoIsThis,
        &[
            "who is this",
            "whos this",
            "who are you",
            "whos calling",
            "who is calling",
            "are you a robot",
            "is this a robot",
            "are you a machine",
            "are you a real person",
            "is this a recording",
            "who am i talking to",
        ],
    ),
    (
        Remark::SayAgain,
        &[
            "pardon",
            "say again",
            "say that again",
            "come again",
            "repeat",
            "what was that",
            "what did you say",
            "didnt hear you",
            "cant hear you",
            "didnt catch",
            "didnt get that",
            "excuse me",
        ],
    ),
    (
        Remark::Wait,
        &[
            "hold on",
            "one moment",
            "one second",
            "one sec",
            "just a second",
            "just a moment",
            "just a minute",
            "a moment please",
            "hang on",
            "let me check",
            "let me see",
            "let me look",
            "please hold",
            "bear with me",
        ],
    ),
    (
        Remark::NotKnown,
        &[
            "i dont know",
            "i do not know",
            "dont know",
            "dont really know",
            "not sure",
            "no idea",
            "no clue",
            "couldnt tell you",
            "cant tell you",
            "cannot tell you",
            "couldnt say",
            "cant say",
            "not certain",
            "have to ask",
            "im new here",
            "wouldnt know",
            "havent a clue",
        ],
    ),
];

/// The remark in these words, if there is one.
pub(super) fn remark(phrase: &Phrase) -> Option<Remark> {
    // "Do not call." alone is a wish; "do not call ahead, just drop in" is an answer.
    if phrase.ends_with_any(&["dont call", "do not call", "dont call please", "do not call please"]) {
        return Some(Remark::DoNotCall);
    }
    PHRASES.iter().find(|(_, phrases)| phrase.has_any(phrases)).map(|&(remark, _)| remark)
}

/// Whether the words are no more than how a gym picks up the phone.
pub(super) fn is_greeting(phrase: &Phrase, gym_name: &str) -> bool {
    const GREETING: [&str; 12] = [
        "hello",
        "hi",
        "hey",
        "good morning",
        "good afternoon",
        "good evening",
        "thanks for calling",
        "thank you for calling",
        "yes hello",
        "morning",
        "afternoon",
        "welcome to",
    ];
    const AROUND: [&str; 32] = [
        "hello",
        "hi",
        "hey",
        "good",
        "morning",
        "afternoon",
        "evening",
        "yes",
        "this",
        "is",
        "speaking",
        "how",
        "can",
        "may",
        "i",
        "we",
        "help",
        "you",
        "thanks",
        "thank",
        "for",
        "calling",
        "welcome",
        "to",
        "gym",
        "fitness",
        "the",
        "front",
        "desk",
        "today",
        "here",
        "there",
    ];
    let gym = Phrase::new(gym_name);
    let strange = phrase.words().filter(|word| !AROUND.contains(word) && !gym.words().any(|own| own == *word)).count();
    let names_somebody = phrase.has_any(&["this is", "speaking"]);
    let greets = phrase.starts_with_any(&GREETING) || names_somebody || (!gym.is_empty() && strange == 0);
    !phrase.is_empty() && greets && strange <= usize::from(names_somebody)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Option<Remark> {
        remark(&Phrase::new(words))
    }

    #[test]
    fn a_wish_not_to_be_called_is_never_missed() {
        for words in [
            "Don't call us again!",
            "Please don’t call again.",
            "Take us off, please",
            "Take this number off your list",
            "STOP calling",
            "do not call",
            "Put us on your do-not-call list",
            "Never call this number",
            "Remove our number please",
            "We're not interested, don't call back",
        ] {
            assert_eq!(of(words), Some(Remark::DoNotCall), "{words}");
        }
        assert_eq!(of("Do not call ahead, just drop in"), None);
    }

    #[test]
    fn other_remarks() {
        assert_eq!(of("Sorry, wrong number."), Some(Remark::WrongNumber));
        assert_eq!(of("This is not a gym"), Some(Remark::WrongNumber));
        assert_eq!(of("We're not interested"), Some(Remark::Refusal));
        assert_eq!(of("No, thanks."), Some(Remark::NoThanks));
        assert_eq!(of("Could you call back later?"), Some(Remark::CallLater));
        assert_eq!(of("I'm busy right now"), Some(Remark::CallLater));
        assert_eq!(of("Who's this?"), Some(Remark::WhoIsThis));
        assert_eq!(of("Let me check"), Some(Remark::Wait));
        assert_eq!(of("I don't know"), Some(Remark::NotKnown));
        assert_eq!(of("6 to 10"), None);
    }

    #[test]
    fn greetings_are_told_from_answers() {
        let greets = |words: &str| is_greeting(&Phrase::new(words), "Iron Temple");
        for words in
            ["Hello?", "Hello, Iron Temple", "Iron Temple.", "Hi, this is Bob", "Good morning, how can I help you?"]
        {
            assert!(greets(words), "{words}");
        }
        for words in ["", "Hi, yoga", "yoga and spin", "hello, we have yoga and spin", "no booking"] {
            assert!(!greets(words), "{words}");
        }
    }
}
