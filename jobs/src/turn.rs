//! What the other side said in one turn of a call that Twilio itself speaks and hears.

use serde::{Deserialize, Serialize};

/// One turn, as Twilio recognised it. A silence that was waited for in vain is one, too.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SpokenTurn {
    /// The words; empty if nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// How sure Twilio is of them, 0 to 1, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The words are a hint at best.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// The words were said after this, in ms since the call was picked up, by our clock.
    pub from_ms: u64,
    /// And before this.
    pub to_ms: u64,
}

impl SpokenTurn {
    /// Whether nothing was said.
    pub fn is_silence(&self) -> bool {
        self.text.trim().is_empty()
    }
}
