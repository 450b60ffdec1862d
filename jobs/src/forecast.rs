//! What a run will come to, before it does: when it ends, what it costs, who is not called and why.
//!
//! Pure: the gyms still to be called, counted ([`Outlook`]), the terms of the calls ([`Terms`]) and what calls were
//! like so far go in. Three courses are played, call by call, by the rules that the real run follows: hours, pace,
//! lines, tries and waits. In one everything goes as expected; in the others it all goes better, or worse, by as much
//! as is in doubt.

mod course;
mod expectation;
mod outlook;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use expectation::{Expectations, Expected, Experience};
pub use outlook::Outlook;

use self::course::{Course, Outcome};
use crate::outcome::SkipReason;
use crate::spend::Amount;
use crate::window::Hours;

/// By what a run is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Not before this: now, or when the run is to start.
    pub from: Timestamp,
    /// The hours that are kept, if any.
    pub hours: Option<Hours>,
    /// Calls begun per second, by the account's pace or the campaign's own.
    pub calls_per_second: f64,
    /// Calls at once, the same.
    pub lines: u32,
    /// How often a gym is tried.
    pub max_attempts: u32,
    /// How long after a busy line or no answer it is tried again.
    pub redial_after: SignedDuration,
    /// What a begun minute costs.
    pub price_per_minute: Amount,
    /// What is set aside for a call that goes on.
    pub reserve: Amount,
    /// What the calls of the run that are over have cost.
    pub spent: Amount,
    /// What the run may spend.
    pub spend_cap: Option<Amount>,
    /// How many calls it may begin on one day.
    pub calls_per_day: Option<u32>,
    /// How many of those it has begun on the day of `from`.
    pub begun_today: u32,
    /// Where that day begins.
    pub days_in: TimeZone,
}

/// What a run will come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// How many gyms are still to be called, those included that are being called.
    pub gyms: u64,
    /// When the first call begins; none if there is none.
    pub starts_at: Option<Timestamp>,
    /// When the last call ends; none if there is none, or none within a year.
    pub finish_at: Option<Timestamp>,
    /// The same if all goes better, and worse.
    pub finish_range: Option<(Timestamp, Timestamp)>,
    /// How many calls begin.
    pub calls: Ranged<u64>,
    /// What they cost.
    pub cost: Ranged<Amount>,
    /// Gyms that will not be called, or were not, by the reason.
    pub skipped: HashMap<SkipReason, u64>,
    /// What keeps it from calling everybody, or everybody today.
    pub stop: Option<Stop>,
    /// The same by time zone, the first to be called first.
    pub by_zone: Vec<ZoneForecast>,
    /// How calls are expected to go.
    pub expectations: Expectations,
    /// By how many calls of this campaign that was found out; 0 where it is the usual.
    pub calls_seen: u64,
}

/// A number that is expected, and what it may be instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranged<T> {
    /// What is expected.
    pub expected: T,
    /// What it is at least.
    pub least: T,
    /// What it is at most.
    pub most: T,
}

/// What a limit does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Which one.
    pub reason: StopReason,
    /// When it is met for the first time.
    pub at: Timestamp,
    /// How many gyms are still to be called then.
    pub gyms_left: u64,
}

/// Which limit stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The spend cap, for good.
    Budget,
    /// The calls of one day, until the next.
    DailyLimit,
    /// It would take more than a year.
    TooLong,
}

/// The forecast for the gyms of one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneForecast {
    /// Its name; several where the gyms may be in any of them; empty where no hours are kept.
    pub timezone: String,
    /// How many gyms.
    pub gyms: u64,
    /// When the first of them is called.
    pub starts_at: Option<Timestamp>,
    /// When the last call to them ends.
    pub finish_at: Option<Timestamp>,
}

/// The forecast of a run.
pub fn forecast(terms: &Terms, outlook: &Outlook) -> Forecast {
    let expectations = outlook.experience.expectations();
    let doubt = outlook.experience.doubt();
    let [expected, better, worse] =
        [1.0, 1.0 - doubt, 1.0 + doubt].map(|factor| Course::run(terms, outlook, &expectations.times(factor)));
    let finishes = [&expected, &better, &worse].map(finish);
    let finish_range = finishes.iter().flatten().min().zip(finishes.iter().flatten().max());
    let mut skipped = outlook.skipped.clone();
    if expected.outside > 0 {
        *skipped.entry(SkipReason::OutsideWindow).or_default() += expected.outside;
    }
    let mut by_zone: Vec<ZoneForecast> = expected
        .zones
        .iter()
        .zip(&outlook.zones)
        .filter(|(outcome, _)| outcome.gyms > 0)
        .map(|(outcome, zone)| ZoneForecast {
            timezone: zone.name.clone(),
            gyms: outcome.gyms,
            starts_at: outcome.first,
            finish_at: outcome.last,
        })
        .collect();
    by_zone.sort_by(|one, other| (one.starts_at, &one.timezone).cmp(&(other.starts_at, &other.timezone)));
    let all = [&expected, &better, &worse];
    Forecast {
        gyms: expected.zones.iter().map(|zone| zone.gyms).sum::<u64>() - expected.outside,
        starts_at: expected.zones.iter().filter_map(|zone| zone.first).min(),
        finish_at: finishes[0],
        finish_range: finish_range.map(|(from, to)| (*from, *to)),
        calls: ranged(all.map(|course| course.calls)),
        cost: ranged(all.map(|course| Amount::from_micros(course.cost.round() as i64))),
        skipped,
        stop: expected.stop,
        by_zone,
        expectations,
        calls_seen: outlook.calls_seen(),
    }
}

fn finish(course: &Outcome) -> Option<Timestamp> {
    if course.stop.is_some_and(|stop| stop.reason == StopReason::TooLong) {
        return None;
    }
    course.zones.iter().filter_map(|zone| zone.last).max()
}

fn ranged<T: Ord + Copy>([expected, one, other]: [T; 3]) -> Ranged<T> {
    Ranged { expected, least: expected.min(one).min(other), most: expected.max(one).max(other) }
}
