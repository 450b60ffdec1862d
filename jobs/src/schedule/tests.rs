use proptest::prelude::*;

use super::*;

fn cron(pattern: &str, timezone: &str) -> Schedule {
    let (cron, timezone) = (Some(pattern.to_owned()), Some(timezone.to_owned()));
    WrittenSchedule { cron, timezone, ..WrittenSchedule::default() }.try_into().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The times that follow, as its zone's clock shows them.
fn times(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let zone = TimeZone::get(schedule.timezone().unwrap().as_str()).unwrap();
    let next = |after: &Timestamp| schedule.next(*after);
    let times = std::iter::successors(schedule.next(at(after)), next).take(count);
    times.map(|time| time.to_zoned_datetime(zone.clone()).strftime("%F %H:%M %z").to_string()).collect()
}

#[test]
fn a_time_of_day_that_a_clock_change_skips_comes_once_right_after_the_gap() {
    let berlin = cron("30 2 * * *", "Europe/Berlin");
    let nights = ["2026-03-28 02:30 +0100", "2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"];
    assert_eq!(times(&berlin, "2026-03-27T12:00:00Z", 3), nights);
    let new_york = cron("30 2 * * *", "America/New_York");
    let nights = ["2026-03-07 02:30 -0500", "2026-03-08 03:00 -0400", "2026-03-09 02:30 -0400"];
    assert_eq!(times(&new_york, "2026-03-06T12:00:00Z", 3), nights);
}

#[test]
fn a_time_of_day_that_is_there_twice_comes_once() {
    let berlin = cron("30 2 * * *", "Europe/Berlin");
    let nights = ["2026-10-24 02:30 +0200", "2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"];
    assert_eq!(times(&berlin, "2026-10-23T12:00:00Z", 3), nights);
    // Also for whoever asks only in between, or in the middle of the doubled hour.
    for asked in ["2026-10-25T00:30:00Z", "2026-10-25T00:59:59.999Z", "2026-10-25T01:29:00Z"] {
        assert_eq!(times(&berlin, asked, 1), nights[2..], "{asked}");
    }
    let new_york = cron("30 1 * * *", "America/New_York");
    let nights = ["2026-10-31 01:30 -0400", "2026-11-01 01:30 -0400", "2026-11-02 01:30 -0500"];
    assert_eq!(times(&new_york, "2026-10-30T12:00:00Z", 3), nights);
}

#[test]
fn the_hour_stays_the_same_on_the_clock_through_both_changes() {
    let berlin = cron("0 22 * * mon-fri", "Europe/Berlin");
    let nights = ["2026-03-27 22:00 +0100", "2026-03-30 22:00 +0200", "2026-03-31 22:00 +0200"];
    assert_eq!(times(&berlin, "2026-03-27T00:00:00Z", 3), nights);
    let nights = ["2026-10-23 22:00 +0200", "2026-10-26 22:00 +0100"];
    assert_eq!(times(&berlin, "2026-10-23T00:00:00Z", 2), nights);
}

#[test]
fn an_interval_goes_on_through_the_doubled_hour() {
    let berlin = cron("*/30 1-3 * * *", "Europe/Berlin");
    let autumn = ["02:00 +0200", "02:30 +0200", "02:00 +0100", "02:30 +0100", "03:00 +0100"];
    assert_eq!(times(&berlin, "2026-10-24T23:30:00Z", 5), autumn.map(|time| format!("2026-10-25 {time}")));
    let spring = ["01:30 +0100", "03:00 +0200", "03:30 +0200"];
    assert_eq!(times(&berlin, "2026-03-29T00:00:00Z", 3), spring.map(|time| format!("2026-03-29 {time}")));
}

#[test]
fn what_cannot_be_kept_is_refused_by_the_name_of_its_field() {
    let written = |at: Option<&str>, cron: Option<&str>, zone: Option<&str>| WrittenSchedule {
        at: at.map(super::tests::at),
        cron: cron.map(str::to_owned),
        timezone: zone.map(str::to_owned),
        missed: None,
    };
    let berlin = Some("Europe/Berlin");
    for (schedule, field) in [
        (written(None, None, None), ""),
        (written(None, None, berlin), ""),
        (written(Some("2026-01-01T00:00:00Z"), Some("0 0 * * *"), berlin), "cron"),
        (written(Some("2026-01-01T00:00:00Z"), None, berlin), "timezone"),
        (written(None, Some("0 0 * * *"), None), "timezone"),
        (written(None, Some("0 0 * * *"), Some("EST")), "timezone"),
        (written(None, Some("0 0 * * *"), Some("Europe/Atlantis")), "timezone"),
        (written(None, Some(""), berlin), "cron"),
        (written(None, Some("nightly"), berlin), "cron"),
        (written(None, Some("0 24 * * *"), berlin), "cron"),
        (written(None, Some("0 0 * *"), berlin), "cron"),
        (written(None, Some("0 0 0 * * *"), berlin), "cron"),
        (written(None, Some("0 0 30 2 *"), berlin), "cron"),
    ] {
        let refused = Schedule::try_from(schedule.clone()).expect_err(&format!("{schedule:?}"));
        assert_eq!(refused.field(), field, "{schedule:?}: {refused}");
    }
}

#[test]
fn a_stored_schedule_is_read_back_as_it_was() {
    for schedule in [cron("15 4 29 2 *", "America/New_York"), Schedule::once(at("2026-05-01T20:00:00Z"))] {
        let stored = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&stored).unwrap(), schedule, "{stored}");
    }
    assert_eq!(times(&cron("15 4 29 2 *", "America/New_York"), "2026-05-01T00:00:00Z", 1), ["2028-02-29 04:15 -0500"]);
}

