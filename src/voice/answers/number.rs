//! Numbers, in digits and in words.

use super::phrase::Phrase;
use super::tokens::tokens;

/// The number in an answer. A range is not a number.
pub(super) fn understand(words: &str) -> Option<f64> {
    let tokens = tokens(words);
    for at in 0..tokens.len() {
        let Some((value, end)) = number_at(&tokens, at) else { continue };
        let range = tokens.get(end).is_some_and(|word| matches!(word.as_str(), "to" | "-" | "or"));
        let between = at > 0 && tokens[at - 1] == "between";
        if between || range && number_at(&tokens, end + 1).is_some() {
            return None;
        }
        return Some(value);
    }
    Phrase::new(words).starts_with_any(&["none", "we have none", "zero", "we dont have any"]).then_some(0.0)
}

/// The number that begins at this token, and the token after it.
pub(super) fn number_at(tokens: &[String], at: usize) -> Option<(f64, usize)> {
    let first = tokens.get(at)?;
    if first.starts_with(|c: char| c.is_ascii_digit()) {
        return first.parse().ok().map(|value| (value, at + 1));
    }
    let next = |at: usize| tokens.get(at).map(String::as_str);
    let (mut value, mut end) = below_thousand(tokens, at)?;
    match next(end) {
        Some("thousand") if value < 1000 => {
            let rest = if next(end + 1) == Some("and") { end + 2 } else { end + 1 };
            let (more, after) = below_thousand(tokens, rest).unwrap_or((0, end + 1));
            (value, end) = (value * 1000 + more, after);
        }
        Some("dozen") if value < 100 => (value, end) = (value * 12, end + 1),
        _ => {}
    }
    if next(end) == Some("point")
        && let Some(digit) = next(end + 1).and_then(unit).filter(|&digit| digit < 10)
    {
        return Some((f64::from(value) + f64::from(digit) / 10.0, end + 2));
    }
    Some((f64::from(value), end))
}

/// `five`, `two hundred and fifty`, `fifteen hundred`, and the `a` of `a hundred` or `a dozen`.
fn below_thousand(tokens: &[String], at: usize) -> Option<(u32, usize)> {
    let next = |at: usize| tokens.get(at).map(String::as_str);
    let (value, end) = match (next(at)?, next(at + 1)) {
        ("a" | "an", Some("hundred" | "thousand" | "dozen")) => (1, at + 1),
        _ => below_hundred(tokens, at)?,
    };
    if next(end) != Some("hundred") {
        return Some((value, end));
    }
    let rest = if next(end + 1) == Some("and") { end + 2 } else { end + 1 };
    let (more, end) = below_hundred(tokens, rest).unwrap_or((0, end + 1));
    Some((value * 100 + more, end))
}

/// `seven`, `twelve`, `forty`, `twenty five`, `twenty-five`.
fn below_hundred(tokens: &[String], at: usize) -> Option<(u32, usize)> {
    let word = tokens.get(at)?;
    if let Some(value) = unit(word) {
        return Some((value, at + 1));
    }
    let tens = tens(word)?;
    let next = if tokens.get(at + 1).is_some_and(|token| token == "-") { at + 2 } else { at + 1 };
    match tokens.get(next).and_then(|word| unit(word)) {
        Some(units @ 1..=9) => Some((tens + units, next + 1)),
        _ => Some((tens, at + 1)),
    }
}

fn unit(word: &str) -> Option<u32> {
    const WORDS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    WORDS.iter().position(|&known| known == word).map(|value| value as u32)
}

fn tens(word: &str) -> Option<u32> {
    const WORDS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    WORDS.iter().position(|&known| known == word).map(|value| value as u32 * 10 + 20)
}
