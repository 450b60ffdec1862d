//! Secrets that this side and Twilio share for webhooks alone, beside the account's auth tokens.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

/// Shared keys by their names, written as `id:secret,id:secret`.
#[derive(Clone, Default)]
pub struct WebhookKeys(BTreeMap<String, SecretString>);

/// A list of keys that cannot be read. It shows no part of the list: all of it may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookKeysError {
    /// An entry has no id or no secret.
    #[error("must be id:secret, and commas between several of them")]
    Form,
    /// Two entries have one id.
    #[error("names one id twice")]
    Twice,
}

impl WebhookKeys {
    /// The secret of this name.
    pub(super) fn get(&self, id: &str) -> Option<&SecretString> {
        self.0.get(id)
    }

    /// The names, without the secrets.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromStr for WebhookKeys {
    type Err = WebhookKeysError;

    fn from_str(text: &str) -> Result<Self, WebhookKeysError> {
        let mut keys = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (id, secret) = entry.split_once(':').ok_or(WebhookKeysError::Form)?;
            if id.is_empty() || secret.is_empty() {
                return Err(WebhookKeysError::Form);
            }
            if keys.insert(id.to_owned(), secret.into()).is_some() {
                return Err(WebhookKeysError::Twice);
            }
        }
        Ok(Self(keys))
    }
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
