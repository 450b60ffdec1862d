//! When a rule holds, whatever it does.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The part of a rule that all kinds of rules have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// Share of the requests it hits.
    #[serde(default = "always")]
    rate: f64,
    /// Only the first so many requests of a number or a kind.
    #[serde(default)]
    times: Option<u64>,
    /// Only from so many seconds after the start on.
    #[serde(default)]
    from_s: Option<f64>,
    /// Only until so many seconds after the start.
    #[serde(default)]
    until_s: Option<f64>,
}

fn always() -> f64 {
    1.0
}

impl When {
    /// The keys of it.
    pub(super) const KEYS: [&str; 4] = ["rate", "times", "from_s", "until_s"];

    /// Whether it hits the `nth` request (from 0), made so long after the start, if this is what the dice showed.
    pub(super) fn hits(&self, draw: f64, nth: u64, since: Duration) -> bool {
        let since = since.as_secs_f64();
        draw < self.rate
            && self.times.is_none_or(|times| nth < times)
            && self.from_s.is_none_or(|from| since >= from)
            && self.until_s.is_none_or(|until| since < until)
    }
}

/// Takes these keys out of a rule's table: in a file the parts of a rule are one table.
pub(super) fn part<T: DeserializeOwned>(table: &mut toml::Table, keys: &[&str]) -> Result<T, toml::de::Error> {
    let part: toml::Table = keys.iter().filter_map(|key| table.remove_entry(*key)).collect();
    part.try_into()
}
