//! Settings that cannot be used.

/// A setting that cannot be used, in words for whoever set it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `.env` cannot be read.
    #[error(".env cannot be read: {0}")]
    File(String),
    /// A value that means nothing.
    #[error("{variable}={value:?}: {why}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Refused(String),
}

pub(super) fn invalid(variable: &'static str, value: &str, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::Invalid { variable, value: value.to_owned(), why: why.to_string() }
}
