//! A list of gyms in CSV, read as it arrives.
//!
//! ```
//! use gymcall_jobs::phone::PhoneRules;
//! use gymcall_jobs::roster::{Limits, Roster};
//!
//! let mut roster = Roster::new(&PhoneRules::default(), Limits::default());
//! let mut rows = roster.push(b"phone,name\n(415) 555-0100,Iron ")?;
//! rows.extend(roster.push(b"Temple\n911,Nobody\n")?);
//! rows.extend(roster.finish()?);
//! assert!(rows[0].result.as_ref().is_ok_and(|row| row.corrected && row.gym.name == "Iron Temple"));
//! assert!(rows[1].result.as_ref().is_err_and(|row| row.code.as_str() == "not_allowed"));
//! # Ok::<(), gymcall_jobs::roster::RosterError>(())
//! ```
//!
//! How a file is cut into pushes changes nothing about its rows. Memory is one row and one
//! push, and 16 to 35 bytes for each accepted number, by which duplicates are found.

mod columns;
mod delimiter;
mod encoding;
mod record;
mod row;

use std::collections::HashMap;

pub use crate::row_code::RowCode;
pub use columns::Listed;
pub use row::{Accepted, BadRow, Row};

use crate::gym::PHONE_COLUMNS;
use crate::phone::PhoneRules;
use columns::Columns;
use delimiter::{Sniffed, sniff};
use encoding::Encoding;
use record::{Fault, Record, Records};

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

/// Why a file is no roster at all. No row of it was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// There is nothing in the file.
    #[error("the file is empty; its first row has to name the columns, one of them phone_number")]
    Empty,
    /// It is a spreadsheet program's own file.
    #[error("this is a workbook; save it as CSV and send that")]
    Workbook,
    /// The first row cannot be read.
    #[error("the header row cannot be read: {0}")]
    UnreadableHeader(String),
    /// The first row is a gym's.
    #[error("the first row has to name the columns, but it holds a phone number; put a header such as phone_number,gym_name above it (the phone column may be called {})", PHONE_COLUMNS.join(", "))]
    NoHeader,
    /// No column is the phone's.
    #[error("no column holds phone numbers: it has to be called one of {}; found {found}", PHONE_COLUMNS.join(", "))]
    NoPhoneColumn {
        /// The columns there are.
        found: Listed,
    },
    /// Two columns have one name.
    #[error("two columns are called {0:?} (capitals, spaces and dashes make no difference)")]
    RepeatedColumn(String),
    /// More columns than a roster may have.
    #[error("the header has {found} columns; {most} are the most")]
    TooManyColumns {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// The questions use columns that are not there.
    #[error("the questions use columns that are not in the file: {0}")]
    MissingColumns(Listed),
}

/// Reads one file, given in pieces of any size.
pub struct Roster {
    rules: PhoneRules,
    limits: Limits,
    required: Vec<String>,
    encoding: Encoding,
    stage: Stage,
    /// The line on which each accepted number stood first.
    seen: HashMap<u64, u64>,
}

enum Stage {
    /// The first line is not complete.
    Start(Vec<u8>),
    /// The delimiter is known, the columns are not.
    Header { records: Records, sep_line: bool },
    /// The columns are known.
    Rows { records: Records, columns: Columns },
    /// The file is no roster; further pushes say so again.
    Refused(RosterError),
}

impl Roster {
    /// A reader for one file.
    pub fn new(rules: &PhoneRules, limits: Limits) -> Roster {
        Roster {
            rules: rules.clone(),
            limits,
            required: Vec::new(),
            encoding: Encoding::new(),
            stage: Stage::Start(Vec::new()),
            seen: HashMap::new(),
        }
    }

