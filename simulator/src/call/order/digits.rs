//! Keys to be pressed on a line.

use std::time::Duration;

/// What `SendDigits` says, at most 32 presses and waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SendDigits(Vec<Press>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Press {
    /// `0`-`9`, `A`-`D`, `#` or `*`.
    Key(char),
    Wait(Duration),
}

impl SendDigits {
    const LONGEST: usize = 32;

    /// Reads keys and waits: `w` is half a second, `W` a whole one.
    pub(crate) fn parse(text: &str) -> Option<SendDigits> {
        if text.len() > SendDigits::LONGEST {
            return None;
        }
        let press = |letter| match letter {
            '0'..='9' | 'A'..='D' | '#' | '*' => Some(Press::Key(letter)),
            'w' => Some(Press::Wait(Duration::from_millis(500))),
            'W' => Some(Press::Wait(Duration::from_secs(1))),
            _ => None,
        };
        text.chars().map(press).collect::<Option<_>>().map(SendDigits)
    }

    pub(crate) fn presses(&self) -> &[Press] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_waits_are_read_in_order() {
        let digits = SendDigits::parse("1wW#D").unwrap();
        let (half, whole) = (Duration::from_millis(500), Duration::from_secs(1));
        let expected = [Press::Key('1'), Press::Wait(half), Press::Wait(whole), Press::Key('#'), Press::Key('D')];
        assert_eq!(digits.presses(), expected);
        assert!(SendDigits::parse(&"1".repeat(33)).is_none());
        assert!(SendDigits::parse("12E").is_none());
    }
}
