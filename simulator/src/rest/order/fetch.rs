//! Webhooks in a form.

use super::super::error::Refusal;
use super::super::form::Form;
use crate::address::Address;
use crate::call::{Fetch, Method};

/// The webhook that the parameters `url` and `method` name, if any.
pub(in crate::rest) fn fetch(form: &Form, url: &str, method: &str) -> Result<Option<Fetch>, Refusal> {
    form.get(url).map(|text| webhook(url, text, method, form.get(method))).transpose()
}

/// The webhook at `text`, which the parameter `url` gave.
pub(super) fn webhook(url: &str, text: &str, method: &str, word: Option<&str>) -> Result<Fetch, Refusal> {
    let invalid = || Refusal::bad(21205, format!("{url} is not a valid URL: {text}"));
    let address = Address::parse(text).ok_or_else(invalid)?;
    // Twilio takes no underscore in the name of a host.
    if !matches!(address.scheme.as_str(), "http" | "https") || address.host.contains('_') {
        return Err(invalid());
    }
    let method = match word {
        Some(word) => Method::parse(word)
            .ok_or_else(|| Refusal::bad(21209, format!("{method} must be GET or POST, not {word}")))?,
        None => Method::Post,
    };
    let url = text.to_owned();
    Ok(Fetch { url, method })
}
