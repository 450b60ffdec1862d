//! The report of an upload: every row accounted for, the bad ones by line.

use gymcall_jobs::roster::{BadRow, RowCode};
use serde::Serialize;
use utoipa::ToSchema;

/// How many bad rows a report names; the counts hold all of them.
const MOST_ROWS: usize = 10_000;

/// What became of the rows of a file.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct RowsReport {
    /// Rows that were taken.
    pub(super) accepted: u64,
    /// Those among them whose number is stored in another form than it was written in.
    pub(super) corrected: u64,
    /// Rows whose number was there already.
    duplicates: u64,
    /// Rows that were not taken for another reason.
    rejected: u64,
    /// The rows that were not taken.
    rows: Vec<ReportRow>,
    /// The duplicates, until the report is whole.
    #[serde(skip)]
    twice: Vec<ReportRow>,
    /// How many of those are not listed, because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    rows_left_out: u64,
}

// serde hands `skip_serializing_if` a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A row that was not taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ReportRow {
    /// Its line in the file; the header is line 1.
    line: u64,
    /// What is wrong with it.
    code: RowCode,
    /// The same in a sentence.
    detail: String,
}

impl RowsReport {
    /// A row was taken.
    pub(super) fn accept(&mut self, corrected: bool) {
        self.accepted += 1;
        self.corrected += u64::from(corrected);
    }

    /// A row was not taken.
    pub(super) fn refuse(&mut self, line: u64, bad: BadRow) {
        let BadRow { code, detail } = bad;
        let full = self.rows.len() + self.twice.len() >= MOST_ROWS;
        self.rows_left_out += u64::from(full);
        let row = ReportRow { line, code, detail };
        if code == RowCode::Duplicate {
            self.duplicates += 1;
            if !full {
                self.twice.push(row);
            }
            return;
        }
        self.rejected += 1;
        // What is to be mended is told before what is only there twice.
        if !full || self.twice.pop().is_some() {
            self.rows.push(row);
        }
    }

    /// The report of the whole file, its rows in order: the store refuses rows later than the reader.
    pub(super) fn whole(mut self) -> Self {
        self.rows.append(&mut self.twice);
        self.rows.sort_by_key(|row| row.line);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_report_lists_what_is_to_be_mended_before_what_is_there_twice() {
        let mut report = RowsReport::default();
        let most = MOST_ROWS as u64;
        for line in 2..most + 12 {
            report.refuse(line, BadRow { code: RowCode::Duplicate, detail: String::new() });
        }
        for line in [1, most + 50, most + 51] {
            report.refuse(line, BadRow { code: RowCode::InvalidPhone, detail: String::new() });
        }
        let report = report.whole();
        assert_eq!((report.duplicates, report.rejected, report.rows_left_out), (most + 10, 3, 13));
        assert_eq!(report.rows.len(), MOST_ROWS);
        let lines: Vec<u64> = report.rows.iter().map(|row| row.line).collect();
        assert!(lines.is_sorted() && lines.contains(&1) && lines.contains(&(most + 51)), "{:?}", &lines[..3]);
    }
}
