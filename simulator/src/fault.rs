//! Faults: how unkind the simulator is, as data.
//!
//! Every request to create a call draws its own dice from the seed and its number among all such
//! requests, so the same requests in the same order meet the same faults, however long calls take.

mod fate;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;

pub(crate) use fate::is_usual;
pub use fate::{Callbacks, Fate};

/// Rules for faults. None by default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    #[serde(default)]
    fault: Vec<Rule>,
}

/// A TOML text that is not a list of faults.
#[derive(Debug, thiserror::Error)]
#[error("the faults cannot be read: {0}")]
pub struct FaultsError(#[from] toml::de::Error);

/// What happens to which creates. In a file both are keys of one table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
struct Rule {
    hits: Hits,
    fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hits {
    /// Numbers it holds for; all if absent.
    #[serde(default)]
    numbers: Option<Vec<String>>,
    /// Share of the creates it hits.
    #[serde(default = "always")]
    rate: f64,
    /// Only the first so many creates of a number.
    #[serde(default)]
    times: Option<u64>,
}

fn always() -> f64 {
    1.0
}

impl TryFrom<toml::Table> for Rule {
    type Error = toml::de::Error;

    fn try_from(mut table: toml::Table) -> Result<Rule, toml::de::Error> {
        let hits = ["numbers", "rate", "times"].iter().filter_map(|key| table.remove_entry(*key)).collect();
        Ok(Rule { hits: toml::Table::try_into(hits)?, fate: table.try_into()? })
    }
}

impl Faults {
    /// Reads rules from TOML; `docs/simulator.md` has the format.
    pub fn from_toml(text: &str) -> Result<Faults, FaultsError> {
        Ok(toml::from_str(text)?)
    }

    /// The fate of the create request `ordinal` (from 0), which is the `nth` (from 0) to its number.
    pub(crate) fn fate(&self, seed: u64, ordinal: u64, to: &str, nth: u64) -> Fate {
        let mut dice = StdRng::seed_from_u64(seed ^ ordinal.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut fate = Fate::default();
        for Rule { hits, fate: more } in &self.fault {
            // Drawn for every rule, so that one rule's numbers do not move another's dice.
            let draw: f64 = dice.random();
            let numbered = hits.numbers.as_ref().is_none_or(|numbers| numbers.iter().any(|number| number == to));
            if numbered && draw < hits.rate && hits.times.is_none_or(|times| nth < times) {
                fate.add(more);
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_decides_the_same_and_the_rate_is_kept() {
        let faults = Faults::from_toml("[[fault]]\nrate = 0.3\ntwice = true").unwrap();
        let hits =
            |seed| -> Vec<bool> { (0..1000).map(|ordinal| faults.fate(seed, ordinal, "+1", ordinal).twice).collect() };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        let share = hits(7).iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&share), "{share}");
    }

    #[test]
    fn a_rule_holds_for_its_numbers_and_its_times() {
        let text = "[[fault]]\nnumbers = [\"+1\"]\ntimes = 2\nthrottle = true\ncreate_delay_ms = 40";
        let faults = Faults::from_toml(text).unwrap();
        let throttled = |to, nth| faults.fate(0, 9, to, nth).throttle;
        assert!(throttled("+1", 0) && throttled("+1", 1));
        assert!(!throttled("+1", 2) && !throttled("+2", 0));
        assert_eq!(faults.fate(0, 0, "+1", 0).create_delay_ms, 40);
        assert_eq!(Faults::default().fate(0, 0, "+1", 0), Fate::default());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        for wrong in ["twicee = true", "time = 2", "rate = \"often\"", "late_ms = -1", "callbacks = \"some\""] {
            assert!(Faults::from_toml(&format!("[[fault]]\n{wrong}")).is_err(), "{wrong}");
        }
    }
}
