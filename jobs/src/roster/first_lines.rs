//! On which line each number of a file stood first.

use std::collections::BTreeMap;

/// Numbers and lines. A tree, because a table is copied whenever it doubles and is then there twice; and bytes, because
/// integers would be padded: a million numbers take about 20 MB.
#[derive(Default)]
pub(super) struct FirstLines(BTreeMap<[u8; 7], [u8; 4]>);

impl FirstLines {
    /// The first line of a number of up to 15 digits: `line`, if it was on none yet.
    pub(super) fn first(&mut self, number: u64, line: u64) -> u64 {
        let ([_, number @ ..], [_, _, _, _, line @ ..]) = (number.to_be_bytes(), line.to_be_bytes());
        u32::from_be_bytes(*self.0.entry(number).or_insert(line)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_numbers_and_the_last_lines_are_told_apart() {
        let mut lines = FirstLines::default();
        let (longest, last) = (999_999_999_999_999, u64::from(u32::MAX));
        assert_eq!(lines.first(longest, last), last);
        assert_eq!(lines.first(longest - 1, 2), 2);
        assert_eq!(lines.first(longest, 3), last);
    }
}
