//! Cron patterns: read and worked out by `croner`, which is told here what our clocks say.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

/// A pattern of five fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    text: String,
    cron: Box<Cron>,
}

impl Pattern {
    /// The first time after `after`, on its zone's clock.
    pub(super) fn next(&self, after: &ZonedDateTime) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&OnTheClock(after.clone()), false).ok()?;
        Some(next.0.timestamp())
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_owned();
        // Runs are nightly or so. One a second would do nothing but replace each other.
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&text).map_err(|error| {
            format!("not a cron pattern of five fields (minute hour day month weekday): {}", in_words(&error))
        })?;
        let pattern = Self { text, cron: Box::new(cron) };
        // Some days are in no calendar. Without years, a day that comes at all comes after any other.
        let any = Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        if pattern.next(&any).is_none() {
            return Err("this day never comes".to_owned());
        }
        Ok(pattern)
    }
}

fn in_words(error: &CronError) -> String {
    match error {
        CronError::InvalidPattern(why) | CronError::IllegalCharacters(why) | CronError::ComponentError(why) => {
            why.clone()
        }
        CronError::EmptyPattern => "it is empty".to_owned(),
        CronError::InvalidDate | CronError::InvalidTime | CronError::TimeSearchLimitExceeded => error.to_string(),
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A moment on a zone's clock. `croner` knows an earlier edition of our time library.
#[derive(Debug, Clone)]
struct OnTheClock(ZonedDateTime);

impl CronDateTime for OnTheClock {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0.datetime();
        let part = |part: i8| u32::from(part.unsigned_abs());
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(i32::from(at.year()), part(at.month()), part(at.day())),
            CivilTime::from_parts_unchecked(part(at.hour()), part(at.minute()), part(at.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(self.0.weekday().to_sunday_zero_offset().unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidTime);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        let at = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| CronError::InvalidDate)?;
        let found = self.0.time_zone().to_ambiguous_zoned_datetime(at);
        let kept =
            |zoned: Result<ZonedDateTime, jiff::Error>| zoned.map(OnTheClock).map_err(|_| CronError::InvalidTime);
        Ok(match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(kept(found.unambiguous())?),
            AmbiguousOffset::Fold { .. } => Resolution::Ambiguous(kept(found.clone().earlier())?, kept(found.later())?),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(OnTheClock)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}
