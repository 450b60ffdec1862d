//! When a campaign's runs begin: once at a time, or by a cron pattern on the clock of a time zone.
//!
//! Clocks change. A time of day that a change skips (`30 2 * * *` in spring) comes right after the gap, one that is
//! there twice (in autumn) comes once, the first time. A pattern with `*` or `*/n` in its hours or minutes counts
//! intervals instead: it has nothing to make up for in spring, and goes on through the doubled hour in autumn.

mod cron;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use self::cron::Pattern;
use crate::outcome::words;
use crate::zone::TimeZoneName;

/// When a campaign's runs begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSchedule", into = "WrittenSchedule")]
pub struct Schedule {
    times: Times,
    missed: Missed,
}

#[derive(Debug, Clone, PartialEq)]
enum Times {
    Once(Timestamp),
    Cron { pattern: Pattern, timezone: TimeZoneName },
}

words!(
    /// What becomes of a time at which nothing of ours was running.
    Missed {
        /// One run makes up for it, however many times were missed.
        RunOnce = "run_once",
        /// It is let go.
        Skip = "skip",
    }
);

/// A schedule as people and files write it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Schedule)]
#[serde(deny_unknown_fields)]
pub struct WrittenSchedule {
    /// The one time, as an instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The times, as five cron fields: minute, hour, day of the month, month, day of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The IANA time zone on whose clock the pattern is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What becomes of missed times; without it `run_once`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
}

/// A schedule that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It names no time.
    #[error("a schedule needs `at`, or `cron` and `timezone`")]
    NoTime,
    /// It names times in both ways.
    #[error("a schedule has either `at` or `cron`, not both")]
    TwoTimes,
    /// It has a pattern, and no zone on whose clock that is.
    #[error("`cron` needs a `timezone`, an IANA name such as America/New_York")]
    NoZone,
    /// It has a zone, and no pattern.
    #[error("`timezone` belongs to `cron`; `at` is an instant with its own offset")]
    ZoneOfInstant,
    /// The pattern cannot be read, or never comes.
    #[error("{0}")]
    Cron(String),
    /// There is no such zone.
    #[error("{0:?} is not an IANA time zone such as America/New_York")]
    Zone(String),
}

impl ScheduleError {
    /// The field that is wrong; empty where it is the whole.
    pub const fn field(&self) -> &'static str {
        match self {
            ScheduleError::NoTime => "",
            ScheduleError::TwoTimes | ScheduleError::Cron(_) => "cron",
            ScheduleError::NoZone | ScheduleError::ZoneOfInstant | ScheduleError::Zone(_) => "timezone",
        }
    }
}

impl Schedule {
    /// Once, at this time.
    pub const fn once(at: Timestamp) -> Self {
        Self { times: Times::Once(at), missed: Missed::RunOnce }
    }

    /// The first time after `after`, strictly; none if none comes any more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.times {
            Times::Once(at) => (*at > after).then_some(*at),
            // A zone that this machine's database has lost: better no run than one at a wrong hour.
            Times::Cron { pattern, timezone } => {
                pattern.next(&after.to_zoned_datetime(TimeZone::get(timezone.as_str()).ok()?))
            }
        }
    }

    /// The first time for a campaign that is started at `now`: one that is past already is now.
    pub fn first(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.times {
            Times::Once(at) => Some(now.max(*at)),
            Times::Cron { .. } => self.next(now),
        }
    }

    /// The one time, where there is but one.
    pub const fn at(&self) -> Option<Timestamp> {
        match &self.times {
            Times::Once(at) => Some(*at),
            Times::Cron { .. } => None,
        }
    }

    /// What becomes of missed times.
    pub const fn missed(&self) -> Missed {
        self.missed
    }

    /// The zone on whose clock it is, where it is on one.
    pub const fn timezone(&self) -> Option<&TimeZoneName> {
        match &self.times {
            Times::Once(_) => None,
            Times::Cron { timezone, .. } => Some(timezone),
        }
    }
}

impl TryFrom<WrittenSchedule> for Schedule {
    type Error = ScheduleError;

    fn try_from(written: WrittenSchedule) -> Result<Self, ScheduleError> {
        let WrittenSchedule { at, cron, timezone, missed } = written;
        let times = match (at, cron, timezone) {
            (Some(_), Some(_), _) => return Err(ScheduleError::TwoTimes),
            (None, None, _) => return Err(ScheduleError::NoTime),
            (Some(_), None, Some(_)) => return Err(ScheduleError::ZoneOfInstant),
            (None, Some(_), None) => return Err(ScheduleError::NoZone),
            (Some(at), None, None) => Times::Once(at),
            (None, Some(cron), Some(timezone)) => Times::Cron {
                pattern: cron.parse().map_err(ScheduleError::Cron)?,
                timezone: timezone.parse().map_err(|_| ScheduleError::Zone(timezone))?,
            },
        };
        Ok(Self { times, missed: missed.unwrap_or(Missed::RunOnce) })
    }
}

impl From<Schedule> for WrittenSchedule {
    fn from(schedule: Schedule) -> Self {
        let missed = Some(schedule.missed);
        match schedule.times {
            Times::Once(at) => Self { at: Some(at), missed, ..Self::default() },
            Times::Cron { pattern, timezone } => {
                let (cron, timezone) = (Some(pattern.to_string()), Some(timezone.as_str().to_owned()));
                Self { cron, timezone, missed, at: None }
            }
        }
    }
}
