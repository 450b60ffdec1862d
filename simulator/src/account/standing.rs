//! How an account stands with Twilio.

use serde::Deserialize;

/// Whether an account may do anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may.
    #[default]
    Active,
    /// It may read, but not place calls: its money is gone, or something was wrong.
    Suspended,
    /// As suspended, and for good.
    Closed,
}

impl Standing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::Suspended => "suspended",
            Standing::Closed => "closed",
        }
    }
}

/// What a trial account may not do: it calls its own and verified numbers only (21219), and its calls are short.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trial {
    /// Seconds after which a call is ended, with 13805.
    pub longest_call_s: u64,
    /// Calls that may be live at one time.
    pub max_live_calls: usize,
    /// Said before the account's own TwiML; nothing if empty.
    pub message: String,
}

impl Default for Trial {
    fn default() -> Trial {
        Trial {
            longest_call_s: 600,
            max_live_calls: 5,
            message: "You have a trial account. You can remove this message at any time by upgrading it.".to_owned(),
        }
    }
}
