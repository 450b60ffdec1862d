//! Where a gym is on the clock: its time zone, or all that it may be in, and how we came to believe it.
//!
//! The roster may name the zone. Otherwise the address tells, and otherwise the number. A gym that may be in several
//! zones is called only when all of them allow it; one of which nothing is known is not called where hours are kept.

mod address;
mod number;

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::gym::Gym;
use crate::outcome::words;

/// The zones that a gym may be in, never none, and where they are known from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GymZone {
    /// Which zone, if there is but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<TimeZoneName>,
    /// Which zones, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<TimeZoneName>,
    /// Where it is known from.
    source: ZoneSource,
}

words!(
    /// Where a time zone is known from, the surest first.
    ZoneSource {
        /// The roster's `timezone` column.
        Csv = "csv",
        /// The request for a single call.
        Request = "request",
        /// The gym's country, state or city.
        Address = "address",
        /// The number's country and area code.
        Number = "number",
    }
);

/// An IANA time zone such as `America/Los_Angeles`.
///
/// Abbreviations are refused: `EST` is a zone of its own that ignores summer time, so half
/// the year a gym in New York would be called an hour early. A stored name is read back
/// unchecked, because the zone database may rename zones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(example = "America/Los_Angeles")]
pub struct TimeZoneName(String);

/// A text was not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IANA time zone such as America/Los_Angeles")]
pub struct TimeZoneError(String);

impl GymZone {
    /// The one zone that somebody named.
    pub fn named(name: TimeZoneName, source: ZoneSource) -> GymZone {
        GymZone { name: Some(name), candidates: Vec::new(), source }
    }

    /// What can be told of a gym whose zone nobody named.
    pub fn guess(gym: &Gym) -> Option<GymZone> {
        // A number that tells no more than a plan of many countries is of the gym's own country.
        let by_number = number::zones(&gym.phone).unwrap_or_else(|| address::zones_of_country(gym));
        let by_address = address::zones(gym);
        // Both speak of one gym. Where they contradict each other its number has come along from elsewhere.
        let both: Vec<&str> = by_address.iter().copied().filter(|zone| by_number.contains(zone)).collect();
        if !both.is_empty() {
            return GymZone::of(&both, ZoneSource::Address);
        }
        match (by_address.is_empty(), by_number.is_empty()) {
            (true, true) => None,
            (true, false) => GymZone::of(&by_number, ZoneSource::Number),
            (false, _) => GymZone::of(&by_address, ZoneSource::Address),
        }
    }

    fn of(zones: &[&str], source: ZoneSource) -> Option<GymZone> {
        let mut names: Vec<TimeZoneName> = zones.iter().map(|zone| TimeZoneName((*zone).to_owned())).collect();
        names.sort();
        names.dedup();
        match names.len() {
            0 => None,
            1 => Some(GymZone { name: names.pop(), candidates: Vec::new(), source }),
            _ => Some(GymZone { name: None, candidates: names, source }),
        }
    }

    /// The zone, if it is certain.
    pub fn name(&self) -> Option<&TimeZoneName> {
        self.name.as_ref()
    }

    /// Every zone that it may be, at least one.
    pub fn candidates(&self) -> &[TimeZoneName] {
        self.name.as_ref().map_or(&self.candidates, std::slice::from_ref)
    }

    /// Where it is known from.
    pub fn source(&self) -> ZoneSource {
        self.source
    }

    /// The candidates' clocks; none if one of them is not in this machine's database, for then nobody can tell.
    pub(crate) fn clocks(&self) -> Option<Vec<TimeZone>> {
        self.candidates().iter().map(|name| TimeZone::get(name.as_str()).ok()).collect()
    }
}

impl TimeZoneName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TimeZoneName {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        let text = text.trim();
        let unambiguous = text.contains('/') || text.eq_ignore_ascii_case("utc");
        let zone = TimeZone::get(text).ok().filter(|zone| unambiguous && !zone.is_unknown());
        match zone.as_ref().and_then(TimeZone::iana_name) {
            Some(name) => Ok(TimeZoneName(name.to_owned())),
            None => Err(TimeZoneError(text.to_owned())),
        }
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gym(phone: &str, city: &str, state: &str, country: &str) -> Gym {
        let cell = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let phone = serde_json::from_value(phone.into()).unwrap();
        Gym { city: cell(city), state: cell(state), country: cell(country), ..Gym::new(phone) }
    }

    /// The zones as one text, and where they are from.
    fn guess(phone: &str, city: &str, state: &str, country: &str) -> Option<(String, ZoneSource)> {
        let zone = GymZone::guess(&gym(phone, city, state, country))?;
        let names: Vec<&str> = zone.candidates().iter().map(TimeZoneName::as_str).collect();
        assert_eq!(zone.name().is_some(), names.len() == 1);
        Some((names.join(" "), zone.source()))
    }

    #[test]
    fn the_number_tells_where_the_address_does_not() {
        for (phone, zones) in [
            ("+14155550101", "America/Los_Angeles"),
            ("+12125550101", "America/New_York"),
            ("+16025550101", "America/Phoenix"),
            ("+18085550101", "Pacific/Honolulu"),
            ("+442079460000", "Europe/London"),
        ] {
            assert_eq!(guess(phone, "", "", ""), Some((zones.to_owned(), ZoneSource::Number)), "{phone}");
        }
        // A toll-free number may ring anywhere in its country.
        let (zones, source) = guess("+18005550101", "", "", "").unwrap();
        let all = "America/Adak America/Anchorage America/Boise America/Chicago America/Denver America/Los_Angeles \
                   America/New_York America/Phoenix Pacific/Honolulu";
        assert_eq!((zones.as_str(), source), (all, ZoneSource::Number));
        assert!(guess("+18005550101", "", "", "Canada").unwrap().0.contains("America/Toronto"));
        assert_eq!(guess("+18005550101", "", "", "Jamaica"), None);
    }

    #[test]
    fn the_address_counts_more_than_the_number() {
        for (phone, city, state, country, zones) in [
            // Somebody kept a number from California.
            ("+14155550101", "", "New York", "", "America/New_York"),
            ("+18005550101", "Austin", "TX", "US", "America/Chicago"),
            ("+18005550101", "El Paso", "tx", "usa", "America/Denver"),
            ("+18005550101", "", "Arizona", "", "America/Phoenix"),
            ("+18005550101", "Toronto", "ON", "CA", "America/Toronto"),
        ] {
            let guessed = guess(phone, city, state, country);
            assert_eq!(guessed, Some((zones.to_owned(), ZoneSource::Address)), "{city} {state}");
        }
    }

    #[test]
    fn a_state_with_two_zones_is_narrowed_by_the_number_or_stays_both() {
        // The area code has both, this exchange is in Pensacola.
        assert_eq!(guess("+18505550101", "", "FL", "").unwrap().0, "America/Chicago America/New_York");
        assert_eq!(guess("+18504320101", "", "FL", "").unwrap().0, "America/Chicago");
        assert_eq!(guess("+13055550101", "", "FL", "").unwrap().0, "America/New_York");
        assert_eq!(guess("+18005550101", "", "FL", "").unwrap().0, "America/Chicago America/New_York");
    }

    #[test]
    fn a_state_of_another_country_is_no_address_here() {
        // WA is Western Australia too, and CA a country.
        assert_eq!(guess("+61893210000", "Perth", "WA", "Australia").unwrap().1, ZoneSource::Number);
    }

    #[test]
    fn every_zone_in_the_tables_is_one() {
        for name in number::all_zones().chain(address::all_zones()) {
            assert!(TimeZone::get(name).is_ok(), "{name}");
        }
    }
}
