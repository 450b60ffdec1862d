//! What a file may be at most.

/// How long things may be. A file's own size is for its reader to limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most characters in a cell.
    pub cell_chars: usize,
    /// The most bytes in a row, line breaks in its cells included.
    pub row_bytes: usize,
    /// The most columns.
    pub columns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cell_chars: 2_000, row_bytes: 64 * 1024, columns: 200 }
    }
}
