//! The header row, and what each column means.

use std::fmt;

use super::RosterError;
use super::limits::Limits;
use super::row::{Accepted, BadRow};
use super::sheet::SheetRow;
use crate::gym::{Gym, NAME_COLUMNS, PHONE_COLUMNS, column_name};
use crate::phone::{PhoneNumber, PhoneRules, Region};
use crate::row_code::RowCode;
use crate::zone::{GymZone, ZoneSource};

/// The columns of a file.
pub(super) struct Columns {
    columns: Vec<Column>,
    phone: usize,
    country: Option<usize>,
    /// The columns, by name, that must not be empty.
    required: Vec<String>,
    cell_chars: usize,
}

struct Column {
    /// Its [`column_name`]; empty for a column without a header, which is not read.
    name: String,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Phone,
    Name,
    TimeZone,
    Country,
    State,
    City,
    Language,
    ExternalId,
    Variable,
}

/// Whether a header is one of the phone column's.
pub(super) fn is_phone_column(header: &str) -> bool {
    PHONE_COLUMNS.contains(&column_name(header).as_str())
}

impl Columns {
    /// The columns that the first row names.
    pub(super) fn of(header: SheetRow, required: &[String], limits: &Limits) -> Result<Columns, RosterError> {
        let cells = header.cells.map_err(|unread| RosterError::UnreadableHeader(unread.bad.detail))?;
        Columns::new(&cells, required, limits)
    }

