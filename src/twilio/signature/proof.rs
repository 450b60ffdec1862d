//! What a request brings along to prove that it is Twilio's.

use axum::http::HeaderMap;

/// A request's signature, and who is said to have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub(super) signature: String,
    pub(super) signer: Signer,
}

/// With what a signature is said to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signer {
    /// An auth token of the account: there is no further header.
    Token,
    /// The shared key of this name.
    Key(String),
    /// Something that we do not know.
    Unreadable,
}

const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
const ALGORITHM: &str = "HMAC_SHA256";

impl Proof {
    /// What the headers say. A signature that is missing, or there twice, is one that fits nothing.
    pub fn of(headers: &HeaderMap) -> Self {
        let signature = only(headers, SIGNATURE).unwrap_or_default().to_owned();
        let signer = match headers.contains_key(SETTINGS) {
            false => Signer::Token,
            true => only(headers, SETTINGS).and_then(key_in).map_or(Signer::Unreadable, Signer::Key),
        };
        Self { signature, signer }
    }
}

/// A signature by a token.
impl From<&str> for Proof {
    fn from(signature: &str) -> Self {
        Self { signature: signature.to_owned(), signer: Signer::Token }
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// The key that `key=<id>,algorithm=HMAC_SHA256` names. Members that we do not know may be added one day; those
/// that we know must be there once.
fn key_in(settings: &str) -> Option<String> {
    let (mut key, mut algorithm) = (None, None);
    for member in settings.split(',') {
        let (name, value) = member.split_once('=')?;
        let known = match name.trim() {
            "key" => &mut key,
            "algorithm" => &mut algorithm,
            _ => continue,
        };
        if known.replace(value.trim()).is_some() {
            return None;
        }
    }
    (algorithm? == ALGORITHM).then_some(key?.to_owned())
}
