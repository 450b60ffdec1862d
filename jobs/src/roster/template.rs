//! A roster to fill in.

use super::columns::named;
use crate::gym::{Gym, NAME_COLUMNS, PHONE_COLUMNS};
use crate::phone::{PhoneNumber, PhoneRules, Region};
use crate::zone::GymZone;

/// The columns that every roster may have.
const KNOWN: [&str; 8] =
    ["phone_number", "gym_name", "timezone", "country", "state", "city", "preferred_language", "external_id"];

/// A header, and one row under it that a reader accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// A gym that does not exist, as it would be written there.
    pub example: Vec<String>,
}

/// The roster with the known columns, and those of `needs` that are none of them. The example's number is one
/// that `rules` allow; no cell begins as a formula does.
pub fn template(needs: impl IntoIterator<Item = impl AsRef<str>>, rules: &PhoneRules) -> Template {
    let mut columns: Vec<String> = KNOWN.map(str::to_owned).to_vec();
    let mut needed = Vec::new();
    for name in needs {
        let name = named(name.as_ref());
        if NAME_COLUMNS.contains(&name.as_str()) || PHONE_COLUMNS.contains(&name.as_str()) || name.is_empty() {
            continue;
        }
        if !columns.contains(&name) {
            columns.push(name.clone());
        }
        needed.push(name);
    }
    let sample = Sample::of(rules);
    let cell = |column: &String| match sample.cell(column) {
        Some(cell) => cell,
        None if KNOWN.contains(&column.as_str()) && !needed.contains(column) => String::new(),
        None => format!("example {}", column.replace('_', " ")),
    };
    let example = columns.iter().map(cell).collect();
    Template { columns, example }
}

/// What is known of the gym in the example.
struct Sample {
    phone: Option<PhoneNumber>,
    region: Region,
    zone: Option<String>,
}

impl Sample {
    fn of(rules: &PhoneRules) -> Sample {
        let (region, phone) = match rules.example() {
            Some((region, phone)) => (region, Some(phone)),
            None => (rules.default_region, None),
        };
        let zone = phone.as_ref().and_then(|phone| {
            let mut gym = Gym::new(phone.clone());
            gym.country = Some(region.to_string());
            let zone = GymZone::guess(&gym)?;
            zone.candidates().first().map(ToString::to_string)
        });
        Sample { phone, region, zone }
    }

    fn cell(&self, column: &str) -> Option<String> {
        let american = self.region == Region::US;
        Some(match column {
            "phone_number" => self.phone.as_ref()?.national(),
            "gym_name" => "Iron Temple".to_owned(),
            "timezone" => self.zone.clone()?,
            "country" => self.region.to_string(),
            "state" if american => "NJ".to_owned(),
            "city" if american => "Jersey City".to_owned(),
            "preferred_language" => "en".to_owned(),
            "external_id" => "gym-1".to_owned(),
            _ => return None,
        })
    }
}
