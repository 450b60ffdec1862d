//! What became of one row.

use serde::{Deserialize, Serialize};

use crate::gym::Gym;
use crate::outcome::words;

/// One row of a roster that was not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file on which the row begins; the first is 1.
    pub line: u64,
    /// A gym, or why not.
    pub result: Result<Accepted, BadRow>,
}

/// A row that became a gym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The gym.
    pub gym: Gym,
    /// Whether the stored number differs from the trimmed cell.
    pub corrected: bool,
}

/// A row that did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// The kind of fault, for programs.
    pub code: RowCode,
    /// The fault in a sentence, for people. It may quote the cell, escaped.
    pub detail: String,
}

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

impl BadRow {
    pub(super) fn new(code: RowCode, detail: impl Into<String>) -> BadRow {
        BadRow { code, detail: detail.into() }
    }
}
