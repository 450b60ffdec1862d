//! What happens to requests other than those that create calls.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::is_usual;
use super::when::{When, part};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Reads a list: of calls, events, recordings, ….
    List,
    /// Reads one thing.
    Fetch,
    /// Changes a thing, or makes one that is no call.
    Update,
    /// Deletes a thing.
    Delete,
}

/// The fate of one request. By default it is answered as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestFate {
    /// 429, nothing done.
    #[serde(skip_serializing_if = "is_usual")]
    pub throttle: bool,
    /// 500, nothing done.
    #[serde(skip_serializing_if = "is_usual")]
    pub error: bool,
    /// 500, although it was done.
    #[serde(skip_serializing_if = "is_usual")]
    pub error_after: bool,
    /// The connection is reset without a reply, nothing done.
    #[serde(skip_serializing_if = "is_usual")]
    pub reset: bool,
    /// The connection is reset without a reply, although it was done.
    #[serde(skip_serializing_if = "is_usual")]
    pub reset_after: bool,
    /// No reply ever, nothing done; the connection stays open.
    #[serde(skip_serializing_if = "is_usual")]
    pub silence: bool,
    /// It is done, and answered, so many milliseconds late.
    #[serde(skip_serializing_if = "is_usual")]
    pub delay_ms: u64,
}

/// Which requests a rule holds for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestHits {
    /// Which kinds; all if absent.
    #[serde(default)]
    of: Option<Vec<Kind>>,
}

/// A rule for requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub(super) struct RequestRule {
    hits: RequestHits,
    when: When,
    fate: RequestFate,
}

impl TryFrom<toml::Table> for RequestRule {
    type Error = toml::de::Error;

    fn try_from(mut table: toml::Table) -> Result<RequestRule, toml::de::Error> {
        let (hits, when) = (part(&mut table, &["of"])?, part(&mut table, &When::KEYS)?);
        Ok(RequestRule { hits, when, fate: table.try_into()? })
    }
}

/// The fate of the `nth` request of a kind (from 0), made so long after the start.
pub(super) fn fate(rules: &[RequestRule], seed: u64, kind: Kind, nth: u64, since: Duration) -> RequestFate {
    let stream = (kind as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    let mut dice = StdRng::seed_from_u64(seed ^ stream ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut fate = RequestFate::default();
    for RequestRule { hits, when, fate: more } in rules {
        // Drawn for every rule, so that one rule's kinds do not move another's dice.
        let draw: f64 = dice.random();
        let of_kind = hits.of.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        if of_kind && when.hits(draw, nth, since) {
            fate.add(more);
        }
    }
    fate
}

impl RequestFate {
    /// Whether it is answered as it should be.
    pub(crate) fn is_usual(&self) -> bool {
        *self == RequestFate::default()
    }

    fn add(&mut self, more: &RequestFate) {
        self.throttle |= more.throttle;
        self.error |= more.error;
        self.error_after |= more.error_after;
        self.reset |= more.reset;
        self.reset_after |= more.reset_after;
        self.silence |= more.silence;
        self.delay_ms = self.delay_ms.max(more.delay_ms);
    }
}