    fn new(header: &[String], required: &[String], limits: &Limits) -> Result<Columns, RosterError> {
        let mut names: Vec<String> = header.iter().map(|cell| named(cell)).collect();
        // A trailing delimiter is no column: what stands under it is a cell too many.
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        if names.len() > limits.columns {
            return Err(RosterError::TooManyColumns { found: names.len(), most: limits.columns });
        }
        let place = |of: &[&str]| of.iter().find_map(|alias| names.iter().position(|name| name == alias));
        let Some(phone) = place(PHONE_COLUMNS) else {
            return Err(match header.iter().any(|cell| looks_like_data(cell)) {
                true => RosterError::NoHeader,
                false => RosterError::NoPhoneColumn { found: Listed(names) },
            });
        };
        let repeated = names.iter().enumerate().find(|(at, name)| !name.is_empty() && names[..*at].contains(name));
        if let Some((_, name)) = repeated {
            return Err(RosterError::RepeatedColumn(name.clone()));
        }
        let gym_name = place(NAME_COLUMNS);
        let role = |at, name: &str| match name {
            _ if at == phone => Role::Phone,
            _ if Some(at) == gym_name => Role::Name,
            "timezone" => Role::TimeZone,
            "country" => Role::Country,
            "state" => Role::State,
            "city" => Role::City,
            "preferred_language" => Role::Language,
            "external_id" => Role::ExternalId,
            _ => Role::Variable,
        };
        let roles: Vec<Role> = names.iter().enumerate().map(|(at, name)| role(at, name)).collect();
        let columns: Vec<Column> = names.into_iter().zip(roles).map(|(name, role)| Column { name, role }).collect();
        let country = columns.iter().position(|column| column.role == Role::Country);
        let required: Vec<String> = required.iter().map(|name| named(name)).collect();
        let has = |name: &String| match name.as_str() {
            name if PHONE_COLUMNS.contains(&name) => true,
            name if NAME_COLUMNS.contains(&name) && gym_name.is_some() => true,
            name => columns.iter().any(|column| column.name == name),
        };
        let missing: Vec<String> = required.iter().filter(|name| !has(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(RosterError::MissingColumns(Listed(missing)));
        }
        Ok(Columns { columns, phone, country, required, cell_chars: limits.cell_chars })
    }

    /// The gym in these cells, which are trimmed.
    pub(super) fn gym(&self, cells: Vec<String>, rules: &PhoneRules) -> Result<Accepted, BadRow> {
        // Spreadsheets drop empty cells at the end of a row; more cells than columns mean that
        // a delimiter stands in a cell without quotes, and everything after it is one off.
        if cells.iter().skip(self.columns.len()).any(|cell| !cell.is_empty()) {
            let detail = format!("the row has {} cells, the header has {}", cells.len(), self.columns.len());
            return Err(BadRow::new(RowCode::MalformedRow, detail));
        }
        let Some(written) = cells.get(self.phone) else {
            let detail = format!("the row ends after {} cells, before the phone number", cells.len());
            return Err(BadRow::new(RowCode::MalformedRow, detail));
        };
        for (cell, column) in cells.iter().zip(&self.columns) {
            // Bytes are at least as many as characters: most cells are not counted.
            if cell.len() > self.cell_chars && cell.chars().count() > self.cell_chars {
                let detail = format!("the cell under {:?} has more than {} characters", column.name, self.cell_chars);
                return Err(BadRow::new(RowCode::TooLong, detail));
            }
        }
        let country = self.country.and_then(|at| cells.get(at)).map(String::as_str);
        let phone = PhoneNumber::parse(written, country, rules)
            .map_err(|error| BadRow::new(error.row_code(), error.to_string()))?;
        let corrected = phone.as_str() != written;
        let mut gym = Gym::new(phone);
        for (cell, column) in cells.into_iter().zip(&self.columns) {
            if !cell.is_empty() && !column.name.is_empty() {
                column.fill(&mut gym, cell);
            }
        }
        match self.required.iter().find(|name| gym.variable(name).is_none()) {
            Some(name) => {
                let detail = format!("{name:?} is empty here, and the campaign says it");
                Err(BadRow::new(RowCode::MissingVariable, detail))
            }
            None => {
                // Not before the columns were looked at: a zone that is guessed fills no column.
                gym.timezone = gym.timezone.take().or_else(|| GymZone::guess(&gym));
                Ok(Accepted { gym, corrected })
            }
        }
    }
}

impl Column {
    fn fill(&self, gym: &mut Gym, cell: String) {
        match self.role {
            Role::Phone => {}
            Role::Name => gym.name = cell,
            Role::State => gym.state = Some(cell),
            Role::City => gym.city = Some(cell),
            Role::Language => gym.preferred_language = Some(cell),
            Role::ExternalId => gym.external_id = Some(cell),
            Role::Country => gym.country = Some(Region::of_country(&cell).map_or(cell, String::from)),
            // A zone that is not understood costs the gym its row only if nothing else tells
            // its hours, which is decided later. The cell stays, so that a person can see it.
            Role::TimeZone => match cell.parse() {
                Ok(name) => gym.timezone = Some(GymZone::named(name, ZoneSource::Csv)),
                Err(_) => {
                    gym.variables.insert("timezone".to_owned(), cell);
                }
            },
            Role::Variable => {
                gym.variables.insert(self.name.clone(), cell);
            }
        }
    }
}

/// A column's name, the one second spelling that is common brought to the first.
pub(super) fn named(header: &str) -> String {
    let name = column_name(header);
    if name == "time_zone" { "timezone".to_owned() } else { name }
}

/// Whether a cell of the first row is a telephone number rather than a name.
pub(super) fn looks_like_data(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    digits >= 7 && !cell.chars().any(char::is_alphabetic)
}

/// Names, quoted and comma-separated, and not too many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed(pub Vec<String>);

impl Listed {
    /// Whether a column, however it is written, is among them.
    pub fn has(&self, column: &str) -> bool {
        self.0.contains(&named(column))
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |name: &String| format!("{:?}", name.chars().take(40).collect::<String>());
        let shown: Vec<String> = self.0.iter().take(20).map(short).collect();
        f.write_str(&shown.join(", "))?;
        if self.0.len() > shown.len() {
            f.write_str(", …")?;
        }
        Ok(())
    }
}
