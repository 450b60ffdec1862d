//! The Twilio account that calls are placed with.

use secrecy::SecretString;

use super::error::{ConfigError, invalid};
use super::sources::Sources;
use super::value::{is_account_sid, is_e164};
use crate::twilio::signature::{WebhookKeys, WebhookKeysError};

/// A Twilio account that calls can be placed with.
#[derive(Debug, Clone)]
pub struct TwilioAccount {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's primary auth token, which also signs its webhooks.
    pub auth_token: SecretString,
    /// The secondary one, while tokens are exchanged: webhooks may be signed with it.
    pub secondary_token: Option<SecretString>,
    /// Keys that webhooks may be signed with instead.
    pub webhook_keys: WebhookKeys,
    /// The number that calls come from, in E.164.
    pub from_number: String,
}

impl TwilioAccount {
    /// The account, if it is configured whole.
    pub(super) fn read(sources: &Sources) -> Result<Option<Self>, ConfigError> {
        let keys = sources.get("TWILIO_WEBHOOK_KEYS").unwrap_or_default();
        // Without the value: it is made of secrets.
        let webhook_keys = keys.parse().map_err(|why: WebhookKeysError| invalid("TWILIO_WEBHOOK_KEYS", "…", why))?;
        let [Some(sid), Some(token), Some(from)] = CREDENTIALS.map(|name| sources.get(name)) else { return Ok(None) };
        Ok(Some(Self {
            account_sid: sid.to_owned(),
            auth_token: token.into(),
            secondary_token: sources.get("TWILIO_AUTH_TOKEN_SECONDARY").map(SecretString::from),
            webhook_keys,
            from_number: from.to_owned(),
        }))
    }

    /// Twilio would refuse every call, and the first refusal would pause all dialling: better not to start.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !is_account_sid(&self.account_sid) {
            let why = "must be AC and 32 hexadecimal digits, as the Twilio console shows it";
            // Not shown: a token that was put here by mistake must not end in a log.
            return Err(invalid("TWILIO_ACCOUNT_SID", "…", why));
        }
        if !is_e164(&self.from_number) {
            return Err(invalid("TWILIO_FROM_NUMBER", &self.from_number, "must be in E.164, such as +12125550100"));
        }
        Ok(())
    }
}

/// The variables without which nothing can be called.
const CREDENTIALS: [&str; 3] = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER"];

/// The message for a call that cannot be placed for want of credentials.
pub fn missing_credentials(sources: &Sources) -> String {
    let missing: Vec<&str> = CREDENTIALS.into_iter().filter(|name| sources.get(name).is_none()).collect();
    let missing = if missing.is_empty() { CREDENTIALS.to_vec() } else { missing };
    format!("Twilio credentials not configured. Set {}.", missing.join(", "))
}
