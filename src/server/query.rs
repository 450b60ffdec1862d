//! The query of an address, with errors that name the parameter.

use std::collections::HashSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::Problem;
use super::input::pointer;

/// The query of the request's address. What does not fit is a problem that points at its parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

/// Reads a query.
pub(super) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut names = HashSet::new();
    if let Some(name) = pairs.map(|(name, _)| name).find(|name| !names.insert(name.clone())) {
        return Err(Problem::field(&format!("/{name}"), "duplicate", "it is there twice"));
    }
    let parameters = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(parameters)
        .map_err(|error| Problem::field(&pointer(error.path()), "invalid", error.inner().to_string()))
}
