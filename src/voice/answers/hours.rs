//! Opening hours.
//!
//! The words are read once from left to right into [`Item`]s: days, spans of the clock, "closed", "except". Then
//! each span gets its days: those before it ("Monday to Friday 6 to 22"), or those behind it ("6 to 22 every day").

mod clock;
mod days;

use super::tokens::tokens;
use clock::span_at;
use days::{Days, days_at};
use gymcall_jobs::answer::OpenHours;

/// One thing said about the week.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Days(Days),
    /// From and to, as minutes of the day.
    Open(u16, u16),
    Closed,
    Except,
}

/// The hours in an answer.
pub(super) fn understand(words: &str) -> Option<Vec<OpenHours>> {
    let hours: Vec<OpenHours> = assign(&without_exceptions(items(&tokens(words))))?
        .into_iter()
        .filter(|(days, ..)| !days.is_empty())
        .map(|(days, from, to)| OpenHours { days: days.names(), from: clock::text(from), to: clock::text(to) })
        .collect();
    (!hours.is_empty()).then_some(hours)
}

fn items(tokens: &[String]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut at = 0;
    while let Some(word) = tokens.get(at) {
        let (item, next) = if let Some((days, next)) = days_at(tokens, at) {
            (Item::Days(days), next)
        } else if let Some((from, to, next)) = span_at(tokens, at) {
            (Item::Open(from, to), next)
        } else {
            at += 1;
            match word.as_str() {
                "closed" => (Item::Closed, at),
                "except" | "excluding" | "besides" => (Item::Except, at),
                _ => continue,
            }
        };
        // "Monday, Wednesday and Friday" is one thing.
        match (items.last_mut(), &item) {
            (Some(Item::Days(days)), Item::Days(more)) => *days = days.and(*more),
            _ => items.push(item),
        }
        at = next;
    }
    items
}

/// Takes "every day except Sunday" together.
fn without_exceptions(items: Vec<Item>) -> Vec<Item> {
    let mut kept: Vec<Item> = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        if item != Item::Except {
            kept.push(item);
            continue;
        }
        let Some(Item::Days(except)) = items.next_if(|item| matches!(item, Item::Days(_))) else { continue };
        match kept.last_mut() {
            Some(Item::Days(days)) => *days = days.without(except),
            _ => kept.extend([Item::Closed, Item::Days(except)]),
        }
    }
    kept
}

/// The spans with their days; `None` if some span's days cannot be told.
fn assign(items: &[Item]) -> Option<Vec<(Days, u16, u16)>> {
    let days = |at: Option<usize>| match at.and_then(|at| items.get(at)) {
        Some(Item::Days(days)) => Some(*days),
        _ => None,
    };
    let mut taken = vec![false; items.len()];
    let mut named = Days::NONE;
    let mut assigned: Vec<(Days, u16, u16)> = Vec::new();
    let mut otherwise = None;
    for (at, item) in items.iter().enumerate() {
        if matches!(item, Item::Days(_)) {
            continue;
        }
        let before = days(at.checked_sub(1)).filter(|_| !taken[at - 1]);
        // Days behind a span are its own only if the next span has days behind it too, or there is none:
        // in "6 to 10, weekends 8 to 8" the weekend belongs to what follows.
        let own = at + 2 >= items.len() || days(Some(at + 3)).is_some();
        let behind = days(Some(at + 1)).filter(|_| own);
        let its_days = if let Some(days) = before {
            taken[at - 1] = true;
            Some(days)
        } else if let Some(days) = behind {
            taken[at + 1] = true;
            Some(days)
        } else {
            None
        };
        named = its_days.map_or(named, |days| named.and(days));
        let Item::Open(from, to) = *item else { continue };
        match (its_days, assigned.last()) {
            (Some(days), _) => assigned.push((days, from, to)),
            // "Monday to Friday 6 to 12 and 14 to 22".
            (None, Some(&(days, ..))) => assigned.push((days, from, to)),
            (None, None) if otherwise.is_none() => otherwise = Some((from, to)),
            (None, None) => return None,
        }
    }
    if let Some((from, to)) = otherwise {
        assigned.insert(0, (Days::ALL.without(named), from, to));
    }
    Some(assigned)
}
