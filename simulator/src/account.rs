//! The account: which numbers, keys and applications it has, and what it may do.

pub(crate) mod pace;

use serde::Deserialize;

/// What an account has besides its SID and token. The default has nothing listed and may do everything: any
/// number is taken for its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// Numbers it owns, in E.164. If this and `verified` are empty, every valid number may call.
    pub numbers: Vec<String>,
    /// Numbers it does not own but has proved to be its holder's: they may call too.
    pub verified: Vec<String>,
    /// TwiML applications: URLs under one SID.
    #[serde(rename = "application")]
    pub applications: Vec<Application>,
    /// Keys that open the REST API besides the account's token.
    #[serde(rename = "api_key")]
    pub api_keys: Vec<ApiKey>,
}

/// URLs that `ApplicationSid` stands for. Methods are `POST` unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// `AP` and 32 hexadecimal digits.
    pub sid: String,
    /// Where the TwiML comes from.
    pub voice_url: String,
    /// `GET` or `POST`.
    pub voice_method: Option<String>,
    /// Asked when `voice_url` gives no TwiML.
    pub voice_fallback_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_fallback_method: Option<String>,
    /// Told of the call's end.
    pub status_callback: Option<String>,
    /// `GET` or `POST`.
    pub status_callback_method: Option<String>,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// `SK` and 32 hexadecimal digits: the user name.
    pub sid: String,
    /// The password.
    pub secret: String,
}

/// A TOML text that is not an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// It does not follow the format.
    #[error("the account cannot be read: {0}")]
    Format(#[from] toml::de::Error),
}

impl Account {
    /// Reads an account from TOML; `docs/simulator.md` has the format.
    pub fn from_toml(text: &str) -> Result<Account, AccountError> {
        Ok(toml::from_str(text)?)
    }

    /// Whether calls may come from `number`.
    pub(crate) fn may_call_from(&self, number: &str) -> bool {
        let lists_none = self.numbers.is_empty() && self.verified.is_empty();
        lists_none || self.numbers.iter().chain(&self.verified).any(|own| own == number)
    }

    /// The application `sid`.
    pub(crate) fn application(&self, sid: &str) -> Option<&Application> {
        self.applications.iter().find(|application| application.sid == sid)
    }
}
