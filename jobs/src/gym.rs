//! A gym, as the list of gyms describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::phone::PhoneNumber;
use crate::zone::{GymZone, TimeZoneName};

/// One gym of a roster. What the roster left empty takes no room in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gym {
    /// The number to call.
    pub phone: PhoneNumber,
    /// What the gym is called; empty if the roster has no name for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its time zone, or those it may be in, where any is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<GymZone>,
    /// Its country: the ISO code if the cell was understood, else the cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Its state or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The language to speak, as the roster names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// What the gym is called in the roster's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Every other column that has a value here, under its [`column_name`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// Names of the phone column. Of several in one file the first here is the phone, and the
/// others are variables: beside `phone`, a `number` is that of a street or a row.
pub(crate) const PHONE_COLUMNS: &[&str] =
    &["phone_number", "phone", "telephone_number", "telephone", "tel", "phone_no", "contact_number", "number"];

/// Names of the column with the gym's name, likewise.
pub(crate) const NAME_COLUMNS: &[&str] = &["gym_name", "gym", "name"];

impl Gym {
    /// A gym of which only the number is known.
    pub fn new(phone: PhoneNumber) -> Gym {
        Gym {
            phone,
            name: String::new(),
            timezone: None,
            country: None,
            state: None,
            city: None,
            preferred_language: None,
            external_id: None,
            variables: BTreeMap::new(),
        }
    }

    /// Has `{{column}}` stand for this. The number is no column in this sense, and a zone that is none stays as it is
    /// written.
    pub fn set(&mut self, column: &str, value: String) {
        let column = column_name(column);
        match column.as_str() {
            phone if PHONE_COLUMNS.contains(&phone) => {}
            name if NAME_COLUMNS.contains(&name) => self.name = value,
            "country" => self.country = Some(value),
            "state" => self.state = Some(value),
            "city" => self.city = Some(value),
            "preferred_language" => self.preferred_language = Some(value),
            "external_id" => self.external_id = Some(value),
            _ => drop(self.variables.insert(column, value)),
        }
    }

    /// What `{{column}}` stands for, known columns and their aliases included; `None` if unset.
    pub fn variable(&self, column: &str) -> Option<&str> {
        let column = column_name(column);
        if let Some(value) = self.variables.get(&column) {
            return Some(value);
        }
        match column.as_str() {
            phone if PHONE_COLUMNS.contains(&phone) => Some(self.phone.as_str()),
            name if NAME_COLUMNS.contains(&name) => Some(self.name.as_str()).filter(|name| !name.is_empty()),
            "timezone" | "time_zone" => self.timezone.as_ref().and_then(GymZone::name).map(TimeZoneName::as_str),
            "country" => self.country.as_deref(),
            "state" => self.state.as_deref(),
            "city" => self.city.as_deref(),
            "preferred_language" => self.preferred_language.as_deref(),
            "external_id" => self.external_id.as_deref(),
            _ => None,
        }
    }
}

/// The name under which a column is known: trimmed, in lower case, one `_` for every run of
/// spaces, dashes and underscores. `Day-Pass  price` and `day_pass_price` are one column.
pub fn column_name(header: &str) -> String {
    let header = header.to_lowercase();
    let words = header.split(|c: char| c.is_whitespace() || c == '-' || c == '_');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}
