//! Faults: how unkind the simulator is, as data.
//!
//! Every request to create a call draws its own dice from the seed and its number among all such
//! requests, so the same requests in the same order meet the same faults, however long calls take.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;
use std::time::Duration;

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

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Numbers it holds for; all if absent.
    #[serde(default)]
    numbers: Option<Vec<String>>,
    /// Share of the creates it hits.
    #[serde(default = "always")]
    rate: f64,
    /// Only the first so many creates of a number.
    #[serde(default)]
    times: Option<u64>,
    #[serde(default)]
    twice: bool,
    #[serde(default)]
    late_ms: u64,
    #[serde(default)]
    shuffled: bool,
    #[serde(default)]
    before_reply: bool,
    #[serde(default)]
    throttle: bool,
    #[serde(default)]
    error_before_create: bool,
    #[serde(default)]
    error_after_create: bool,
    #[serde(default)]
    create_delay_ms: u64,
}

fn always() -> f64 {
    1.0
}

/// What happens to one request to create a call, and to its call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Every callback is delivered twice.
    pub(crate) twice: bool,
    /// Every callback is held back this long.
    pub(crate) late: Duration,
    /// Callbacks change places in pairs.
    pub(crate) shuffled: bool,
    /// The reply waits until a webhook of the call has been answered.
    pub(crate) before_reply: bool,
    /// 429, nothing created.
    pub(crate) throttle: bool,
    /// 500, nothing created.
    pub(crate) error_before_create: bool,
    /// 500, although the call exists.
    pub(crate) error_after_create: bool,
    /// The reply comes this late; the call exists all the while.
    pub(crate) create_delay: Duration,
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
        for rule in &self.fault {
            // Drawn for every rule, so that one rule's numbers do not move another's dice.
            let draw: f64 = dice.random();
            let numbered = rule.numbers.as_ref().is_none_or(|numbers| numbers.iter().any(|number| number == to));
            if !numbered || draw >= rule.rate || rule.times.is_some_and(|times| nth >= times) {
                continue;
            }
            fate.twice |= rule.twice;
            fate.late = fate.late.max(Duration::from_millis(rule.late_ms));
            fate.shuffled |= rule.shuffled;
            fate.before_reply |= rule.before_reply;
            fate.throttle |= rule.throttle;
            fate.error_before_create |= rule.error_before_create;
            fate.error_after_create |= rule.error_after_create;
            fate.create_delay = fate.create_delay.max(Duration::from_millis(rule.create_delay_ms));
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
        assert_eq!(faults.fate(0, 0, "+1", 0).create_delay, Duration::from_millis(40));
        assert_eq!(Faults::default().fate(0, 0, "+1", 0), Fate::default());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(Faults::from_toml("[[fault]]\ntwicee = true").is_err());
    }
}
