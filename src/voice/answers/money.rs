//! Prices.

use super::number::number_at;
use super::phrase::Phrase;
use super::tokens::tokens;
use gymcall_jobs::answer::AnswerValue;

/// The currency of a price that names none: the numbers we dial are American.
const DEFAULT_CURRENCY: &str = "USD";

const FREE: [&str; 6] = ["free", "no charge", "nothing", "complimentary", "no cost", "on the house"];

/// A number with one of these behind it is no price.
const OTHER_UNITS: [&str; 24] = [
    "day", "days", "hour", "hours", "week", "weeks", "month", "months", "minute", "minutes", "year", "years", "class",
    "classes", "visit", "visits", "people", "person", "percent", "%", "am", "pm", "times", "oclock",
];

/// A price that was found.
struct Price {
    cents: u64,
    /// `None` if the words named no currency.
    currency: Option<&'static str>,
    end: usize,
}

/// The price in an answer: the first with a currency, or else the first number that can be one.
pub(super) fn understand(words: &str) -> Option<AnswerValue> {
    let tokens = tokens(words);
    let mut prices = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match price_at(&tokens, at) {
            Some(price) if is_range(&tokens, at, &price) => return None,
            Some(price) => {
                at = price.end;
                prices.push(price);
            }
            // Not a price, but its words must not be read again as the end of another number.
            None => at = number_at(&tokens, at).map_or(at + 1, |(_, end)| end),
        }
    }
    let named = prices.iter().position(|price| price.currency.is_some()).unwrap_or(0);
    if let Some(price) = prices.get(named) {
        return Some(money(price.cents, price.currency.unwrap_or(DEFAULT_CURRENCY)));
    }
    let phrase = Phrase::new(words);
    let free = phrase.has_any(&FREE) && !phrase.has_any(&["feel free", "not free", "isnt free", "free to"]);
    free.then(|| money(0, DEFAULT_CURRENCY))
}

fn money(cents: u64, currency: &str) -> AnswerValue {
    AnswerValue::Money { amount: format!("{}.{:02}", cents / 100, cents % 100), currency: currency.to_owned() }
}

fn price_at(tokens: &[String], at: usize) -> Option<Price> {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let sign = sign(word(at));
    let from = if sign.is_some() { at + 1 } else { at };
    let (value, end) = number_at(tokens, from)?;
    let cents = (value * 100.0).round() as u64;
    if word(end).starts_with("cent") {
        return Some(Price { cents: cents / 100, currency: Some(DEFAULT_CURRENCY), end: end + 1 });
    }
    if let Some(currency) = sign.or(unit(word(end))) {
        let end = if sign.is_none() || unit(word(end)).is_some() { end + 1 } else { end };
        let and = if word(end) == "and" { end + 1 } else { end };
        // "fifteen dollars fifty", but not "fifteen dollars and 30 for students".
        let rest = number_at(tokens, and).filter(|&(_, after)| and == end || word(after).starts_with("cent"));
        return Some(match rest {
            Some((rest, after)) if rest < 100.0 && cents.is_multiple_of(100) && unit(word(after)).is_none() => {
                let after = if word(after).starts_with("cent") { after + 1 } else { after };
                Price { cents: cents + rest as u64, currency: Some(currency), end: after }
            }
            _ => Price { cents, currency: Some(currency), end },
        });
    }
    // "twenty five fifty" is how people say 25.50.
    if let Some((rest, after)) = number_at(tokens, end)
        && (10.0..100.0).contains(&rest)
        && cents.is_multiple_of(100)
        && !OTHER_UNITS.contains(&word(after))
    {
        let currency = unit(word(after));
        let after = if currency.is_some() { after + 1 } else { after };
        return Some(Price { cents: cents + rest as u64, currency, end: after });
    }
    // "the first one" is no price either.
    let counts = OTHER_UNITS.contains(&word(end)) || word(from) == "one";
    (!counts).then_some(Price { cents, currency: None, end })
}

/// "15 to 20 dollars", "between 15 and 20".
fn is_range(tokens: &[String], at: usize, price: &Price) -> bool {
    let joined = tokens.get(price.end).is_some_and(|word| matches!(word.as_str(), "to" | "-" | "or"));
    let between = at > 0 && tokens[at - 1] == "between";
    between || joined && price_at(tokens, price.end + 1).is_some()
}

fn sign(word: &str) -> Option<&'static str> {
    match word {
        "$" => Some("USD"),
        "€" => Some("EUR"),
        "£" => Some("GBP"),
        _ => None,
    }
}

fn unit(word: &str) -> Option<&'static str> {
    match word {
        "dollar" | "dollars" | "buck" | "bucks" | "usd" => Some("USD"),
        "euro" | "euros" | "eur" => Some("EUR"),
        "pound" | "pounds" | "quid" | "gbp" => Some("GBP"),
        sign_behind => sign(sign_behind),
    }
}
