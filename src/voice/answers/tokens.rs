//! Words, numbers and the signs that matter to prices and times.

/// A text in pieces: lower-case words without apostrophes, numbers such as `15.50`, and single signs.
///
/// `6am` gives `6`, `am`; `a.m.` gives `am`; `1,200` gives `1200`; a dash of any kind gives `-`.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("a.m", "am").replace("p.m", "pm");
    let chars: Vec<char> = text.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let end = at + chars[at..].iter().take_while(|&&other| same_token(c, other)).count().max(1);
        if c.is_ascii_digit() {
            let (number, end) = number(&chars, at);
            tokens.push(number);
            at = end;
            continue;
        }
        if c.is_alphabetic() {
            tokens.push(chars[at..end].iter().collect());
        } else if matches!(c, '-' | '–' | '—') {
            tokens.push("-".to_owned());
        } else if "$€£%/&:,;".contains(c) {
            tokens.push(c.to_string());
        }
        at = if c.is_alphabetic() { end } else { at + 1 };
    }
    tokens
}

fn same_token(first: char, other: char) -> bool {
    first.is_alphabetic() && other.is_alphabetic()
}

/// The number that begins here, and where it ends. A dot or colon counts only between digits, a comma only
/// before three of them, or before two, where it is the decimal comma of a price.
fn number(chars: &[char], from: usize) -> (String, usize) {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut number = String::new();
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        match c {
            '0'..='9' => number.push(c),
            '.' | ':' if digit(at + 1) && !number.contains(['.', ':']) => number.push(c),
            ',' if digit(at + 1) && digit(at + 2) && !digit(at + 3) && !number.contains('.') => number.push('.'),
            ',' if (1..4).all(|ahead| digit(at + ahead)) && !digit(at + 4) => {}
            _ => break,
        }
        at += 1;
    }
    (number, at)
}
