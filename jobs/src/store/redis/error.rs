//! What can go wrong, by what follows from it.

use redis::{ErrorKind, RedisError};

use crate::store::StoreError;

/// Why a Redis is not used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address means nothing.
    #[error("REDIS_URL cannot be used: {0}")]
    Url(RedisError),
    /// Nobody answers there.
    #[error("Redis does not answer: {0}. Is it running, and is REDIS_URL right?")]
    Unreachable(RedisError),
    /// It answers, and is not fit to keep records.
    #[error("this Redis cannot keep the records: {what}. {mend}")]
    Unfit {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        mend: String,
    },
}

/// Why a command has no result.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    why: String,
    /// Whether it certainly did nothing. Otherwise it may have been carried out, or may yet be.
    pub(super) sure: bool,
}

impl Failure {
    /// Of a command that never left.
    pub(super) fn not_sent(why: impl std::fmt::Display) -> Self {
        Self { why: why.to_string(), sure: true }
    }

    /// Of a command that was handed to a connection. What the server refuses did nothing; a
    /// connection that breaks, or an answer that does not come, says nothing.
    pub(super) fn of(error: &RedisError) -> Self {
        let sure = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
        Self { why: error.to_string(), sure }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        StoreError::Failed(failure.why)
    }
}

/// An answer that none of our scripts gives.
pub(super) fn strange(what: &str) -> StoreError {
    StoreError::Failed(format!("Redis answered what no script of ours says: {what}"))
}
