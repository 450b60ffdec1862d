//! A telephone number as people and spreadsheets write it, brought to plain characters.
//!
//! Everything that is not understood for certain is refused: a number that was repaired
//! wrongly rings at a stranger's.

use super::PhoneError;

/// Cells that say "none" in words.
const NONE: &[&str] = &["n/a", "#n/a", "na", "none", "null", "nil", "unknown", "tbd"];

/// Words that begin an extension.
const EXTENSION: &[&str] = &["x", "ext", "extn", "extension", "ex"];

/// The number in `raw` with digits, `+` in front, and ` -.()/` between, or letters where
/// the caller has to decide whether they spell digits.
pub(super) fn plain(raw: &str) -> Result<String, PhoneError> {
    let text: String = raw.chars().filter_map(plain_char).collect();
    let text = unwrapped(text.trim()).trim();
    if NONE.contains(&text.to_lowercase().as_str()) || !text.chars().any(char::is_alphanumeric) {
        return Err(PhoneError::Missing);
    }
    let text = match as_spreadsheet_number(text)? {
        Some(digits) => digits,
        None => text.to_owned(),
    };
    if has_extension(&text) {
        return Err(PhoneError::Extension);
    }
    let digits_before_slash = text.split('/').next().map(digits).unwrap_or_default().len();
    // `030/123456` is one number; `415 555 0100 / 0101` is two.
    if text.contains('/') && digits_before_slash >= 7 {
        return Err(PhoneError::invalid(raw));
    }
    Ok(text)
}

/// The digits of `text`.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A North American number that is spelled in part, `1-800-FLOWERS`, as `+1` and ten digits.
///
/// The area code has to stand alone in digits and exactly seven characters have to follow.
/// Otherwise `4155 Joanna` would be dialled.
pub(super) fn spelled(text: &str) -> Option<String> {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let rest = rest.strip_prefix('1').unwrap_or(rest).trim_start_matches([' ', '-', '.', '(']);
    let (area, rest) = rest.split_at_checked(3)?;
    let separated = rest.starts_with([' ', '-', '.', ')']);
    let line: String = rest.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | ')')).collect();
    let spelled = line.chars().filter(char::is_ascii_alphabetic).count();
    if !separated || spelled < 3 || line.len() != 7 || !area.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let line: Option<String> = line.chars().map(key).collect();
    Some(format!("+1{area}{}", line?))
}

/// The key of a telephone that carries this letter.
fn key(letter: char) -> Option<char> {
    Some(match letter.to_ascii_uppercase() {
        digit @ '0'..='9' => digit,
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        _ => return None,
    })
}

/// Unicode's many dashes, spaces and digits as their plain counterparts; `None` for marks
/// without a width, which copying from a web page brings along.
fn plain_char(c: char) -> Option<char> {
    let shifted = |zero: u32| char::from_digit(u32::from(c) - zero, 10);
    match c {
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => Some('-'),
        '\u{FF0B}' => Some('+'),
        '\u{FF10}'..='\u{FF19}' => shifted(0xFF10),
        '\u{0660}'..='\u{0669}' => shifted(0x0660),
        '\u{06F0}'..='\u{06F9}' => shifted(0x06F0),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

/// Without `tel:`, and without what makes a spreadsheet take a number for text:
/// `="415…"` and `'415…`.
fn unwrapped(text: &str) -> &str {
    let text = match text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.trim(),
        None => text,
    };
    let text = text.strip_prefix(['\'', '\u{2019}']).unwrap_or(text).trim_start();
    match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
        _ => text,
    }
}

/// `4155550100.0` and `4.155550101E9` as their digits, `None` for anything else.
///
/// A spreadsheet that shows `4.15555E+09` has thrown digits away. Where the fraction is
/// shorter than the exponent nobody can tell zeros from lost digits, so that is an error.
fn as_spreadsheet_number(text: &str) -> Result<Option<String>, PhoneError> {
    let (plus, number) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match number.split_once(['E', 'e']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix('+').unwrap_or(exponent))),
        None => (number, None),
    };
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    if !all_digits(whole) || !(fraction.is_empty() || all_digits(fraction)) {
        return Ok(None);
    }
    match exponent {
        Some(exponent) if all_digits(exponent) && exponent.len() <= 2 => match exponent.parse::<usize>() {
            Ok(places) if whole.len() == 1 && fraction.len() == places => Ok(Some(format!("{plus}{whole}{fraction}"))),
            _ => Err(PhoneError::Rounded),
        },
        None if whole.len() >= 7 && !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => {
            Ok(Some(format!("{plus}{whole}")))
        }
        _ => Ok(None),
    }
}

/// Whether digits follow an extension's word or `#` behind what is a whole number already.
fn has_extension(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut before = 0;
    let mut word = String::new();
    for c in lower.chars() {
        match c {
            '0'..='9' if before >= 7 && EXTENSION.contains(&word.as_str()) => return true,
            '0'..='9' => {
                before += 1;
                word.clear();
            }
            '#' => word = "x".to_owned(),
            c if c.is_alphabetic() => word.push(c),
            ' ' | '.' | ':' | '=' if !word.is_empty() => {}
            _ => word.clear(),
        }
    }
    false
}
