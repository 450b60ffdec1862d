//! A region of the number plan: `US`, `CA`, `GB`.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region as Plan};
use serde::{Deserialize, Serialize};

/// An ISO 3166 region that has telephone numbers.
///
/// Regions are finer than calling codes: `+1` alone holds the United States, Canada and
/// most of the Caribbean, at very different prices and under different laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(pub(super) Plan);

/// A text was not a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a two-letter ISO region with telephone numbers, such as US")]
pub struct RegionError(String);

/// Country names that lists of gyms carry. Any ISO code works without being here.
const NAMES: &[(&str, Plan)] = &[
    ("usa", Plan::US),
    ("u.s.", Plan::US),
    ("u.s.a.", Plan::US),
    ("united states", Plan::US),
    ("united states of america", Plan::US),
    ("america", Plan::US),
    ("can", Plan::CA),
    ("canada", Plan::CA),
    ("mex", Plan::MX),
    ("mexico", Plan::MX),
    ("méxico", Plan::MX),
    ("puerto rico", Plan::PR),
    ("uk", Plan::GB),
    ("u.k.", Plan::GB),
    ("gbr", Plan::GB),
    ("united kingdom", Plan::GB),
    ("great britain", Plan::GB),
    ("england", Plan::GB),
    ("scotland", Plan::GB),
    ("wales", Plan::GB),
    ("northern ireland", Plan::GB),
    ("irl", Plan::IE),
    ("ireland", Plan::IE),
    ("aus", Plan::AU),
    ("australia", Plan::AU),
    ("nzl", Plan::NZ),
    ("new zealand", Plan::NZ),
    ("deu", Plan::DE),
    ("germany", Plan::DE),
    ("deutschland", Plan::DE),
    ("aut", Plan::AT),
    ("austria", Plan::AT),
    ("österreich", Plan::AT),
    ("che", Plan::CH),
    ("switzerland", Plan::CH),
    ("schweiz", Plan::CH),
    ("fra", Plan::FR),
    ("france", Plan::FR),
    ("esp", Plan::ES),
    ("spain", Plan::ES),
    ("españa", Plan::ES),
    ("ita", Plan::IT),
    ("italy", Plan::IT),
    ("italia", Plan::IT),
    ("prt", Plan::PT),
    ("portugal", Plan::PT),
    ("nld", Plan::NL),
    ("netherlands", Plan::NL),
    ("the netherlands", Plan::NL),
    ("bel", Plan::BE),
    ("belgium", Plan::BE),
    ("swe", Plan::SE),
    ("sweden", Plan::SE),
    ("nor", Plan::NO),
    ("norway", Plan::NO),
    ("dnk", Plan::DK),
    ("denmark", Plan::DK),
    ("fin", Plan::FI),
    ("finland", Plan::FI),
    ("pol", Plan::PL),
    ("poland", Plan::PL),
    ("bra", Plan::BR),
    ("brazil", Plan::BR),
    ("ind", Plan::IN),
    ("india", Plan::IN),
    ("jpn", Plan::JP),
    ("japan", Plan::JP),
];

/// Area codes behind `+1` that belong to one island each and in which few numbers exist.
const ISLANDS: &[(&str, Plan)] = &[
    ("242", Plan::BS),
    ("246", Plan::BB),
    ("264", Plan::AI),
    ("268", Plan::AG),
    ("284", Plan::VG),
    ("345", Plan::KY),
    ("441", Plan::BM),
    ("473", Plan::GD),
    ("649", Plan::TC),
    ("664", Plan::MS),
    ("684", Plan::AS),
    ("721", Plan::SX),
    ("758", Plan::LC),
    ("767", Plan::DM),
    ("868", Plan::TT),
    ("869", Plan::KN),
];

impl Region {
    /// The United States.
    pub const US: Region = Region(Plan::US);
    /// Canada.
    pub const CA: Region = Region(Plan::CA);

    /// The region of a country cell: an ISO code, or a common name such as `United States`.
    pub fn of_country(text: &str) -> Option<Region> {
        let text = text.trim();
        // Most lists have codes. No name is one that stands for another country.
        if let (2, Ok(region)) = (text.len(), text.parse()) {
            return Some(region);
        }
        let text = text.to_lowercase();
        match NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, plan)) => Some(Region(*plan)),
            None => text.parse().ok(),
        }
    }

    /// The island of a North American number that the plan has not given out. It is refused in
    /// any case, and "belongs to the Bahamas" helps more than "is no number".
    pub(super) fn of_island(e164: &str) -> Option<Region> {
        let area = e164.strip_prefix("+1").filter(|national| national.len() == 10)?.get(..3)?;
        ISLANDS.iter().find(|(code, _)| *code == area).map(|(_, plan)| Region(*plan))
    }

    /// `1` for the United States, `44` for Great Britain.
    pub(super) fn calling_code(self) -> Option<i32> {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.0)
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let region = Plan::from_code(text.trim()).ok().filter(|plan| *plan != Plan::World).map(Region);
        region.filter(|region| region.calling_code().is_some()).ok_or_else(|| RegionError(text.to_owned()))
    }
}

impl TryFrom<String> for Region {
    type Error = RegionError;

    fn try_from(text: String) -> Result<Self, RegionError> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> String {
        region.to_string()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
