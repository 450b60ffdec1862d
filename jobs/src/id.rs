//! Ids that say what they name: `job_…`, `camp_…`, `run_…`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text was not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of the form {prefix}…")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

/// Crockford's base 32: no I, L, O or U, so an id survives being read out.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// 48 bits of milliseconds, then 80 bits of chance: ids made later sort later,
/// which keeps inserts at the end of the store's index.
fn encode(now: Timestamp, chance: u128) -> String {
    let ms = u128::from(now.as_millisecond().max(0).unsigned_abs()) & 0xffff_ffff_ffff;
    let bits = (ms << 80) | (chance & ((1 << 80) - 1));
    (0..LENGTH).rev().map(|place| char::from(ALPHABET[usize::from((bits >> (5 * place)) as u8 & 31)])).collect()
}

/// Lets a record hold the text; what is read back is checked again.
macro_rules! stored_as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(pattern = $pattern)]
        pub struct $name(String);

        impl $name {
            /// A new id from the time and 80 bits of chance.
            pub fn new(now: Timestamp, chance: u128) -> Self {
                Self(format!(concat!($prefix, "{}"), encode(now, chance)))
            }

            /// The id with its prefix.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix($prefix);
                match rest {
                    Some(rest)
                        if rest.len() == LENGTH
                            && rest.bytes().all(|byte| ALPHABET.contains(&byte)) =>
                    {
                        Ok(Self(text.to_owned()))
                    }
                    _ => Err(IdError { text: text.to_owned(), prefix: $prefix }),
                }
            }
        }

        stored_as_text!($name);
    };
}

id!(
    /// One gym in one run: `job_` and 26 characters.
    JobId, "job_", "^job_[0-9a-hjkmnp-tv-z]{26}$"
);
id!(
    /// A campaign: `camp_` and 26 characters.
    CampaignId, "camp_", "^camp_[0-9a-hjkmnp-tv-z]{26}$"
);
id!(
    /// One pass of a campaign over its gyms: `run_` and 26 characters.
    RunId, "run_", "^run_[0-9a-hjkmnp-tv-z]{26}$"
);
id!(
    /// One upload of a roster: `imp_` and 26 characters.
    ImportId, "imp_", "^imp_[0-9a-hjkmnp-tv-z]{26}$"
);

id!(
    /// Where announcements are delivered to: `hook_` and 26 characters.
    EndpointId, "hook_", "^hook_[0-9a-hjkmnp-tv-z]{26}$"
);

/// Twilio's name of a call: `CA` and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = "^CA[0-9a-fA-F]{32}$")]
pub struct CallSid(String);

impl CallSid {
    /// The SID as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallSid {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix("CA") {
            Some(digits) if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(IdError { text: text.to_owned(), prefix: "CA" }),
        }
    }
}

stored_as_text!(CallSid);

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret of one request to Twilio: 128 bits of chance, 32 hexadecimal digits.
///
/// It travels in every callback URL of that request, so signed news that carries it
/// belongs to that request even before Twilio's reply was read.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Without the secret: whatever is printed for debugging ends in a log some day.
impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(…)")
    }
}

impl Tag {
    /// A tag from 128 bits of chance, which must come from a cryptographic source.
    pub fn new(chance: u128) -> Self {
        Self(format!("{chance:032x}"))
    }

    /// The tag as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_owned()))
        } else {
            // The text may be most of a secret.
            Err(IdError { text: "…".to_owned(), prefix: "" })
        }
    }
}

stored_as_text!(Tag);
