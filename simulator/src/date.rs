//! Dates as Twilio writes and reads them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::rfc2822};

/// `Tue, 31 Aug 2010 20:36:28 +0000`, always UTC.
pub(crate) fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// `2026-01-02T03:04:05.678Z`, as stream callbacks have it.
pub(crate) fn iso8601(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Formats of filters besides ISO 8601 and RFC 2822, with a zone and without one, which means UTC.
const ZONED: [&str; 2] = ["%m/%d/%Y %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z"];
const CIVIL: [&str; 3] = ["%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
const DAYS: [&str; 3] = ["%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d"];

/// Zones that are written as letters, and their offsets.
const ZONES: [(&str, &str); 10] = [
    ("UTC", "+0000"),
    ("GMT", "+0000"),
    ("EST", "-0500"),
    ("EDT", "-0400"),
    ("CST", "-0600"),
    ("CDT", "-0500"),
    ("MST", "-0700"),
    ("MDT", "-0600"),
    ("PST", "-0800"),
    ("PDT", "-0700"),
];

/// A filter's date: a day (its start, UTC), or a time in one of many formats.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(at);
    }
    let (time, zone) = text.rsplit_once(' ').unwrap_or((text, ""));
    let offset = ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(zone)).map(|(_, offset)| offset);
    let text = offset.map_or_else(|| text.to_owned(), |offset| format!("{time} {offset}"));
    let zoned = ZONED.iter().find_map(|format| Timestamp::strptime(format, &text).ok());
    let civil = || CIVIL.iter().find_map(|format| utc(DateTime::strptime(format, &text).ok()?));
    let day = || DAYS.iter().find_map(|format| utc(Date::strptime(format, &text).ok()?.to_datetime(Time::midnight())));
    zoned.or_else(civil).or_else(day)
}

/// The start of the day, UTC, that `at` is in.
pub(crate) fn day_of(at: Timestamp) -> Timestamp {
    let day = at.to_zoned_datetime(TimeZone::UTC).date().to_datetime(Time::midnight());
    utc(day).unwrap_or(at)
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    Some(civil.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_formats_of_the_wire() {
        let at: Timestamp = "2010-08-31T20:36:28.5Z".parse().unwrap();
        assert_eq!(rfc2822(at), "Tue, 31 Aug 2010 20:36:28 +0000");
        assert_eq!(iso8601(at), "2010-08-31T20:36:28.500Z");
    }

    #[test]
    fn reads_days_and_full_times() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(parse("2026-01-02"), Some(at("2026-01-02T00:00:00Z")));
        assert_eq!(parse("2026-01-02T03:04:05Z"), Some(at("2026-01-02T03:04:05Z")));
        assert_eq!(parse("Fri, 02 Jan 2026 03:04:05 +0000"), Some(at("2026-01-02T03:04:05Z")));
        for text in
            ["06/11/2019 22:05:25 MST", "2019-06-12 05:05:25", "2019-06-12T05:05:25", "2019-06-11T22:05:25-07:00"]
        {
            assert_eq!(parse(text), Some(at("2019-06-12T05:05:25Z")), "{text}");
        }
        assert_eq!(parse("06/12/2019"), Some(at("2019-06-12T00:00:00Z")));
        assert_eq!(day_of(at("2019-06-12T05:05:25Z")), at("2019-06-12T00:00:00Z"));
        assert_eq!(parse("yesterday"), None);
    }
}