    /// Names the columns that the questions use as `{{column}}`: a file without one of them is
    /// refused, and so is a row in which one is empty.
    pub fn requiring(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Roster {
        self.required = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Takes the next bytes and gives the rows that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Row>, RosterError> {
        self.take(bytes, false)
    }

    /// Ends the file and gives the rows that were still open.
    pub fn finish(mut self) -> Result<Vec<Row>, RosterError> {
        self.take(&[], true)
    }

    fn take(&mut self, bytes: &[u8], last: bool) -> Result<Vec<Row>, RosterError> {
        let mut rows = Vec::new();
        match self.read(bytes, last, &mut rows) {
            Ok(()) => Ok(rows),
            Err(error) => {
                self.stage = Stage::Refused(error.clone());
                Err(error)
            }
        }
    }

    fn read(&mut self, bytes: &[u8], last: bool, rows: &mut Vec<Row>) -> Result<(), RosterError> {
        let input = match &mut self.stage {
            Stage::Start(start) => start,
            Stage::Header { records, .. } | Stage::Rows { records, .. } => records.input(),
            Stage::Refused(error) => return Err(error.clone()),
        };
        let known = input.len();
        self.encoding.push(bytes, last, input)?;
        if let Stage::Start(start) = &mut self.stage {
            // A line that never ends must not be kept for ever, and what lies past the limit
            // must not count, or the cuts of a file would decide about it.
            let most = self.limits.row_bytes;
            let whole = last || start.len() > most;
            // Only a line break can end the line; looking again for every byte of a long one
            // would take the square of its length.
            if !whole && !start[known..].iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                return Ok(());
            }
            let Some(sniffed) = sniff(&start[..start.len().min(most)], whole) else {
                return Ok(());
            };
            let (delimiter, sep_line) = match sniffed {
                Sniffed::Header(delimiter) => (delimiter, false),
                Sniffed::SepLine(delimiter) => (delimiter, true),
            };
            let mut records = Records::new(delimiter, self.limits.row_bytes);
            records.input().append(start);
            self.stage = Stage::Header { records, sep_line };
        }
        if let Stage::Header { records, sep_line } = &mut self.stage {
            let mut first = records.next(last);
            if *sep_line && first.is_some() {
                *sep_line = false;
                first = records.next(last);
            }
            let Some(header) = first else {
                return if last { Err(RosterError::Empty) } else { Ok(()) };
            };
            let columns = self.encoding.header(header, &self.required, &self.limits)?;
            let records = std::mem::replace(records, Records::new(b',', 0));
            self.stage = Stage::Rows { records, columns };
        }
        if let Stage::Rows { records, columns } = &mut self.stage {
            while let Some(record) = records.next(last) {
                let line = record.line;
                let result = self.encoding.cells(record).and_then(|cells| columns.gym(cells, &self.rules));
                rows.push(Row { line, result: unseen(&mut self.seen, line, result) });
            }
        }
        Ok(())
    }
}

/// Refuses a number that an earlier row had. Only accepted rows count: a gym whose first row
/// was bad gets its second.
fn unseen(seen: &mut HashMap<u64, u64>, line: u64, row: Result<Accepted, BadRow>) -> Result<Accepted, BadRow> {
    let row = row?;
    let first = *seen.entry(row.gym.phone.digits()).or_insert(line);
    if first == line {
        return Ok(row);
    }
    Err(BadRow::new(RowCode::Duplicate, format!("the same number as line {first}")))
}

impl Encoding {
    fn header(&mut self, record: Record, required: &[String], limits: &Limits) -> Result<Columns, RosterError> {
        let cells = self.cells(record).map_err(|bad| RosterError::UnreadableHeader(bad.detail))?;
        Columns::new(&cells, required, limits)
    }

    fn cells(&mut self, record: Record) -> Result<Vec<String>, BadRow> {
        let cells = record.cells.map_err(|fault| match fault {
            Fault::TooLong => BadRow::new(RowCode::TooLong, "the row is too long"),
            Fault::Unclosed => BadRow::new(RowCode::MalformedRow, "a quote is opened here and never closed"),
            Fault::StrayQuote => BadRow::new(
                RowCode::MalformedRow,
                "text follows a closing quote; inside a quoted cell a quote is written twice",
            ),
        })?;
        self.decode(&cells.text, &cells.ends).ok_or_else(|| {
            BadRow::new(RowCode::BadEncoding, "the row has bytes that are text in no encoding this file can have")
        })
    }
}
