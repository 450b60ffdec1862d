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
//! push, and about 20 bytes for each accepted number, by which duplicates are found.

mod columns;
mod delimiter;
mod do_not_call;
mod encoding;
mod first_lines;
mod limits;
mod record;
mod row;
mod sheet;
mod template;

pub use crate::row_code::RowCode;
pub use columns::Listed;
pub use do_not_call::{DoNotCallList, Unwanted, UnwantedRow};
pub use limits::Limits;
pub use row::{Accepted, BadRow, Row};
pub use sheet::{Sheet, SheetRow, UnreadRow};
pub use template::{Template, template};

use crate::gym::PHONE_COLUMNS;
use crate::phone::PhoneRules;
use columns::Columns;
use first_lines::FirstLines;

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
    /// What is said uses columns that are not there.
    #[error("the campaign names columns that are not in the file: {0}")]
    MissingColumns(Listed),
}

/// Reads one file, given in pieces of any size.
pub struct Roster {
    rules: PhoneRules,
    limits: Limits,
    required: Vec<String>,
    sheet: Sheet,
    columns: Option<Columns>,
    /// The file is no roster; further pushes say so again.
    refused: Option<RosterError>,
    seen: FirstLines,
}

impl Roster {
    /// A reader for one file.
    pub fn new(rules: &PhoneRules, limits: Limits) -> Roster {
        Roster {
            rules: rules.clone(),
            limits,
            required: Vec::new(),
            sheet: Sheet::new(limits),
            columns: None,
            refused: None,
            seen: FirstLines::default(),
        }
    }

    /// Names the columns that are used as `{{column}}`: a file without one of them is refused, and so is a
    /// row in which one is empty.
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
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        self.read(bytes, last).inspect_err(|error| self.refused = Some(error.clone()))
    }

    fn read(&mut self, bytes: &[u8], last: bool) -> Result<Vec<Row>, RosterError> {
        let mut sheet = self.sheet.take(bytes, last)?.into_iter();
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => match sheet.next() {
                Some(header) => Columns::of(header, &self.required, &self.limits)?,
                None if last => return Err(RosterError::Empty),
                None => return Ok(Vec::new()),
            },
        };
        let rows = sheet.map(|SheetRow { line, cells }| {
            let result = cells.map_err(|unread| unread.bad).and_then(|cells| columns.gym(cells, &self.rules));
            Row { line, result: unseen(&mut self.seen, line, result) }
        });
        let rows = rows.collect();
        self.columns = Some(columns);
        Ok(rows)
    }
}

/// Refuses a number that an earlier row had. Only accepted rows count: a gym whose first row
/// was bad gets its second.
fn unseen(seen: &mut FirstLines, line: u64, row: Result<Accepted, BadRow>) -> Result<Accepted, BadRow> {
    let row = row?;
    let first = seen.first(row.gym.phone.digits(), line);
    if first == line {
        return Ok(row);
    }
    Err(BadRow::new(RowCode::Duplicate, format!("the same number as line {first}")))
}
