//! Days of the week.

use crate::voice::answers::number::number_at;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Some days of the week: one bit each, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days(u8);

impl Days {
    pub(super) const NONE: Days = Days(0);
    pub(super) const ALL: Days = Days(0x7f);
    const WEEKDAYS: Days = Days(0x1f);
    const WEEKEND: Days = Days(0x60);

    pub(super) fn and(self, more: Days) -> Days {
        Days(self.0 | more.0)
    }

    pub(super) fn without(self, less: Days) -> Days {
        Days(self.0 & !less.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self == Days::NONE
    }

    /// `mon` … `sun`, in the order of the week.
    pub(super) fn names(self) -> Vec<String> {
        (0..7).filter(|day| self.0 >> day & 1 == 1).map(|day| NAMES[day].to_owned()).collect()
    }

    /// From a day to a day, over Sunday if need be.
    fn range(from: usize, to: usize) -> Days {
        let length = (to + 7 - from) % 7;
        (0..=length).fold(Days::NONE, |days, step| days.and(Days(1 << ((from + step) % 7))))
    }
}

/// The days that are named from this token on, and the token after them.
pub(super) fn days_at(tokens: &[String], at: usize) -> Option<(Days, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    if let Some(from) = day(word(at)) {
        let joined = matches!(word(at + 1), "to" | "-" | "through" | "thru" | "till" | "til" | "until");
        return match day(word(at + 2)).filter(|_| joined) {
            Some(to) => Some((Days::range(from, to), at + 3)),
            None => Some((Days(1 << from), at + 1)),
        };
    }
    let two = match (word(at), word(at + 1)) {
        ("every" | "each", "day") | ("all", "week") => Some(Days::ALL),
        ("week", "days") => Some(Days::WEEKDAYS),
        ("week", "ends") => Some(Days::WEEKEND),
        _ => None,
    };
    if let Some(days) = two {
        return Some((days, at + 2));
    }
    let one = match word(at) {
        "everyday" | "daily" => Some(Days::ALL),
        "weekdays" | "weekday" => Some(Days::WEEKDAYS),
        "weekends" | "weekend" => Some(Days::WEEKEND),
        _ => None,
    };
    if let Some(days) = one {
        return Some((days, at + 1));
    }
    // "Seven days a week": the seven is no time.
    let (count, next) = number_at(tokens, at)?;
    let week = count == 7.0 && word(next) == "days";
    let end = if word(next + 1) == "a" && word(next + 2) == "week" { next + 3 } else { next + 1 };
    week.then_some((Days::ALL, end))
}

fn day(word: &str) -> Option<usize> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    let known = |names: &[&str]| names.contains(&word) || names.contains(&singular);
    [
        known(&["mon", "monday"]),
        known(&["tue", "tues", "tuesday"]),
        known(&["wed", "weds", "wednesday"]),
        known(&["thu", "thur", "thurs", "thursday"]),
        known(&["fri", "friday"]),
        known(&["sat", "saturday"]),
        known(&["sun", "sunday"]),
    ]
    .iter()
    .position(|&it_is| it_is)
}
