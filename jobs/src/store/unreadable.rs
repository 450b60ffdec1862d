//! Records that cannot be read, among others that can.

use std::fmt::Display;

use super::StoreError;

/// What came of one of many. A record that cannot be read is told to the operator and passed over: it must not keep the
/// others from what is due to them, nor hide them.
pub(crate) fn pass_over<T>(what: impl Display, came: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match came {
        Ok(came) => Ok(Some(came)),
        Err(StoreError::Corrupt(why)) => {
            tracing::error!("{what} is passed over: its record cannot be read: {why}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
