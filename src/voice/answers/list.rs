//! Several things.

use super::phrase::Phrase;
use super::text;

const NOTHING: [&str; 7] =
    ["none", "nothing", "no classes", "we dont", "we do not", "we have none", "we have no classes"];

/// What people put before the first thing.
const BEFORE: [&str; 31] = [
    "well",
    "um",
    "uh",
    "oh",
    "so",
    "yes",
    "yeah",
    "sure",
    "we have",
    "weve got",
    "we've got",
    "we’ve got",
    "we offer",
    "we also have",
    "we also offer",
    "we do",
    "there is",
    "there are",
    "there's",
    "it's",
    "currently",
    "right now",
    "mostly",
    "mainly",
    "also",
    "then",
    "both",
    "you can do",
    "of course",
    "we run",
    "let me see",
];

/// What people put behind the last thing.
const BEHIND: [&str; 6] = ["as well", "classes", "too", "and so on", "and that's it", "that's all"];

/// The things of an answer, as heard and in that order.
pub(super) fn understand(words: &str) -> Option<Vec<String>> {
    let phrase = Phrase::new(words);
    if phrase.starts_with_any(&NOTHING) {
        return Some(Vec::new());
    }
    text::understand(words)?;
    let mut plain = words.trim().to_owned();
    for word in [" and ", " or ", " plus ", " as well as ", "&", ";", "/", ". ", "\n"] {
        plain = replace_ignoring_case(&plain, word, ",");
    }
    let items: Vec<String> = plain.split(',').map(bare).filter(|item| !item.is_empty()).collect();
    (!items.is_empty()).then_some(items)
}

/// One thing without what stands around it.
fn bare(item: &str) -> String {
    let edge = |c: char| c.is_whitespace() || matches!(c, '.' | '!' | '?' | ':');
    let mut item = item.trim_matches(edge);
    loop {
        let before = BEFORE.iter().find_map(|words| without_start(item, words));
        let behind = BEHIND.iter().find_map(|words| without_end(item, words));
        match before.or(behind) {
            Some(rest) => item = rest.trim_matches(edge),
            None => break,
        }
    }
    match item.to_lowercase().as_str() {
        "and" | "or" | "plus" => String::new(),
        _ => item.strip_prefix("and ").unwrap_or(item).trim().to_owned(),
    }
}

fn without_start<'a>(item: &'a str, words: &str) -> Option<&'a str> {
    let (start, rest) = item.split_at_checked(words.len())?;
    (start.eq_ignore_ascii_case(words) && (rest.is_empty() || rest.starts_with(' '))).then_some(rest)
}

fn without_end<'a>(item: &'a str, words: &str) -> Option<&'a str> {
    let (rest, end) = item.split_at_checked(item.len().checked_sub(words.len())?)?;
    // "Classes" alone is a thing; "yoga classes" is yoga.
    (end.eq_ignore_ascii_case(words) && rest.ends_with(' ') && !rest.trim().is_empty()).then_some(rest)
}

fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    // Only ASCII is folded, so positions in the folded text are positions in the text.
    while let Some(at) = rest.to_ascii_lowercase().find(from) {
        replaced.push_str(&rest[..at]);
        replaced.push_str(to);
        rest = &rest[at + from.len()..];
    }
    replaced + rest
}
