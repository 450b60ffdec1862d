//! What comes of dialling a number.

use serde::Deserialize;

/// How one call to a callee goes until it is picked up, or is not.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    pub(crate) end: RingEnd,
    /// How long it rings first.
    #[serde(default = "ring_ms")]
    pub(crate) after_ms: u32,
    /// SIP response code of the end, if it is not the usual one.
    #[serde(default)]
    pub(crate) sip: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RingEnd {
    Answer,
    Busy,
    NoAnswer,
    Failed,
}

pub(super) const PICKS_UP: Ring = Ring { end: RingEnd::Answer, after_ms: 300, sip: None };

pub(super) fn picks_up() -> Vec<Ring> {
    vec![PICKS_UP]
}

fn ring_ms() -> u32 {
    PICKS_UP.after_ms
}
