//! Dates as Twilio writes and reads them.

use jiff::civil::Date;
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

/// A filter's date: a day (its start, UTC), an ISO time with zone, or RFC 2822.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(at);
    }
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
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
        assert_eq!(parse("yesterday"), None);
    }
}
