//! A list of numbers that may not be called, in CSV.

use super::Listed;
use super::RosterError;
use super::columns::{is_phone_column, looks_like_data, named};
use super::limits::Limits;
use super::row::BadRow;
use super::sheet::{Sheet, SheetRow};
use crate::gym::PHONE_COLUMNS;
use crate::phone::{PhoneNumber, PhoneRules};
use crate::row_code::RowCode;

/// Reads one list, given in pieces of any size. Any region's number is taken: a wish not to be called holds
/// everywhere. Memory is one row and one piece.
pub struct DoNotCallList {
    rules: PhoneRules,
    limits: Limits,
    sheet: Sheet,
    columns: Option<Columns>,
}

/// A number of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwanted {
    /// The number.
    pub phone: PhoneNumber,
    /// Why, if the list says.
    pub reason: Option<String>,
    /// Whether the number differs from the trimmed cell.
    pub corrected: bool,
}

/// One row that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwantedRow {
    /// The line of the file on which the row begins; the first is 1.
    pub line: u64,
    /// A number, or why not.
    pub result: Result<Unwanted, BadRow>,
}

/// Where the columns are that are read; all others are passed over.
#[derive(Debug, Clone, Copy)]
struct Columns {
    phone: usize,
    country: Option<usize>,
    reason: Option<usize>,
}

impl DoNotCallList {
    /// A reader for one list. `rules` say how a number without its country is read.
    pub fn new(rules: &PhoneRules, limits: Limits) -> DoNotCallList {
        DoNotCallList { rules: rules.anywhere(), limits, sheet: Sheet::new(limits), columns: None }
    }

    /// Takes the next bytes and gives the rows that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<UnwantedRow>, RosterError> {
        let rows = self.sheet.push(bytes)?;
        self.read(rows)
    }

    /// Ends the list and gives the rows that were still open.
    pub fn finish(mut self) -> Result<Vec<UnwantedRow>, RosterError> {
        let rows = self.sheet.take(&[], true)?;
        let rows = self.read(rows)?;
        if self.columns.is_none() { Err(RosterError::Empty) } else { Ok(rows) }
    }

    fn read(&mut self, rows: Vec<SheetRow>) -> Result<Vec<UnwantedRow>, RosterError> {
        let mut rows = rows.into_iter();
        let columns = match self.columns {
            Some(columns) => columns,
            None => match rows.next() {
                Some(header) => *self.columns.insert(Columns::of(header)?),
                None => return Ok(Vec::new()),
            },
        };
        let (rules, limits) = (&self.rules, self.limits);
        let row = |SheetRow { line, cells }| {
            let cells: Result<Vec<String>, BadRow> = cells.map_err(|unread| unread.bad);
            UnwantedRow { line, result: cells.and_then(|cells| columns.number(&cells, rules, limits)) }
        };
        Ok(rows.map(row).collect())
    }
}

impl Columns {
    fn of(header: SheetRow) -> Result<Columns, RosterError> {
        let cells = header.cells.map_err(|unread| RosterError::UnreadableHeader(unread.bad.detail))?;
        let names: Vec<String> = cells.iter().map(|cell| named(cell)).collect();
        let place = |name: &str| names.iter().position(|found| found == name);
        let Some(phone) = PHONE_COLUMNS.iter().find_map(|alias| place(alias)) else {
            return Err(match cells.iter().any(|cell| looks_like_data(cell)) {
                true => RosterError::NoHeader,
                false => RosterError::NoPhoneColumn { found: Listed(names) },
            });
        };
        debug_assert!(is_phone_column(&cells[phone]));
        Ok(Columns { phone, country: place("country"), reason: place("reason") })
    }

    fn number(self, cells: &[String], rules: &PhoneRules, limits: Limits) -> Result<Unwanted, BadRow> {
        let cell = |at: usize| cells.get(at).map(String::as_str).filter(|cell| !cell.is_empty());
        let written = cell(self.phone).unwrap_or_default();
        let country = self.country.and_then(cell);
        let phone = PhoneNumber::parse(written, country, rules)
            .or_else(|error| PhoneNumber::try_from(written.to_owned()).map_err(|_| error))
            .map_err(|error| BadRow::new(error.row_code(), error.to_string()))?;
        let reason = self.reason.and_then(cell);
        if reason.is_some_and(|reason| reason.chars().count() > limits.cell_chars) {
            let detail = format!("the reason has more than {} characters", limits.cell_chars);
            return Err(BadRow::new(RowCode::TooLong, detail));
        }
        Ok(Unwanted { corrected: phone.as_str() != written, reason: reason.map(str::to_owned), phone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(file: &str) -> Result<Vec<String>, RosterError> {
        let mut list = DoNotCallList::new(&PhoneRules::default(), Limits::default());
        let mut rows = Vec::new();
        for byte in file.as_bytes().chunks(1) {
            rows.extend(list.push(byte)?);
        }
        rows.extend(list.finish()?);
        let word = |row: &UnwantedRow| match &row.result {
            Ok(number) => format!("{}={}:{}", row.line, number.phone, number.reason.as_deref().unwrap_or("-")),
            Err(bad) => format!("{}={}", row.line, bad.code),
        };
        Ok(rows.iter().map(word).collect())
    }

    #[test]
    fn a_list_has_numbers_of_every_region_and_reasons() {
        let file = "Reason;Phone;Country;other\nasked;'+14155550101;;x\n;(415) 555-0102\n;020 7946 0018;UK\n\
                    by mail;+442079460019;\n;12;\nnobody;;\n";
        let expected = [
            "2=+14155550101:asked",
            "3=+14155550102:-",
            "4=+442079460018:-",
            "5=+442079460019:by mail",
            "6=invalid_phone",
            "7=missing_phone",
        ];
        assert_eq!(report(file).unwrap(), expected);
    }

    #[test]
    fn a_list_without_a_phone_column_is_refused() {
        assert_eq!(report(""), Err(RosterError::Empty));
        assert_eq!(report("+14155550101\n+14155550102\n"), Err(RosterError::NoHeader));
        assert!(matches!(report("name\nA\n"), Err(RosterError::NoPhoneColumn { .. })));
        assert_eq!(report("phone\n"), Ok(Vec::new()));
    }
}
