//! Replies kept for idempotency keys, so that a repeated request does nothing twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::JobId;

/// A reply, or the claim of a request whose reply is still to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedReply {
    /// The client's key, with whatever scopes it.
    pub key: String,
    /// A digest of the request: the same key with another body is an error.
    pub request: String,
    /// The reply's HTTP status and body; none while the request is still being worked on.
    pub reply: Option<(u16, String)>,
    /// The job that the request made, so that its reply can be given even if the server died
    /// before it was.
    pub job: Option<JobId>,
    /// When it was made.
    pub at: Timestamp,
}

/// What a write does with an idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyWrite {
    /// Take the key: the whole write fails with [`super::StoreError::KeyTaken`] if somebody has it.
    Claim(SavedReply),
    /// Put the reply under the key that this request took before.
    Complete(SavedReply),
}
