//! Parameters of a request: form or query, in order, repeated keys kept.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Decoded parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pub(super) pairs: Vec<(String, String)>,
}

impl Form {
    pub(super) fn parse(encoded: &[u8]) -> Form {
        Form { pairs: url::form_urlencoded::parse(encoded).into_owned().collect() }
    }

    /// The first value of `name` that is not empty: Twilio takes an empty value as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.pairs.iter().filter(|(key, _)| key == name);
        let given = named.find(|(_, value)| !value.is_empty())?;
        Some(&given.1)
    }

    /// Every value of `name`, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The parameters in a URL.
pub(super) struct Query(pub(super) Form);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, Infallible> {
        Ok(Query(Form::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}