#[test]
fn one_time_comes_once_and_a_late_start_does_not_lose_it() {
    let once = Schedule::once(at("2026-05-01T20:00:00Z"));
    let (before, after) = (at("2026-05-01T19:59:59Z"), at("2026-05-01T20:00:00Z"));
    assert_eq!((once.next(before), once.next(after)), (Some(after), None));
    assert_eq!(once.first(before), Some(after));
    assert_eq!(once.first(at("2026-05-03T00:00:00Z")), Some(at("2026-05-03T00:00:00Z")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Strictly later, the same whenever asked, none left out in between, and on the pattern by the zone's clock,
    /// unless a clock change has skipped that time: then right after the gap.
    #[test]
    fn the_next_time_is_the_first_later_one_on_its_zones_clock(
        (minute, hour) in (0_i8..60, 0_i8..24),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
        after in 1_700_000_000_000_i64..1_900_000_000_000,
    ) {
        let schedule = cron(&format!("{minute} {hour} * * *"), zone);
        let after = Timestamp::from_millisecond(after).unwrap();
        let next = schedule.next(after).unwrap();
        prop_assert!(next > after);
        prop_assert_eq!(schedule.next(after), Some(next));
        let between = after + (next.duration_since(after) / 2);
        if between < next {
            prop_assert_eq!(schedule.next(between), Some(next), "asked in between");
        }
        let clock = next.to_zoned_datetime(TimeZone::get(zone).unwrap());
        let wanted = clock.date().at(hour, minute, 0, 0);
        let found = clock.time_zone().to_ambiguous_zoned_datetime(wanted);
        match found.offset() {
            jiff::tz::AmbiguousOffset::Gap { .. } => {
                let before = (next - jiff::SignedDuration::from_secs(1)).to_zoned_datetime(clock.time_zone().clone());
                prop_assert!(before.datetime() < wanted && wanted < clock.datetime(), "{}", clock);
            }
            _ => prop_assert_eq!(next, found.earlier().unwrap().timestamp()),
        }
        prop_assert!(next.duration_since(after) <= jiff::SignedDuration::from_hours(26), "a day was left out");
    }
}
