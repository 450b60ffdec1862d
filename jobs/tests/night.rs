//! Simulated nights: thousands of gyms in several time zones, called by the real ledger from the real embedded store,
//! through a night in which the clocks change.
#![allow(clippy::print_stdout, reason = "how far each forecast was off is worth reading")]

mod callee;
mod gyms;
mod judge;
mod world;

use gymcall_jobs::campaign::{Campaign, CampaignStatus, PausedReason};
use gymcall_jobs::forecast::StopReason;
use gymcall_jobs::outcome::SkipReason;
use gymcall_jobs::rules::Policy;
use gymcall_jobs::schedule::Schedule;
use gymcall_jobs::spend::Amount;
use gymcall_jobs::store::Capacity;
use gymcall_jobs::window::Hours;
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use self::callee::Habits;
use self::judge::{Allowed, USUAL};
use self::world::World;

/// Longer than any of these nights.
const FORTNIGHT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many times more there is to do with `GYMCALL_SOAK=1`.
#[allow(clippy::disallowed_methods, reason = "no setting of the program")]
fn scale() -> u32 {
    if std::env::var_os("GYMCALL_SOAK").is_some_and(|value| value == "1") { 10 } else { 1 }
}

fn at(text: &str) -> Timestamp {
    let (time, zone) = text.trim_end_matches(']').split_once('[').unwrap();
    TimeZone::get(zone).unwrap().to_timestamp(time.parse().unwrap()).unwrap()
}

fn hours(json: serde_json::Value) -> Hours {
    let hours: Hours = serde_json::from_value(json).unwrap();
    hours.check().unwrap();
    hours
}

/// A night to be lived through.
struct Night {
    begins: &'static str,
    gyms: u32,
    lines: u32,
    calls_per_second: f64,
    hours: Hours,
    allowed: Allowed,
}

impl Night {
    /// A thousand gyms from Saturday afternoon on, in the usual hours.
    fn that_begins(begins: &'static str) -> Self {
        Self { begins, gyms: 1_000, lines: 10, calls_per_second: 1.0, hours: Hours::default(), allowed: USUAL }
    }

    async fn lived(self, seed: u64) {
        let begins = at(self.begins);
        let capacity =
            Capacity { calls_per_second: self.calls_per_second * f64::from(scale()), lines: self.lines * scale() };
        let mut world = World::new(seed, begins, capacity, Habits::usual());
        let campaign = world.campaign(Policy { window: Some(self.hours), ..Policy::default() }, None).await;
        let gyms = gyms::gyms(self.gyms * scale(), &mut world.dice);
        let unknown = gyms.iter().filter(|gym| gym.timezone.is_none()).count() as u64;
        let suppressed: Vec<_> = gyms.iter().filter(|gym| gym.timezone.is_some()).step_by(50).collect();
        for gym in &suppressed {
            world.suppress(gym).await;
        }
        world.import(&campaign, gyms.clone()).await;
        let (forecast, _) = world.ledger.forecast(&campaign).await.unwrap();
        world.start(&campaign).await;
        world.live(begins + FORTNIGHT).await;

        judge::in_its_own_hours(&world, self.allowed);
        judge::once_each(&world, &world.jobs(&campaign).await, 3);
        assert_eq!(world.status(&campaign).await, CampaignStatus::Completed);
        let skipped = judge::nobody_was_lost(&world, &campaign, gyms.len()).await;
        assert_eq!(skipped[&SkipReason::NoTimezone], unknown);
        assert_eq!(skipped[&SkipReason::Suppressed], suppressed.len() as u64);
        assert_eq!(skipped, forecast.skipped);
        assert_eq!(forecast.gyms, gyms.len() as u64 - unknown - suppressed.len() as u64);
        judge::foretold(&forecast, &world, 0);
    }
}

#[tokio::test]
async fn in_the_night_when_the_clocks_go_back_every_gym_is_called_in_its_own_hours_as_foretold() {
    Night::that_begins("2026-10-31T16:00[America/New_York]").lived(1).await;
}

