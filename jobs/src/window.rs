//! When a gym may be called: days and hours on its own clock, turned into instants.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::zone::GymZone;

/// A stretch of time in which a gym may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From this instant on.
    pub opens: Timestamp,
    /// Up to, not including, this one.
    pub closes: Timestamp,
}

/// The days and hours that a campaign calls in, on each gym's own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// On which days a window may open, at least one.
    pub days: Days,
    /// When it opens.
    pub from: Clock,
    /// When it closes: the next morning if that is earlier than `from`.
    pub to: Clock,
    /// Days on which none opens, whatever the day of the week.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub holidays: BTreeSet<Date>,
    /// Whether somebody has said by name that hours outside 08:00 to 21:00 are meant.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_outside_hours: bool,
}

/// Days of the week, written as `["mon", "tue"]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schema(value_type = Vec<String>, example = json!(["mon", "tue", "wed", "thu", "fri"]), min_items = 1)]
pub struct Days(BTreeSet<i8>);

/// A time of day in whole minutes, written as `HH:MM`; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock {
    minutes: i16,
}

/// Hours that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// It is no day.
    #[error("{0:?} is not a day: mon tue wed thu fri sat sun")]
    Day(String),
    /// There is none.
    #[error("at least one day is needed")]
    NoDay,
    /// It is no time.
    #[error("{0:?} is not a time of day: HH:MM, from 00:00 to 24:00")]
    Time(String),
    /// They open when they close.
    #[error("the window opens and closes at {0}: for a whole day use 00:00 to 24:00")]
    Empty(Clock),
    /// They open at the end of the day.
    #[error("24:00 is the end of a day: a window cannot open then")]
    OpensAtEnd,
    /// People are not called then unless somebody takes it upon himself.
    #[error("people are called from 08:00 to 21:00 only, unless allow_outside_hours is true")]
    OutsideHours,
}

/// Nobody is called before or after these without `allow_outside_hours`.
const EARLIEST: Clock = Clock { minutes: 8 * 60 };
const LATEST: Clock = Clock { minutes: 21 * 60 };
const MIDNIGHT: Clock = Clock { minutes: 24 * 60 };
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// How many days are looked through for the next window. A year of holidays is no window.
const HORIZON_DAYS: i64 = 366;
/// How long a window that several zones have in common is looked for: they have one on most days, or never.
const COMMON_WITHIN: SignedDuration = SignedDuration::from_hours(31 * 24);

// serde hands `skip_serializing_if` a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            days: Days((1..=7).collect()),
            from: Clock { minutes: 9 * 60 },
            to: Clock { minutes: 20 * 60 },
            holidays: BTreeSet::new(),
            allow_outside_hours: false,
        }
    }
}

impl Hours {
    /// Whether they can be kept at all, and may be.
    pub fn check(&self) -> Result<(), HoursError> {
        if self.from == MIDNIGHT {
            return Err(HoursError::OpensAtEnd);
        }
        if self.from == self.to {
            return Err(HoursError::Empty(self.from));
        }
        let past_midnight = self.to < self.from;
        if !self.allow_outside_hours && (past_midnight || self.from < EARLIEST || self.to > LATEST) {
            return Err(HoursError::OutsideHours);
        }
        Ok(())
    }

    /// The first window that has not closed by `now` in which every zone that the gym may be in allows a call. None if
    /// there is none within a year (a month, where there are several zones), or if a zone is not known to this machine.
    pub fn next(&self, zone: &GymZone, now: Timestamp) -> Option<Window> {
        let clocks = zone.clocks()?;
        let mut after = now;
        let horizon = now.checked_add(COMMON_WITHIN).unwrap_or(Timestamp::MAX);
        // Each round moves past the end of at least one zone's window, so this ends.
        while after < horizon || clocks.len() == 1 {
            let mut windows = clocks.iter().map(|clock| self.next_on(clock, after));
            let first = windows.next()??;
            let common = windows.try_fold(first, |common, window| {
                let window = window?;
                Some(Window { opens: common.opens.max(window.opens), closes: common.closes.min(window.closes) })
            })?;
            if common.opens < common.closes {
                return Some(common);
            }
            after = common.closes;
        }
        None
    }

    /// The first window on one clock that has not closed by `now`.
    fn next_on(&self, clock: &TimeZone, now: Timestamp) -> Option<Window> {
        let today = clock.to_datetime(now).date();
        // Yesterday's may still be open.
        let dates = (-1..HORIZON_DAYS).filter_map(|days| today.checked_add(days.days()).ok());
        dates.filter_map(|date| self.on(clock, date)).find(|window| window.closes > now)
    }

    /// The window that opens on `date`, if one does.
    fn on(&self, clock: &TimeZone, date: Date) -> Option<Window> {
        if !self.days.has(date.weekday()) || self.holidays.contains(&date) {
            return None;
        }
        let closing_day = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        // Where the clocks change, an hour is missing or there twice: it is not called in.
        let opens = self.from.on(date)?;
        let opens = clock.to_ambiguous_timestamp(opens).later().ok()?;
        let closes = clock.to_ambiguous_timestamp(self.to.on(closing_day)?).earlier().ok()?;
        (opens < closes).then_some(Window { opens, closes })
    }
}

impl Days {
    fn has(&self, day: Weekday) -> bool {
        self.0.contains(&day.to_monday_one_offset())
    }
}

impl TryFrom<Vec<String>> for Days {
    type Error = HoursError;

    fn try_from(names: Vec<String>) -> Result<Self, HoursError> {
        let day = |name: String| match (1..).zip(DAYS).find(|(_, day)| *day == name) {
            Some((number, _)) => Ok(number),
            None => Err(HoursError::Day(name)),
        };
        let days: BTreeSet<i8> = names.into_iter().map(day).collect::<Result<_, _>>()?;
        if days.is_empty() { Err(HoursError::NoDay) } else { Ok(Self(days)) }
    }
}

impl From<Days> for Vec<String> {
    fn from(days: Days) -> Self {
        (1..).zip(DAYS).filter(|(number, _)| days.0.contains(number)).map(|(_, day)| day.to_owned()).collect()
    }
}

impl Clock {
    /// This time of that day.
    fn on(self, date: Date) -> Option<jiff::civil::DateTime> {
        let date = if self == MIDNIGHT { date.tomorrow().ok()? } else { date };
        let minutes = self.minutes % MIDNIGHT.minutes;
        let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        Some(date.to_datetime(time))
    }
}

impl PartialSchema for Clock {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A time of day in whole minutes, written as `HH:MM`; `24:00` is the end of the day."))
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"))
            .examples(["09:00"])
            .into()
    }
}

impl ToSchema for Clock {}

impl FromStr for Clock {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let digits = |text: &str| match text.len() {
            2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i16>().ok(),
            _ => None,
        };
        let parts = text.split_once(':').and_then(|(hours, minutes)| Some((digits(hours)?, digits(minutes)?)));
        match parts {
            Some((hours, minutes)) if minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0)) => {
                Ok(Self { minutes: hours * 60 + minutes })
            }
            _ => Err(HoursError::Time(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Clock {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

#[cfg(test)]
mod tests;
