//! Callees from TOML.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Callee, Callees};

/// A TOML text that is not a list of callees.
#[derive(Debug, thiserror::Error)]
pub enum CalleesError {
    /// It does not follow the format.
    #[error("the callees cannot be read: {0}")]
    Format(#[from] toml::de::Error),
    /// Two callees have one number.
    #[error("{0} is listed twice")]
    Twice(String),
    /// A callee has no number, so nobody could reach it.
    #[error("callee {0} has no numbers")]
    NoNumber(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    default: Option<Callee>,
    #[serde(default)]
    callee: Vec<Callee>,
}

const BUILT_IN: &str = include_str!("../../callees.toml");

impl Callees {
    /// Reads callees from TOML; `docs/simulator.md` has the format. Numbers that are not listed are
    /// answered by `[default]`, or by the built-in default if there is none.
    pub fn from_toml(text: &str) -> Result<Callees, CalleesError> {
        let file: File = toml::from_str(text)?;
        let otherwise = match file.default {
            Some(callee) => Arc::new(callee),
            None => Callees::built_in().otherwise,
        };
        let mut by_number = HashMap::new();
        for (index, callee) in file.callee.into_iter().enumerate() {
            let callee = Arc::new(callee);
            if callee.numbers.is_empty() {
                return Err(CalleesError::NoNumber(index + 1));
            }
            for number in &callee.numbers {
                if by_number.insert(number.clone(), Arc::clone(&callee)).is_some() {
                    return Err(CalleesError::Twice(number.clone()));
                }
            }
        }
        Ok(Callees { by_number, otherwise })
    }

    /// The callees of `callees.toml`, which shows every behaviour there is.
    pub fn built_in() -> Callees {
        // A test reads the file, so it cannot be wrong here.
        #[allow(clippy::expect_used)]
        let file: File = toml::from_str(BUILT_IN).expect("callees.toml is well formed");
        let Some(default) = file.default.map(Arc::new) else {
            unreachable!("callees.toml has a default");
        };
        let mut by_number = HashMap::new();
        for callee in file.callee {
            let callee = Arc::new(callee);
            for number in &callee.numbers {
                by_number.insert(number.clone(), Arc::clone(&callee));
            }
        }
        Callees { by_number, otherwise: default }
    }
}

impl Default for Callees {
    fn default() -> Callees {
        Callees::built_in()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callee::RingEnd;

    #[test]
    fn the_built_in_numbers_are_all_there() {
        let callees = Callees::from_toml(BUILT_IN).unwrap();
        for last in 1..=20 {
            let number = format!("+141555501{last:02}");
            assert!(callees.by_number.contains_key(&number), "{number}");
        }
        assert_eq!(callees.by_number.len(), 20);
        assert!(Callees::built_in().at("+14155550110").refusal() == Some(21211));
    }

    #[test]
    fn outcomes_come_in_turn_and_the_last_one_stays() {
        let callees = Callees::built_in();
        let busy_first = callees.at("+14155550108");
        let ends: Vec<_> = (0..3).map(|nth| busy_first.ring(nth).end).collect();
        assert_eq!(ends, [RingEnd::Busy, RingEnd::Answer, RingEnd::Answer]);
    }

    #[test]
    fn the_keyword_that_comes_last_wins() {
        let callees = Callees::built_in();
        let callee = callees.at("+19995550000");
        let reply = |heard| {
            let rule = callee.rule_for(heard)?;
            Some(callee.rules[rule].says.breaths()[0].clone())
        };
        assert_eq!(
            reply("We know your Opening Hours. How much is a DAY PASS?").as_deref(),
            Some("A day pass is 15 dollars")
        );
        assert_eq!(reply("Goodbye"), None);
    }

    #[test]
    fn mistakes_are_told() {
        let twice = "[[callee]]\nnumbers=['+1']\n[[callee]]\nnumbers=['+1']";
        assert!(matches!(Callees::from_toml(twice), Err(CalleesError::Twice(_))));
        assert!(matches!(Callees::from_toml("[[callee]]\ngreeting='hi'"), Err(CalleesError::NoNumber(1))));
        assert!(Callees::from_toml("[[callee]]\nnumbers=['+1']\ngreets='hi'").is_err());
    }
}
