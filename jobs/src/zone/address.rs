//! Which zones an address is in. States of the United States and provinces of Canada; other countries are told by
//! their numbers, which are no less exact there.
//!
//! Source: the IANA time zone database (`zone1970.tab`, `northamerica`) and 49 CFR 71 for the limits inside states.

use crate::gym::Gym;
use crate::phone::Region;

const ATLANTIC: &str = "America/Halifax";
const EASTERN: &str = "America/New_York";
const CENTRAL: &str = "America/Chicago";
const MOUNTAIN: &str = "America/Denver";
const PACIFIC: &str = "America/Los_Angeles";
const ARIZONA: &str = "America/Phoenix";

/// Code, name, and the zones in it, the most people's first.
type State = (&'static str, &'static str, &'static [&'static str]);

const UNITED_STATES: &[State] = &[
    ("AL", "alabama", &[CENTRAL]),
    ("AK", "alaska", &["America/Anchorage", "America/Adak"]),
    // The Navajo Nation keeps summer time, the rest of Arizona does not.
    ("AZ", "arizona", &[ARIZONA]),
    ("AR", "arkansas", &[CENTRAL]),
    ("CA", "california", &[PACIFIC]),
    ("CO", "colorado", &[MOUNTAIN]),
    ("CT", "connecticut", &[EASTERN]),
    ("DE", "delaware", &[EASTERN]),
    ("DC", "district of columbia", &[EASTERN]),
    ("FL", "florida", &[EASTERN, CENTRAL]),
    ("GA", "georgia", &[EASTERN]),
    ("HI", "hawaii", &["Pacific/Honolulu"]),
    ("ID", "idaho", &["America/Boise", PACIFIC]),
    ("IL", "illinois", &[CENTRAL]),
    ("IN", "indiana", &[EASTERN, CENTRAL]),
    ("IA", "iowa", &[CENTRAL]),
    ("KS", "kansas", &[CENTRAL, MOUNTAIN]),
    ("KY", "kentucky", &[EASTERN, CENTRAL]),
    ("LA", "louisiana", &[CENTRAL]),
    ("ME", "maine", &[EASTERN]),
    ("MD", "maryland", &[EASTERN]),
    ("MA", "massachusetts", &[EASTERN]),
    ("MI", "michigan", &[EASTERN, CENTRAL]),
    ("MN", "minnesota", &[CENTRAL]),
    ("MS", "mississippi", &[CENTRAL]),
    ("MO", "missouri", &[CENTRAL]),
    ("MT", "montana", &[MOUNTAIN]),
    ("NE", "nebraska", &[CENTRAL, MOUNTAIN]),
    ("NV", "nevada", &[PACIFIC, MOUNTAIN]),
    ("NH", "new hampshire", &[EASTERN]),
    ("NJ", "new jersey", &[EASTERN]),
    ("NM", "new mexico", &[MOUNTAIN]),
    ("NY", "new york", &[EASTERN]),
    ("NC", "north carolina", &[EASTERN]),
    ("ND", "north dakota", &[CENTRAL, MOUNTAIN]),
    ("OH", "ohio", &[EASTERN]),
    ("OK", "oklahoma", &[CENTRAL]),
    ("OR", "oregon", &[PACIFIC, "America/Boise"]),
    ("PA", "pennsylvania", &[EASTERN]),
    ("RI", "rhode island", &[EASTERN]),
    ("SC", "south carolina", &[EASTERN]),
    ("SD", "south dakota", &[CENTRAL, MOUNTAIN]),
    ("TN", "tennessee", &[CENTRAL, EASTERN]),
    ("TX", "texas", &[CENTRAL, MOUNTAIN]),
    ("UT", "utah", &[MOUNTAIN]),
    ("VT", "vermont", &[EASTERN]),
    ("VA", "virginia", &[EASTERN]),
    ("WA", "washington", &[PACIFIC]),
    ("WV", "west virginia", &[EASTERN]),
    ("WI", "wisconsin", &[CENTRAL]),
    ("WY", "wyoming", &[MOUNTAIN]),
    ("PR", "puerto rico", &["America/Puerto_Rico"]),
    ("VI", "u.s. virgin islands", &["America/St_Thomas"]),
    ("GU", "guam", &["Pacific/Guam"]),
    ("AS", "american samoa", &["Pacific/Pago_Pago"]),
    ("MP", "northern mariana islands", &["Pacific/Saipan"]),
];

/// Those of them that are no states.
const TERRITORIES: [&str; 5] = ["PR", "VI", "GU", "AS", "MP"];

const CANADA: &[State] = &[
    ("AB", "alberta", &["America/Edmonton"]),
    ("BC", "british columbia", &["America/Vancouver", "America/Edmonton"]),
    ("MB", "manitoba", &["America/Winnipeg"]),
    ("NB", "new brunswick", &[ATLANTIC]),
    ("NL", "newfoundland and labrador", &["America/St_Johns", ATLANTIC]),
    ("NS", "nova scotia", &[ATLANTIC]),
    ("NT", "northwest territories", &["America/Edmonton"]),
    ("NU", "nunavut", &["America/Toronto", "America/Winnipeg", "America/Edmonton"]),
    ("ON", "ontario", &["America/Toronto", "America/Winnipeg"]),
    ("PE", "prince edward island", &[ATLANTIC]),
    ("QC", "quebec", &["America/Toronto"]),
    ("SK", "saskatchewan", &["America/Regina"]),
    ("YT", "yukon", &["America/Whitehorse"]),
];

