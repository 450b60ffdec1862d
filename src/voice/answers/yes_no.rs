//! Yes and no.

use super::phrase::Phrase;

const YES: [&str; 16] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "correct",
    "right",
    "absolutely",
    "definitely",
    "certainly",
    "of course",
    "we do",
    "we are",
    "it is",
    "you can",
    "uh huh",
];

const NO: [&str; 14] = [
    "no",
    "nope",
    "nah",
    "not really",
    "we dont",
    "we do not",
    "we arent",
    "we are not",
    "it isnt",
    "it is not",
    "you cant",
    "you cannot",
    "unfortunately not",
    "afraid not",
];

/// Words that only begin an answer.
const OPENERS: [&str; 9] = ["well", "um", "uh", "oh", "hi", "hello", "so", "ah", "hmm"];

/// Yes or no: the first word decides, or else the only side that is heard.
pub(super) fn understand(words: &str) -> Option<bool> {
    let phrase = Phrase::new(words);
    let rest: Vec<&str> = phrase.words().skip_while(|word| OPENERS.contains(word)).collect();
    let phrase = Phrase::new(&rest.join(" "));
    // Before the yes: "we are not" begins with "we are".
    if phrase.starts_with_any(&["no idea", "no clue", "not sure", "sure not"]) {
        return None;
    }
    if phrase.starts_with_any(&NO) {
        return Some(false);
    }
    if phrase.starts_with_any(&YES) {
        return Some(true);
    }
    let no = phrase.has_any(&NO) || phrase.has_any(&["not", "never", "dont"]);
    match (phrase.has_any(&YES), no) {
        (true, false) => Some(true),
        (false, true) if phrase.has_any(&NO) => Some(false),
        _ => None,
    }
}
