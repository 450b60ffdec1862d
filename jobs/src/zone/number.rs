//! Which zones a number may be in, by its first digits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::phone::PhoneNumber;

const TABLE: &str = include_str!("../../data/zones_by_number.txt");

/// The zones of every beginning in the table. A beginning that the table goes on to divide has the zones of all its parts:
/// a number that is in none of them may be in any.
static BY_BEGINNING: LazyLock<BTreeMap<&'static str, BTreeSet<&'static str>>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let rows: Vec<(BTreeSet<&str>, &str)> =
        rows.map(|(beginnings, zones)| (zones.split(' ').collect(), beginnings)).collect();
    let mut table: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (zones, beginnings) in &rows {
        for beginning in beginnings.split(' ') {
            table.entry(beginning).or_default().extend(zones);
        }
    }
    for (zones, beginnings) in &rows {
        for beginning in beginnings.split(' ') {
            for shorter in (1..beginning.len()).filter_map(|length| beginning.get(..length)) {
                if let Some(all) = table.get_mut(shorter) {
                    all.extend(zones);
                }
            }
        }
    }
    table
});

/// The country code that some twenty countries share, from Guam to Barbados.
const SHARED: &str = "1";

/// The zones of the longest beginning that is known, none if even the country code is not; nothing for a number of the
/// shared plan that is in no place, such as a toll-free one.
pub(super) fn zones(phone: &PhoneNumber) -> Option<Vec<&'static str>> {
    let mut digits = phone.as_str().trim_start_matches('+');
    // Of all beginnings the longest sorts last before the number; what sorts between them shares a part of it.
    let found = loop {
        let Some((beginning, zones)) = BY_BEGINNING.range(..=digits).next_back() else { break None };
        if digits.starts_with(beginning) {
            break Some((beginning, zones));
        }
        let shared = digits.bytes().zip(beginning.bytes()).take_while(|(one, other)| one == other).count();
        digits = digits.get(..shared).unwrap_or_default();
    };
    match found {
        Some((&SHARED, _)) => None,
        Some((_, zones)) => Some(zones.iter().copied().collect()),
        None => Some(Vec::new()),
    }
}

#[cfg(test)]
pub(super) fn all_zones() -> impl Iterator<Item = &'static str> {
    BY_BEGINNING.values().flatten().copied()
}
