//! Faults: how unkind the simulator is, as data.
//!
//! Every request to create a call draws its own dice from the seed and its number among all such
//! requests, so the same requests in the same order meet the same faults, however long calls take.

mod fate;
mod request;
mod when;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;

pub(crate) use fate::is_usual;
pub use fate::{Callbacks, Fate, Forgery};
use request::RequestRule;
pub use request::{Kind, RequestFate};
use when::{When, part};

/// Rules for faults. None by default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    #[serde(default)]
    fault: Vec<Rule>,
    /// Rules for the requests that create no call.
    #[serde(default)]
    request: Vec<RequestRule>,
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
    when: When,
    fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hits {
    /// Numbers it holds for; all if absent.
    #[serde(default)]
    numbers: Option<Vec<String>>,
    /// Only from this create on, counted from 0 over all numbers.
    #[serde(default)]
    from_call: Option<u64>,
    /// Only until this create, which is not hit.
    #[serde(default)]
    until_call: Option<u64>,
}

impl Hits {
    /// The keys of it.
    const KEYS: [&str; 3] = ["numbers", "from_call", "until_call"];

    /// Whether it holds for this create, and a number.
    fn holds(&self, ordinal: u64, to: &str) -> bool {
        self.numbers.as_ref().is_none_or(|numbers| numbers.iter().any(|number| number == to))
            && self.from_call.is_none_or(|from| ordinal >= from)
            && self.until_call.is_none_or(|until| ordinal < until)
    }
}

impl TryFrom<toml::Table> for Rule {
    type Error = toml::de::Error;

    fn try_from(mut table: toml::Table) -> Result<Rule, toml::de::Error> {
        let (hits, when) = (part(&mut table, &Hits::KEYS)?, part(&mut table, &When::KEYS)?);
        Ok(Rule { hits, when, fate: table.try_into()? })
    }
}

impl Faults {
    /// Reads rules from TOML; `docs/simulator.md` has the format.
    pub fn from_toml(text: &str) -> Result<Faults, FaultsError> {
        Ok(toml::from_str(text)?)
    }

    /// The fate of the `nth` request of a kind (from 0), made so long after the start.
    pub(crate) fn request_fate(&self, seed: u64, kind: Kind, nth: u64, since: Duration) -> RequestFate {
        request::fate(&self.request, seed, kind, nth, since)
    }

    /// The fate of the create request `ordinal` (from 0), which is the `nth` (from 0) to its number and
    /// made so long after the start.
    pub(crate) fn fate(&self, seed: u64, ordinal: u64, to: &str, nth: u64, since: Duration) -> Fate {
        let mut dice = StdRng::seed_from_u64(seed ^ ordinal.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut fate = Fate::default();
        for Rule { hits, when, fate: more } in &self.fault {
            // Drawn for every rule, so that one rule's numbers do not move another's dice.
            let draw: f64 = dice.random();
            if hits.holds(ordinal, to) && when.hits(draw, nth, since) {
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
        let hits = |seed| -> Vec<bool> {
            (0..1000).map(|ordinal| faults.fate(seed, ordinal, "+1", ordinal, Duration::ZERO).twice).collect()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        let share = hits(7).iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&share), "{share}");
    }

    #[test]
    fn a_rule_holds_for_its_numbers_and_its_times() {
        let text = "[[fault]]\nnumbers = [\"+1\"]\ntimes = 2\nthrottle = true\ncreate_delay_ms = 40";
        let faults = Faults::from_toml(text).unwrap();
        let throttled = |to, nth| faults.fate(0, 9, to, nth, Duration::ZERO).throttle;
        assert!(throttled("+1", 0) && throttled("+1", 1));
        assert!(!throttled("+1", 2) && !throttled("+2", 0));
        assert_eq!(faults.fate(0, 0, "+1", 0, Duration::ZERO).create_delay_ms, 40);
        assert_eq!(Faults::default().fate(0, 0, "+1", 0, Duration::ZERO), Fate::default());
    }

    #[test]
    fn a_rule_holds_for_its_time_and_its_calls() {
        let text = "[[fault]]\nfrom_s = 2\nuntil_s = 5.5\ntwice = true\n\
                    [[fault]]\nfrom_call = 3\nuntil_call = 5\nshuffled = true";
        let faults = Faults::from_toml(text).unwrap();
        let fate = |ordinal, ms| faults.fate(0, ordinal, "+1", ordinal, Duration::from_millis(ms));
        let timed: Vec<bool> = [1999, 2000, 5499, 5500].map(|ms| fate(0, ms).twice).to_vec();
        assert_eq!(timed, [false, true, true, false]);
        let counted: Vec<bool> = (2..6).map(|ordinal| fate(ordinal, 0).shuffled).collect();
        assert_eq!(counted, [false, true, true, false]);
    }

    #[test]
    fn requests_have_faults_by_kind_rate_and_times() {
        let text = "[[request]]\nof = [\"fetch\", \"list\"]\nrate = 0.5\nthrottle = true\n\
                    [[request]]\nof = [\"update\"]\ntimes = 1\nerror_after = true\ndelay_ms = 5";
        let faults = Faults::from_toml(text).unwrap();
        let fates = |kind, seed| -> Vec<bool> {
            (0..100).map(|nth| faults.request_fate(seed, kind, nth, Duration::ZERO).throttle).collect()
        };
        assert_eq!(fates(Kind::Fetch, 1), fates(Kind::Fetch, 1));
        assert_ne!(fates(Kind::Fetch, 1), fates(Kind::Fetch, 2));
        assert_ne!(fates(Kind::Fetch, 1), fates(Kind::List, 1));
        assert!((30..70).contains(&fates(Kind::List, 1).iter().filter(|hit| **hit).count()));
        assert!(!fates(Kind::Update, 1).contains(&true));
        let update = |nth| faults.request_fate(1, Kind::Update, nth, Duration::ZERO);
        assert_eq!((update(0).error_after, update(0).delay_ms), (true, 5));
        assert!(update(1).is_usual() && faults.request_fate(1, Kind::Delete, 0, Duration::ZERO).is_usual());
        assert!(Faults::from_toml("[[request]]\ntwice = true").is_err());
        assert!(Faults::from_toml("[[request]]\nof = [\"create\"]").is_err());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        for wrong in ["twicee = true", "time = 2", "rate = \"often\"", "late_ms = -1", "callbacks = \"some\""] {
            assert!(Faults::from_toml(&format!("[[fault]]\n{wrong}")).is_err(), "{wrong}");
        }
    }
}