/// The larger cities of the states with several zones, so that most of their gyms have one.
const CITIES: &[(&str, &str, &str)] = &[
    ("AK", "anchorage", "America/Anchorage"),
    ("AK", "fairbanks", "America/Anchorage"),
    ("AK", "juneau", "America/Anchorage"),
    ("FL", "miami", EASTERN),
    ("FL", "orlando", EASTERN),
    ("FL", "tampa", EASTERN),
    ("FL", "jacksonville", EASTERN),
    ("FL", "tallahassee", EASTERN),
    ("FL", "pensacola", CENTRAL),
    ("FL", "panama city", CENTRAL),
    ("ID", "boise", "America/Boise"),
    ("ID", "coeur d'alene", PACIFIC),
    ("IN", "indianapolis", EASTERN),
    ("IN", "fort wayne", EASTERN),
    ("IN", "gary", CENTRAL),
    ("IN", "evansville", CENTRAL),
    ("KS", "wichita", CENTRAL),
    ("KS", "kansas city", CENTRAL),
    ("KS", "topeka", CENTRAL),
    ("KY", "louisville", EASTERN),
    ("KY", "lexington", EASTERN),
    ("KY", "bowling green", CENTRAL),
    ("MI", "detroit", EASTERN),
    ("MI", "grand rapids", EASTERN),
    ("MI", "ann arbor", EASTERN),
    ("NE", "omaha", CENTRAL),
    ("NE", "lincoln", CENTRAL),
    ("NV", "las vegas", PACIFIC),
    ("NV", "reno", PACIFIC),
    ("ND", "fargo", CENTRAL),
    ("ND", "bismarck", CENTRAL),
    ("ON", "toronto", "America/Toronto"),
    ("ON", "ottawa", "America/Toronto"),
    ("ON", "hamilton", "America/Toronto"),
    ("ON", "london", "America/Toronto"),
    ("BC", "vancouver", "America/Vancouver"),
    ("BC", "victoria", "America/Vancouver"),
    ("OR", "portland", PACIFIC),
    ("OR", "eugene", PACIFIC),
    ("OR", "salem", PACIFIC),
    ("SD", "sioux falls", CENTRAL),
    ("SD", "rapid city", MOUNTAIN),
    ("TN", "nashville", CENTRAL),
    ("TN", "memphis", CENTRAL),
    ("TN", "knoxville", EASTERN),
    ("TN", "chattanooga", EASTERN),
    ("TX", "houston", CENTRAL),
    ("TX", "dallas", CENTRAL),
    ("TX", "austin", CENTRAL),
    ("TX", "san antonio", CENTRAL),
    ("TX", "fort worth", CENTRAL),
    ("TX", "el paso", MOUNTAIN),
];

/// The zones of the gym's state, or of its city where the state has several; none if the state is not known here.
pub(super) fn zones(gym: &Gym) -> Vec<&'static str> {
    let (Some(state), Some(states)) = (gym.state.as_deref().map(plain), states_of(gym)) else {
        return Vec::new();
    };
    let Some((code, _, zones)) =
        states.iter().find(|(code, name, _)| state.eq_ignore_ascii_case(code) || state == *name)
    else {
        return Vec::new();
    };
    if zones.len() > 1
        && let Some(city) = gym.city.as_deref().map(plain)
        && let Some((_, _, zone)) = CITIES.iter().find(|(of, name, _)| of == code && city == *name)
    {
        return vec![zone];
    }
    zones.to_vec()
}

/// All zones of the gym's country; none if that is not known here. The territories far out are left aside: a gym there
/// says so.
pub(super) fn zones_of_country(gym: &Gym) -> Vec<&'static str> {
    let states = states_of(gym).unwrap_or_default().iter().filter(|(code, _, _)| !TERRITORIES.contains(code));
    states.flat_map(|(_, _, zones)| zones.iter().copied()).collect()
}

/// The states of the gym's country; nothing for a country that has states of its own by the same names.
fn states_of(gym: &Gym) -> Option<&'static [State]> {
    let Some(country) = &gym.country else { return Some(UNITED_STATES) };
    match Region::of_country(country)? {
        region if region == Region::US => Some(UNITED_STATES),
        region if region == Region::CA => Some(CANADA),
        _ => None,
    }
}

/// As people write it, without what differs between them.
fn plain(text: &str) -> String {
    text.trim().trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
pub(super) fn all_zones() -> impl Iterator<Item = &'static str> {
    let states = UNITED_STATES.iter().chain(CANADA).flat_map(|(_, _, zones)| zones.iter().copied());
    states.chain(CITIES.iter().map(|(_, _, zone)| *zone))
}
