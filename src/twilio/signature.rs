//! Whether a request comes from Twilio.
//!
//! `X-Twilio-Signature` is the base 64 of an HMAC-SHA1, keyed with the account's primary
//! auth token, over the URL that Twilio requested and the form it posted: every distinct
//! pair of name and value, sorted, with nothing between them.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::public_url::PublicUrl;

/// The request is not Twilio's, or was changed on its way. Answer 403.
///
/// It does not say what would have been right: that would be an oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the X-Twilio-Signature does not fit the request")]
pub struct BadSignature;

/// Checks signatures with an account's auth token.
#[derive(Clone)]
pub struct Verifier {
    auth_token: SecretString,
}

impl Verifier {
    /// Takes the primary auth token; Twilio never signs with the secret of an API key.
    pub fn new(auth_token: SecretString) -> Self {
        Self { auth_token }
    }

    /// Checks a request with a form body, or a GET with none.
    ///
    /// `params` is the whole decoded form ([`decode_form`]), with the parameters that we
    /// do not know: Twilio adds new ones and signs them all.
    pub fn verify_form(
        &self,
        url: &PublicUrl,
        params: &[(String, String)],
        signature: &str,
    ) -> Result<(), BadSignature> {
        self.check(&url.signed_forms(), params, signature)
    }

    /// Checks the upgrade of a socket, which has no parameters. Take `url` from
    /// [`PublicBase::opened`](super::public_url::PublicBase::opened): Twilio signs `wss`.
    ///
    /// Twilio's documentation says to try again with a slash at the end; both hold here.
    pub fn verify_upgrade(&self, url: &PublicUrl, signature: &str) -> Result<(), BadSignature> {
        let [bare, with_port] = url.signed_forms();
        let [slash, slash_with_port] = url.with_slash_toggled().signed_forms();
        self.check(&[bare, with_port, slash, slash_with_port], &[], signature)
    }

    /// Checks a request whose body is not a form. Twilio then signs only the URL, and
    /// puts the body's SHA-256 into it as `bodySHA256`.
    pub fn verify_body(&self, url: &PublicUrl, body: &[u8], signature: &str) -> Result<(), BadSignature> {
        let claimed = url::form_urlencoded::parse(url.query().unwrap_or_default().as_bytes())
            .find_map(|(name, value)| (name == "bodySHA256").then_some(value))
            .ok_or(BadSignature)?;
        let hash = Sha256::digest(body).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        self.check(&url.signed_forms(), &[], signature)?;
        if bool::from(hash.as_bytes().ct_eq(claimed.as_bytes())) { Ok(()) } else { Err(BadSignature) }
    }

    fn check(&self, urls: &[String], params: &[(String, String)], signature: &str) -> Result<(), BadSignature> {
        let token = self.auth_token.expose_secret();
        // Anybody can sign with an empty key, so a token that was never set must not
        // make everything look signed.
        if token.is_empty() {
            return Err(BadSignature);
        }
        let pairs: BTreeSet<(&str, &str)> =
            params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut found = Choice::from(0);
        for url in urls {
            let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).map_err(|_| BadSignature)?;
            mac.update(url.as_bytes());
            for (name, value) in &pairs {
                mac.update(name.as_bytes());
                mac.update(value.as_bytes());
            }
            let expected = STANDARD.encode(mac.finalize().into_bytes());
            // An early end of either comparison would tell by its time how much of a
            // guess was right.
            found |= expected.as_bytes().ct_eq(signature.as_bytes());
        }
        if bool::from(found) { Ok(()) } else { Err(BadSignature) }
    }
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
