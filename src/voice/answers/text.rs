//! Any words.

use super::phrase::Phrase;

/// Words that say nothing, whatever the question was.
const EMPTY: [&str; 26] = [
    "hello", "hi", "hey", "yes", "yeah", "yep", "ok", "okay", "uh", "um", "er", "hmm", "mm", "hm", "huh", "well",
    "what", "who", "sorry", "pardon", "there", "you", "so", "oh", "ah", "right",
];

/// The words as they are, unless they say nothing.
pub(super) fn understand(words: &str) -> Option<String> {
    let phrase = Phrase::new(words);
    let says_something = phrase.words().any(|word| !EMPTY.contains(&word));
    says_something.then(|| words.trim().to_owned())
}
