//! What can be wrong with a row of a roster, in a word.

use serde::{Deserialize, Serialize};

use crate::outcome::words;

words!(
    /// What was wrong with a row.
    RowCode {
        /// The phone cell is empty.
        MissingPhone = "missing_phone",
        /// The phone cell holds no number that can be dialled.
        InvalidPhone = "invalid_phone",
        /// The number's region is not allowed, or it is a satellite or an emergency number.
        NotAllowed = "not_allowed",
        /// The call would cost extra.
        Premium = "premium",
        /// The number stood in an earlier row.
        Duplicate = "duplicate",
        /// A column that the questions use is empty here.
        MissingVariable = "missing_variable",
        /// The row or one of its cells is too long.
        TooLong = "too_long",
        /// The bytes are not text.
        BadEncoding = "bad_encoding",
        /// The row cannot be taken apart into cells.
        MalformedRow = "malformed_row",
    }
);
