//! A campaign's day, by which its calls are counted.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day on the calendar of a campaign's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallingDay {
    /// Its name as a number: 20261127.
    pub number: i64,
    /// When the next one begins.
    pub ends_at: Timestamp,
}

impl CallingDay {
    /// The day that it is in a zone.
    pub fn at(now: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(now).date();
        let number = i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day());
        let midnight = |date: Date| zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
        let next = date.tomorrow().and_then(midnight);
        // There is no tomorrow at the end of time.
        Self { number, ends_at: next.unwrap_or(Timestamp::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_of_its_zone_also_when_the_clocks_change() {
        let new_york = TimeZone::get("America/New_York").unwrap();
        for (now, zone, number, ends_at) in [
            ("2026-03-02T23:59:59Z", &TimeZone::UTC, 20_260_302, "2026-03-03T00:00:00Z"),
            ("2026-03-03T00:00:00Z", &TimeZone::UTC, 20_260_303, "2026-03-04T00:00:00Z"),
            ("2026-03-03T04:59:59Z", &new_york, 20_260_302, "2026-03-03T05:00:00Z"),
            // 23 hours long, and 25.
            ("2026-03-08T05:00:00Z", &new_york, 20_260_308, "2026-03-09T04:00:00Z"),
            ("2026-11-01T04:00:00Z", &new_york, 20_261_101, "2026-11-02T05:00:00Z"),
        ] {
            let day = CallingDay::at(now.parse().unwrap(), zone);
            assert_eq!(day, CallingDay { number, ends_at: ends_at.parse().unwrap() }, "{now}");
        }
    }
}