#[tokio::test]
async fn in_the_night_when_the_clocks_go_forward_too() {
    Night::that_begins("2027-03-13T16:00[America/New_York]").lived(2).await;
}

#[tokio::test]
async fn hours_past_midnight_are_kept_while_the_clocks_change() {
    // From 22:00 to 04:00 on each clock: an hour longer where it goes back, an hour shorter where it goes forward.
    let (seeds, nights) = ([3, 4], ["2026-10-31T18:00[America/New_York]", "2027-03-13T18:00[America/New_York]"]);
    for (seed, begins) in seeds.into_iter().zip(nights) {
        let hours = hours(json!({"from": "22:00", "to": "04:00", "allow_outside_hours": true}));
        let allowed = Allowed { from: time(22, 0, 0, 0), to: time(4, 0, 0, 0) };
        Night { gyms: 500, lines: 8, hours, allowed, ..Night::that_begins(begins) }.lived(seed).await;
    }
}

#[tokio::test]
async fn a_slow_pace_and_many_lines_are_foretold_as_well_as_few_lines() {
    for (seed, lines, calls_per_second) in [(5, 200, 0.05), (6, 2, 5.0)] {
        let night = Night::that_begins("2026-10-30T12:00[America/New_York]");
        Night { gyms: 300, lines, calls_per_second, ..night }.lived(seed).await;
    }
}

/// Those of a city where hardly anybody picks up.
#[tokio::test]
async fn what_was_learned_from_the_first_calls_makes_the_forecast_of_the_rest_right() {
    let habits = Habits { answered: 250, voicemail: 100, busy: 150, no_answer: 450, talk: (150, 230) };
    let capacity = Capacity { calls_per_second: 1.0, lines: 10 };
    let mut world = World::new(7, at("2026-10-30T09:00[America/New_York]"), capacity, habits);
    let campaign = world.campaign(Policy { window: Some(Hours::default()), ..Policy::default() }, None).await;
    let gyms = gyms::gyms(900, &mut world.dice);
    world.import(&campaign, gyms.clone()).await;
    world.start(&campaign).await;
    // In the middle of the day, with calls under way and gyms that wait for another try.
    world.live(at("2026-10-30T11:00[America/New_York]")).await;
    let spent = world.cost;
    let (forecast, _) = world.ledger.forecast(&campaign).await.unwrap();
    assert!(forecast.calls_seen > 300, "{} calls", forecast.calls_seen);
    world.live(world.now() + FORTNIGHT).await;
    judge::in_its_own_hours(&world, USUAL);
    judge::once_each(&world, &world.jobs(&campaign).await, 3);
    judge::nobody_was_lost(&world, &campaign, gyms.len()).await;
    judge::foretold(&forecast, &world, spent);
}

#[tokio::test]
async fn hours_that_change_in_the_middle_of_the_day_hold_at_once() {
    let capacity = Capacity { calls_per_second: 1.0, lines: 10 };
    let mut world = World::new(8, at("2026-10-31T09:00[America/New_York]"), capacity, Habits::usual());
    let campaign = world.campaign(Policy { window: Some(Hours::default()), ..Policy::default() }, None).await;
    let gyms = gyms::gyms(400, &mut world.dice);
    world.import(&campaign, gyms.clone()).await;
    world.start(&campaign).await;
    world.live(at("2026-10-31T10:00[America/New_York]")).await;
    judge::in_its_own_hours(&world, USUAL);
    let before = std::mem::take(&mut world.dials);
    assert!(before.len() > 100);

    world.change_hours(&campaign, hours(json!({"from": "15:00", "to": "18:00"}))).await;
    world.live(world.now() + FORTNIGHT).await;
    judge::in_its_own_hours(&world, Allowed { from: time(15, 0, 0, 0), to: time(18, 0, 0, 0) });
    world.dials.splice(0..0, before);
    judge::once_each(&world, &world.jobs(&campaign).await, 3);
    judge::nobody_was_lost(&world, &campaign, gyms.len()).await;
}

