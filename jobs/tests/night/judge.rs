//! What must be true of a night, judged by the dials that began, the records, and the gyms' own clocks.

use std::collections::HashMap;

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::forecast::Forecast;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::outcome::{Outcome, SkipReason};
use jiff::Timestamp;
use jiff::civil::{Time, time};
use jiff::tz::TimeZone;

use super::world::World;

/// Hours that a gym may be called in, as a person would write them down.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    pub from: Time,
    pub to: Time,
}

pub const USUAL: Allowed = Allowed { from: time(9, 0, 0, 0), to: time(20, 0, 0, 0) };

impl Allowed {
    fn has(self, time: Time) -> bool {
        if self.from < self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

/// Every dial was within the hours, by every clock that the gym may have.
pub fn in_its_own_hours(world: &World, allowed: Allowed) {
    for dial in &world.dials {
        let zones = dial.gym.timezone.as_ref().map(|zone| zone.candidates()).unwrap_or_default();
        assert!(!zones.is_empty(), "{:?}: nobody knows its hours", dial.gym.phone);
        for zone in zones {
            let there = TimeZone::get(zone.as_str()).unwrap().to_datetime(dial.at);
            assert!(allowed.has(there.time()), "{:?} was called at {there}", dial.gym.phone);
        }
    }
}

/// Each attempt was dialled once, the records know of every dial, and nobody was called again too soon or too often.
pub fn once_each(world: &World, jobs: &[CallJob], max_attempts: usize) {
    let mut dials: HashMap<_, Vec<(usize, Timestamp)>> = HashMap::new();
    for dial in &world.dials {
        dials.entry(dial.job.clone()).or_default().push((dial.attempt, dial.at));
    }
    for job in jobs {
        let begun = dials.remove(job.id()).unwrap_or_default();
        let attempts: Vec<_> =
            job.attempts().iter().enumerate().map(|(nth, attempt)| (nth + 1, attempt.begun_at)).collect();
        assert_eq!(begun, attempts, "{:?}", job.gym().phone);
        assert!(attempts.len() <= max_attempts, "{:?}", job.gym().phone);
        for pair in attempts.windows(2) {
            assert!(pair[1].1.duration_since(pair[0].1).as_mins() >= 60, "{:?}: {attempts:?}", job.gym().phone);
        }
    }
    assert!(dials.is_empty(), "calls that are on no record: {dials:?}");
}

/// Every gym of the campaign's run has come to an end. Gives how many were skipped, by the reason.
pub async fn nobody_was_lost(world: &World, campaign: &Campaign, gyms: usize) -> HashMap<SkipReason, u64> {
    let jobs = world.jobs(campaign).await;
    assert_eq!(jobs.len(), gyms);
    let mut skipped = HashMap::new();
    for job in &jobs {
        match job.outcome() {
            Some(Outcome::Skipped(reason)) => *skipped.entry(*reason).or_default() += 1,
            Some(Outcome::Answered(_) | Outcome::GaveUp(_)) => assert!(!job.attempts().is_empty()),
            other => panic!("{:?} ended as {other:?}", job.gym().phone),
        }
    }
    skipped
}

/// The forecast was right within a tenth: of the time from its first call on, and of what was paid after `spent`.
pub fn foretold(forecast: &Forecast, world: &World, spent: i64) {
    let (first, told, came) = (forecast.starts_at.unwrap(), forecast.finish_at.unwrap(), world.last_end.unwrap());
    let lasts = |end: Timestamp| end.duration_since(first).as_secs_f64();
    let late = lasts(told) / lasts(came) - 1.0;
    let (dear, paid) = (forecast.cost.expected.micros() as f64, (world.cost - spent) as f64);
    let told_of =
        format!("finish {late:+.3} ({told}, was {came}), cost {:+.3}, {:?}", dear / paid - 1.0, forecast.calls);
    println!("{} calls; {told_of}", world.dials.len());
    assert!(late.abs() <= 0.1 && (dear / paid - 1.0).abs() <= 0.1, "{told_of}");
}
