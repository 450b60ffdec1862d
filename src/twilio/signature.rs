//! Whether a request comes from Twilio.
//!
//! `X-Twilio-Signature` is the base 64 of an HMAC over the URL that Twilio requested and the form it posted: every
//! distinct pair of name and value, sorted, with nothing between them. It is keyed with an auth token of the
//! account (SHA-1) or, where a second header names one, with a [shared key](WebhookKeys) (SHA-256).

mod keys;
mod proof;

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::public_url::PublicUrl;
pub use keys::{WebhookKeys, WebhookKeysError};
pub use proof::Proof;
use proof::Signer;

/// The request is not Twilio's, or was changed on its way. Answer 403.
///
/// It does not say what would have been right: that would be an oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the X-Twilio-Signature does not fit the request")]
pub struct BadSignature;

/// Checks signatures with what an account signs with.
#[derive(Clone)]
pub struct Verifier {
    /// The primary token, and the secondary one where there is one.
    tokens: Vec<SecretString>,
    keys: WebhookKeys,
}

impl Verifier {
    /// Takes the primary auth token; Twilio never signs with the secret of an API key.
    pub fn new(auth_token: SecretString) -> Self {
        Self { tokens: vec![auth_token], keys: WebhookKeys::default() }
    }

    /// Takes the secondary auth token, too: while tokens are exchanged, Twilio signs with either.
    #[must_use]
    pub fn with_secondary(mut self, auth_token: SecretString) -> Self {
        self.tokens.push(auth_token);
        self
    }

    /// Takes shared keys, too.
    #[must_use]
    pub fn with_keys(self, keys: WebhookKeys) -> Self {
        Self { keys, ..self }
    }

    /// Checks a request with a form body, or a GET with none.
    ///
    /// `params` is the whole decoded form ([`decode_form`]), with the parameters that we
    /// do not know: Twilio adds new ones and signs them all.
    pub fn verify_form(
        &self,
        url: &PublicUrl,
        params: &[(String, String)],
        proof: impl Into<Proof>,
    ) -> Result<(), BadSignature> {
        self.check(&url.signed_forms(), params, &proof.into())
    }

    /// Checks the upgrade of a socket, which has no parameters. Take `url` from
    /// [`PublicBase::opened`](super::public_url::PublicBase::opened): Twilio signs `wss`.
    ///
    /// Twilio's documentation says to try again with a slash at the end; both hold here.
    pub fn verify_upgrade(&self, url: &PublicUrl, proof: impl Into<Proof>) -> Result<(), BadSignature> {
        let [bare, with_port] = url.signed_forms();
        let [slash, slash_with_port] = url.with_slash_toggled().signed_forms();
        self.check(&[bare, with_port, slash, slash_with_port], &[], &proof.into())
    }

    /// Checks a request whose body is not a form. Twilio then signs only the URL, and
    /// puts the body's SHA-256 into it as `bodySHA256`.
    pub fn verify_body(&self, url: &PublicUrl, body: &[u8], proof: impl Into<Proof>) -> Result<(), BadSignature> {
        let claimed = url::form_urlencoded::parse(url.query().unwrap_or_default().as_bytes())
            .find_map(|(name, value)| (name == "bodySHA256").then_some(value))
            .ok_or(BadSignature)?;
        let hash = Sha256::digest(body).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        self.check(&url.signed_forms(), &[], &proof.into())?;
        if bool::from(hash.as_bytes().ct_eq(claimed.as_bytes())) { Ok(()) } else { Err(BadSignature) }
    }

    /// Signs a form as Twilio does, with the primary token: for a look at our own webhooks from outside.
    pub fn sign_form(&self, url: &PublicUrl, params: &[(String, String)]) -> String {
        let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.tokens.first().map(|token| code::<Hmac<Sha1>>(token, &url.as_twilio_signs(), &pairs)).unwrap_or_default()
    }

    /// What only who has the primary token can answer to this word, and tells nothing about the token.
    pub fn answer_to(&self, nonce: &str) -> String {
        // A URL begins with a scheme, so this is nothing that Twilio signs.
        let text = format!("gymcall doctor {nonce}");
        self.tokens.first().map(|token| code::<Hmac<Sha256>>(token, &text, &BTreeSet::new())).unwrap_or_default()
    }

    fn check(&self, urls: &[String], params: &[(String, String)], proof: &Proof) -> Result<(), BadSignature> {
        let pairs: BTreeSet<(&str, &str)> =
            params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let text = Signed { urls, pairs, signature: &proof.signature };
        let fits = match &proof.signer {
            // A header that we cannot follow is not one that is missing: whoever writes it must not
            // be able to choose the weaker way.
            Signer::Unreadable => return Err(BadSignature),
            Signer::Key(id) => text.fits::<Hmac<Sha256>>(self.keys.get(id).ok_or(BadSignature)?),
            Signer::Token => {
                self.tokens.iter().fold(Choice::from(0), |found, token| found | text.fits::<Hmac<Sha1>>(token))
            }
        };
        if bool::from(fits) { Ok(()) } else { Err(BadSignature) }
    }
}

/// What a signature is said to be of.
struct Signed<'a> {
    /// Every form of the URL over which it may have been made.
    urls: &'a [String],
    pairs: BTreeSet<(&'a str, &'a str)>,
    signature: &'a str,
}

impl Signed<'_> {
    /// Whether it is one by this key. Takes as long whether it is or not.
    fn fits<M: Mac + KeyInit>(&self, key: &SecretString) -> Choice {
        let mut found = Choice::from(0);
        // Anybody can sign with an empty key, so one that was never set must not make everything look signed.
        if key.expose_secret().is_empty() {
            return found;
        }
        for url in self.urls {
            let expected = code::<M>(key, url, &self.pairs);
            // An early end of either comparison would tell by its time how much of a
            // guess was right.
            found |= expected.as_bytes().ct_eq(self.signature.as_bytes());
        }
        found
    }
}

/// Base 64 of the code of a text and the pairs after it.
fn code<M: Mac + KeyInit>(key: &SecretString, text: &str, pairs: &BTreeSet<(&str, &str)>) -> String {
    // An HMAC takes a key of any length, so this never turns back.
    let Ok(mut mac) = <M as Mac>::new_from_slice(key.expose_secret().as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// Decodes an `application/x-www-form-urlencoded` body as it was signed.
///
/// Duplicates, blank values and spaces at the ends stay: a decoder that tidies makes true
/// signatures look false.
pub fn decode_form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Reads a JSON body as the form that it stands for: the texts, numbers and truths of one object, by their names.
///
/// Nothing at all of anything else: a webhook of ours is about one call, and has no parts.
pub fn decode_json(body: &[u8]) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(body) else { return Vec::new() };
    let text = |value| match value {
        serde_json::Value::String(text) => Some(text),
        value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    };
    members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}