#[tokio::test]
async fn three_nights_with_a_change_of_the_clocks_between_them_are_three_runs_that_call_every_gym() {
    let capacity = Capacity { calls_per_second: 1.0, lines: 10 };
    let mut world = World::new(9, at("2026-10-30T12:00[America/New_York]"), capacity, Habits::usual());
    let window = hours(json!({"from": "22:00", "to": "04:00", "allow_outside_hours": true}));
    let allowed = Allowed { from: time(22, 0, 0, 0), to: time(4, 0, 0, 0) };
    // On the second night that hour is there twice.
    let nightly: Schedule =
        serde_json::from_value(json!({"cron": "30 1 * * *", "timezone": "America/New_York"})).unwrap();
    let campaign = world.campaign(Policy { window: Some(window), ..Policy::default() }, Some(nightly)).await;
    let gyms = gyms::gyms(250, &mut world.dice);
    world.import(&campaign, gyms.clone()).await;
    let (before_the_start, terms) = world.ledger.forecast(&campaign).await.unwrap();
    let nights =
        ["2026-10-31T01:30[America/New_York]", "2026-11-01T05:30[UTC]", "2026-11-02T01:30[America/New_York]"].map(at);
    assert_eq!((terms.from, before_the_start.starts_at), (nights[0], Some(nights[0])));
    world.start(&campaign).await;

    let mut seen = 0;
    for (number, night) in nights.into_iter().enumerate() {
        let (forecast, _) = world.ledger.forecast(&world.read(&campaign).await).await.unwrap();
        let (spent, calls_seen) = (world.cost, forecast.calls_seen);
        assert!(if number == 0 { calls_seen == 0 } else { calls_seen > 200 }, "{calls_seen}");
        // Until shortly before the next one.
        world.live(night + SignedDuration::from_mins(23 * 60 + 55)).await;
        let run = world.read(&campaign).await.run;
        let runs = world.ledger.store().runs(&campaign.id, None, 10).await.unwrap().items;
        assert_eq!((runs.len(), &runs[0].id, runs[0].due_at), (number + 1, &run, Some(night)));
        let of_this_run = Campaign { run, ..campaign.clone() };
        judge::in_its_own_hours(&world, allowed);
        judge::once_each(&world, &world.jobs(&of_this_run).await, 3);
        judge::nobody_was_lost(&world, &of_this_run, gyms.len()).await;
        judge::foretold(&forecast, &world, spent);
        assert_eq!(world.status(&campaign).await, CampaignStatus::Scheduled);
        seen += world.dials.len();
        world.dials.clear();
    }
    assert!(seen > 750, "{seen} calls");
}

#[tokio::test]
async fn a_spend_cap_ends_the_night_where_it_was_foretold() {
    let capacity = Capacity { calls_per_second: 1.0, lines: 10 };
    let mut world = World::new(10, at("2026-10-31T16:00[America/New_York]"), capacity, Habits::usual());
    let cap = Amount::from_micros(5_000_000);
    let policy = Policy { window: Some(Hours::default()), spend_cap: Some(cap), ..Policy::default() };
    let campaign = world.campaign(policy, None).await;
    let gyms = gyms::gyms(600, &mut world.dice);
    world.import(&campaign, gyms).await;
    let (forecast, _) = world.ledger.forecast(&campaign).await.unwrap();
    world.start(&campaign).await;
    world.live(world.now() + FORTNIGHT).await;

    judge::in_its_own_hours(&world, USUAL);
    judge::once_each(&world, &world.jobs(&campaign).await, 3);
    assert_eq!(world.read(&campaign).await.paused_reason(), Some(PausedReason::Budget));
    assert!(world.cost <= cap.micros(), "{} was spent", world.cost);
    let stop = forecast.stop.unwrap();
    assert_eq!(stop.reason, StopReason::Budget);
    judge::foretold(&forecast, &world, 0);
    assert!((forecast.calls.expected as f64 / world.dials.len() as f64 - 1.0).abs() < 0.1);
}
