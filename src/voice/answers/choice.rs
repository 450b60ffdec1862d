//! One of several.

use super::phrase::Phrase;

/// The one choice that is named. Where one choice contains another ("day", "day and night"), the longer counts.
pub(super) fn understand(choices: &[String], words: &str) -> Option<String> {
    let phrase = Phrase::new(words);
    let bare = |choice: &str| Phrase::new(choice).words().collect::<Vec<_>>().join(" ");
    let named: Vec<&String> =
        choices.iter().filter(|choice| !bare(choice).is_empty() && phrase.has(&bare(choice))).collect();
    let longest = named.iter().max_by_key(|choice| choice.len())?;
    let inside = |choice: &&String| Phrase::new(longest).has(&bare(choice));
    named.iter().all(inside).then(|| (*longest).clone())
}
