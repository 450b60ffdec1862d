//! What became of one row.

use serde::{Deserialize, Serialize};

use crate::gym::Gym;
use crate::row_code::RowCode;

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

impl BadRow {
    pub(super) fn new(code: RowCode, detail: impl Into<String>) -> BadRow {
        BadRow { code, detail: detail.into() }
    }
}
