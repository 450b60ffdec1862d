//! Callees from TOML.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::stage::{START, Stage};
use super::{Callee, Callees};
use crate::tones;

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
    /// A choice goes to a stage that the callee does not have.
    #[error("{number} has no stage {name:?} to go to")]
    NoStage {
        /// Whose choice it is: its first number, or `default`.
        number: String,
        /// The name that the choice has.
        name: String,
    },
    /// Two stages have one name, or one is named as the beginning is.
    #[error("{number} has two stages {name:?}; the first one of every callee is \"start\"")]
    SameStage {
        /// Whose stages they are: its first number, or `default`.
        number: String,
        /// The name.
        name: String,
    },
    /// What is to be pressed is not on a telephone.
    #[error("{number} cannot press {keys:?}: keys are 0-9, A-D, * and #, and w and W wait")]
    NoKey {
        /// Whose keys they are: its first number, or `default`.
        number: String,
        /// What the file says.
        keys: String,
    },
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
            Some(callee) => Arc::new(staged(callee)?),
            None => Callees::built_in().otherwise,
        };
        let mut by_number = HashMap::new();
        for (index, callee) in file.callee.into_iter().enumerate() {
            if callee.numbers.is_empty() {
                return Err(CalleesError::NoNumber(index + 1));
            }
            let callee = Arc::new(staged(callee)?);
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
        // A test reads the file, so it cannot be wrong here; and it has a default, so this ends.
        #[allow(clippy::expect_used)]
        Callees::from_toml(BUILT_IN).expect("callees.toml is well formed")
    }
}

/// Makes the first stage of the callee's own keys, and checks that every way leads somewhere.
fn staged(mut callee: Callee) -> Result<Callee, CalleesError> {
    let number = callee.numbers.first().map_or("default", String::as_str).to_owned();
    let start = Stage {
        name: START.to_owned(),
        music_ms: callee.music_ms,
        greeting: std::mem::take(&mut callee.greeting),
        greet_after_ms: callee.greet_after_ms,
        beep: callee.beep,
        takes_message: callee.takes_message,
        hangs_up: false,
        choices: std::mem::take(&mut callee.choices),
        rules: std::mem::take(&mut callee.rules),
    };
    callee.stages.insert(0, start);
    let mut names = HashSet::new();
    for stage in &callee.stages {
        if !names.insert(stage.name.as_str()) {
            return Err(CalleesError::SameStage { number, name: stage.name.clone() });
        }
    }
    let choices = || callee.stages.iter().flat_map(|stage| &stage.choices);
    if let Some(choice) = choices().find(|choice| !names.contains(choice.goes.as_str())) {
        return Err(CalleesError::NoStage { number, name: choice.goes.clone() });
    }
    let rules = callee.stages.iter().flat_map(|stage| &stage.rules);
    let pressed = rules.map(|rule| &rule.presses).chain(callee.presses.iter().map(|press| &press.keys));
    let chosen = choices().filter_map(|choice| choice.press.map(String::from));
    let is_key = |key: char| matches!(key, 'w' | 'W') || tones::key(key).is_some();
    if let Some(keys) = pressed.cloned().chain(chosen).find(|keys| !keys.chars().all(is_key)) {
        return Err(CalleesError::NoKey { number, keys });
    }
    Ok(callee)
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
        for last in 130..=141 {
            let number = format!("+14155550{last}");
            assert!(callees.by_number.contains_key(&number), "{number}");
        }
        assert_eq!(callees.by_number.len(), 32);
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
            let stage = &callee.stages[0];
            Some(stage.rules[stage.rule_for(heard)?].says.breaths()[0].clone())
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
        let with = |rest: &str| Callees::from_toml(&format!("[[callee]]\nnumbers=['+1']\n{rest}")).unwrap_err();
        let nowhere = with("choice=[{press='1', goes='hours'}]");
        assert!(matches!(&nowhere, CalleesError::NoStage { name, .. } if name == "hours"), "{nowhere}");
        let twins = with("[[callee.stage]]\nname='start'");
        assert!(matches!(&twins, CalleesError::SameStage { name, .. } if name == "start"), "{twins}");
        for keys in ["presses=[{after_ms=1, keys='1x'}]", "rule=[{presses='?'}]", "choice=[{press='E', goes='start'}]"]
        {
            assert!(matches!(with(keys), CalleesError::NoKey { .. }), "{keys}");
        }
    }
}
