//! What can go wrong, by what follows from it.

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on it.
    #[error("the data folder {} is in use by another process", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// It cannot be created, read or written.
    #[error("the data folder {} cannot be used: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was written by a later version, whose meaning we cannot know.
    #[error("the data folder was written by a later version of gymcall (format {found}, this one knows {known})")]
    TooNew {
        /// The format of the folder.
        found: i64,
        /// The latest format that this version knows.
        known: i64,
    },
    /// The database could not be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Busy { .. } => StoreError::Busy(error.to_string()),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// Why an operation did not go through.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The contract says no. Operations find this out before they write anything, so that their
    /// neighbours in the same transaction are not disturbed.
    Refused(StoreError),
    /// The database failed: whatever the operation wrote must be rolled back.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Database(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Refused(error)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(error) => error,
            Trouble::Database(error) => StoreError::Failed(error.to_string()),
        }
    }
}

/// The threads of the store are gone: it was closed, or one of them died.
pub(super) fn gone() -> StoreError {
    StoreError::Failed("the store is closed".into())
}
