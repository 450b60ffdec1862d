//! A CSV as it arrives: bytes in, rows of cells out, whatever the delimiter and the encoding.

use super::RosterError;
use super::columns::is_phone_column;
use super::delimiter::{Sniffed, sniff};
use super::encoding::Encoding;
use super::limits::Limits;
use super::record::{Fault, Record, Records};
use super::row::BadRow;
use crate::row_code::RowCode;

/// Reads one file, given in pieces of any size, row by row. The first row is the header.
///
/// Memory is one row and one piece.
pub struct Sheet {
    limits: Limits,
    encoding: Encoding,
    stage: Stage,
}

enum Stage {
    /// The first line is not complete.
    Start(Vec<u8>),
    /// The delimiter is known; a `sep=;` line and comments may stand before the header.
    Before { records: Records, delimiter: u8, sep_line: bool },
    /// The header was given out.
    Rows { records: Records, delimiter: u8 },
    /// The file is no CSV; further pushes say so again.
    Refused(RosterError),
}

/// One row that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// The line of the file on which the row begins; the first is 1.
    pub line: u64,
    /// The cells, trimmed.
    pub cells: Result<Vec<String>, UnreadRow>,
}

/// A row that has no cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadRow {
    /// Why.
    pub bad: BadRow,
    /// Its first line as it stands in the file, as far as that is text.
    pub text: String,
}

impl Sheet {
    /// A reader for one file.
    pub fn new(limits: Limits) -> Sheet {
        Sheet { limits, encoding: Encoding::new(), stage: Stage::Start(Vec::new()) }
    }

    /// The character between the cells, once the first line was read.
    pub fn delimiter(&self) -> Option<u8> {
        match self.stage {
            Stage::Before { delimiter, .. } | Stage::Rows { delimiter, .. } => Some(delimiter),
            Stage::Start(_) | Stage::Refused(_) => None,
        }
    }

    /// Takes the next bytes and gives the rows that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<SheetRow>, RosterError> {
        self.take(bytes, false)
    }

    /// Ends the file and gives the rows that were still open.
    pub fn finish(mut self) -> Result<Vec<SheetRow>, RosterError> {
        self.take(&[], true)
    }

    pub(super) fn take(&mut self, bytes: &[u8], last: bool) -> Result<Vec<SheetRow>, RosterError> {
        let mut rows = Vec::new();
        match self.read(bytes, last, &mut rows) {
            Ok(()) => Ok(rows),
            Err(error) => {
                self.stage = Stage::Refused(error.clone());
                Err(error)
            }
        }
    }

    fn read(&mut self, bytes: &[u8], last: bool, rows: &mut Vec<SheetRow>) -> Result<(), RosterError> {
        let input = match &mut self.stage {
            Stage::Start(start) => start,
            Stage::Before { records, .. } | Stage::Rows { records, .. } => records.input(),
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
            self.stage = Stage::Before { records, delimiter, sep_line };
        }
        if let Stage::Before { records, delimiter, sep_line } = &mut self.stage {
            let header = loop {
                let Some(record) = records.next(last) else { return Ok(()) };
                if std::mem::take(sep_line) {
                    continue;
                }
                let row = self.encoding.row(record, *delimiter);
                if !is_comment(&row) {
                    break row;
                }
            };
            rows.push(header);
            let records = std::mem::replace(records, Records::new(b',', 0));
            self.stage = Stage::Rows { records, delimiter: *delimiter };
        }
        if let Stage::Rows { records, delimiter } = &mut self.stage {
            while let Some(record) = records.next(last) {
                rows.push(self.encoding.row(record, *delimiter));
            }
        }
        Ok(())
    }
}

/// Whether a row before the header is a comment. A header may begin with `#`, too: some call the row's number so.
fn is_comment(row: &SheetRow) -> bool {
    match &row.cells {
        Ok(cells) => {
            cells.first().is_some_and(|cell| cell.starts_with('#')) && !cells.iter().any(|cell| is_phone_column(cell))
        }
        Err(unread) => unread.text.starts_with('#'),
    }
}

impl Encoding {
    fn row(&mut self, record: Record, delimiter: u8) -> SheetRow {
        let Record { line, cells } = record;
        let unread = |code, detail: &str, text| UnreadRow { bad: BadRow::new(code, detail), text };
        let cells = match cells {
            Ok(cells) => self.decode(&cells.text, &cells.ends).ok_or_else(|| {
                let starts = std::iter::once(&0).chain(&cells.ends);
                let spans = starts.zip(&cells.ends).map(|(start, end)| &cells.text[*start..*end]);
                let text = spans.collect::<Vec<_>>().join(&delimiter);
                let detail = "the row has bytes that are text in no encoding this file can have";
                unread(RowCode::BadEncoding, detail, self.lossy(&text))
            }),
            Err(record) => {
                let text = self.lossy(&record.line);
                Err(match record.fault {
                    Fault::TooLong => unread(RowCode::TooLong, "the row is too long", text),
                    Fault::Unclosed => unread(RowCode::MalformedRow, "a quote is opened here and never closed", text),
                    Fault::StrayQuote => {
                        let detail = "text follows a closing quote; inside a quoted cell a quote is written twice";
                        unread(RowCode::MalformedRow, detail, text)
                    }
                })
            }
        };
        SheetRow { line, cells }
    }
}
