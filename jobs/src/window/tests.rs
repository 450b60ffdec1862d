use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;
use crate::zone::{TimeZoneName, ZoneSource};

fn zone(name: &str) -> GymZone {
    let name: TimeZoneName = name.parse().unwrap();
    GymZone::named(name, ZoneSource::Csv)
}

fn several(names: &[&str]) -> GymZone {
    serde_json::from_value(serde_json::json!({ "candidates": names, "source": "number" })).unwrap()
}

fn hours(from: &str, to: &str) -> Hours {
    Hours { from: from.parse().unwrap(), to: to.parse().unwrap(), allow_outside_hours: true, ..Hours::default() }
}

fn days(names: &[&str]) -> Days {
    names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().try_into().unwrap()
}

fn at(text: &str) -> Timestamp {
    let (time, zone) = text.trim_end_matches(']').split_once('[').unwrap();
    TimeZone::get(zone).unwrap().to_timestamp(time.parse::<DateTime>().unwrap()).unwrap()
}

/// The next window, as local times of `clock`.
fn next(hours: &Hours, zone: &GymZone, now: &str, clock: &str) -> Option<(String, String)> {
    let clock = TimeZone::get(clock).unwrap();
    let show = |at: Timestamp| {
        let offset = clock.to_offset(at).seconds();
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        let wall = clock.to_datetime(at).strftime("%a %d %H:%M").to_string();
        format!("{wall} {sign}{:02}:{:02}", minutes / 60, minutes % 60)
    };
    hours.next(zone, at(now)).map(|window| (show(window.opens), show(window.closes)))
}

fn window(opens: &str, closes: &str) -> Option<(String, String)> {
    Some((opens.to_owned(), closes.to_owned()))
}

#[test]
fn the_window_is_on_the_gyms_own_clock() {
    let (usual, chicago) = (Hours::default(), "America/Chicago");
    for (now, opens, closes) in [
        ("2026-11-27T05:00[America/Chicago]", "Fri 27 09:00 -06:00", "Fri 27 20:00 -06:00"),
        ("2026-11-27T09:00[America/Chicago]", "Fri 27 09:00 -06:00", "Fri 27 20:00 -06:00"),
        ("2026-11-27T19:59:59[America/Chicago]", "Fri 27 09:00 -06:00", "Fri 27 20:00 -06:00"),
        // The end does not belong to it.
        ("2026-11-27T20:00[America/Chicago]", "Sat 28 09:00 -06:00", "Sat 28 20:00 -06:00"),
    ] {
        assert_eq!(next(&usual, &zone(chicago), now, chicago), window(opens, closes), "{now}");
    }
}

#[test]
fn days_and_holidays_are_left_out() {
    let weekdays = Hours {
        days: days(&["mon", "tue", "wed", "thu", "fri"]),
        holidays: ["2026-11-30".parse().unwrap()].into(),
        ..Hours::default()
    };
    let there = "America/New_York";
    let found = next(&weekdays, &zone(there), "2026-11-27T21:00[America/New_York]", there);
    assert_eq!(found, window("Tue 01 09:00 -05:00", "Tue 01 20:00 -05:00"));
}

#[test]
fn a_window_may_go_past_midnight_and_belongs_to_the_day_it_opens_on() {
    let night = Hours { days: days(&["fri"]), ..hours("22:00", "02:00") };
    let there = "Europe/London";
    let found = next(&night, &zone(there), "2026-11-28T01:30[Europe/London]", there);
    assert_eq!(found, window("Fri 27 22:00 +00:00", "Sat 28 02:00 +00:00"));
    let found = next(&night, &zone(there), "2026-11-28T02:00[Europe/London]", there);
    assert_eq!(found, window("Fri 04 22:00 +00:00", "Sat 05 02:00 +00:00"));
}

#[test]
fn the_hour_that_is_missing_or_there_twice_is_not_called_in() {
    let there = "America/New_York";
    // 8 March 2026: 02:00 becomes 03:00.
    let found = next(&hours("02:30", "12:00"), &zone(there), "2026-03-08T00:00[America/New_York]", there);
    assert_eq!(found, window("Sun 08 03:30 -04:00", "Sun 08 12:00 -04:00"));
    let found = next(&hours("01:00", "02:30"), &zone(there), "2026-03-08T00:00[America/New_York]", there);
    assert_eq!(found, window("Sun 08 01:00 -05:00", "Sun 08 01:30 -05:00"));
    // 1 November 2026: 02:00 becomes 01:00 again.
    let found = next(&hours("01:30", "12:00"), &zone(there), "2026-11-01T00:00[America/New_York]", there);
    assert_eq!(found, window("Sun 01 01:30 -05:00", "Sun 01 12:00 -05:00"));
    let found = next(&hours("00:00", "01:30"), &zone(there), "2026-11-01T00:00[America/New_York]", there);
    assert_eq!(found, window("Sun 01 00:00 -04:00", "Sun 01 01:30 -04:00"));
}

#[test]
fn a_day_is_whole_from_00_00_to_24_00() {
    let there = "America/New_York";
    let found = next(&hours("00:00", "24:00"), &zone(there), "2026-11-01T12:00[America/New_York]", there);
    assert_eq!(found, window("Sun 01 00:00 -04:00", "Mon 02 00:00 -05:00"));
}

#[test]
fn of_several_zones_all_must_allow_it() {
    let florida = several(&["America/Chicago", "America/New_York"]);
    let found = next(&Hours::default(), &florida, "2026-11-27T00:00[America/Chicago]", "America/Chicago");
    assert_eq!(found, window("Fri 27 09:00 -06:00", "Fri 27 19:00 -06:00"));
    // Half a world apart there is no such hour.
    let anywhere = several(&["Europe/London", "Pacific/Auckland"]);
    assert_eq!(hours("10:00", "12:00").next(&anywhere, at("2026-11-27T00:00[UTC]")), None);
}

#[test]
fn a_number_that_may_ring_anywhere_in_the_country_has_hours_all_year() {
    let gym = crate::gym::Gym::new(serde_json::from_value("+18005550101".into()).unwrap());
    let zone = GymZone::guess(&gym).unwrap();
    for day in ["2026-01-15", "2026-03-08", "2026-07-01", "2026-11-01", "2026-12-01"] {
        let found = Hours::default().next(&zone, at(&format!("{day}T00:00[America/New_York]"))).unwrap();
        assert!(found.closes.duration_since(found.opens) >= SignedDuration::from_hours(4), "{day} {found:?}");
    }
}

#[test]
fn a_year_without_a_day_is_no_window() {
    let first: Date = "2026-11-27".parse().unwrap();
    let holidays = (0..400).map(|days| first.checked_add(days.days()).unwrap()).collect();
    let never = Hours { holidays, ..Hours::default() };
    assert_eq!(never.next(&zone("America/Chicago"), at("2026-11-27T12:00[UTC]")), None);
}

#[test]
fn hours_that_cannot_be_kept_are_refused() {
    let unasked = |from, to| Hours { allow_outside_hours: false, ..hours(from, to) }.check();
    assert_eq!(unasked("08:00", "21:00"), Ok(()));
    for (from, to) in [("07:59", "20:00"), ("09:00", "21:01"), ("20:00", "09:00"), ("09:00", "24:00")] {
        assert_eq!(unasked(from, to), Err(HoursError::OutsideHours), "{from} {to}");
        assert_eq!(hours(from, to).check(), Ok(()), "{from} {to}");
    }
    assert!(matches!(hours("09:00", "09:00").check(), Err(HoursError::Empty(_))));
    assert_eq!(hours("24:00", "09:00").check(), Err(HoursError::OpensAtEnd));
    for wrong in ["9:00", "09:60", "24:01", "25:00", "0900", "", "+9:00", "09:00:00"] {
        assert_eq!(wrong.parse::<Clock>(), Err(HoursError::Time(wrong.to_owned())));
    }
    assert_eq!(Days::try_from(vec!["Monday".to_owned()]), Err(HoursError::Day("Monday".to_owned())));
    assert_eq!(Days::try_from(Vec::new()), Err(HoursError::NoDay));
}

#[test]
fn they_are_written_as_they_are_read() {
    let text = r#"{"days":["mon","sun"],"from":"08:30","to":"20:00","holidays":["2026-12-25"]}"#;
    let read: Hours = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(serde_json::from_str::<Hours>("{}").unwrap(), Hours::default());
    assert!(serde_json::from_str::<Hours>(r#"{"form":"09:00"}"#).is_err());
}

proptest! {
    /// By another way, minute by minute on the wall: a time is inside exactly if its own day, or the day before where
    /// the window goes past midnight, opens one that has begun and not ended.
    #[test]
    fn a_time_is_inside_a_window_exactly_if_the_wall_clock_says_so(
        from in 0i16..24 * 60,
        length in 1i16..24 * 60,
        mask in 1u8..128,
        begin in 0i64..370 * 24 * 60,
        name in proptest::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]),
    ) {
        let to = (from + length) % (24 * 60);
        prop_assume!(to != from);
        let days = Days((1..=7).filter(|day| mask & (1 << (day - 1)) != 0).collect());
        let hours = Hours { days: days.clone(), from: Clock { minutes: from }, to: Clock { minutes: to }, ..hours("00:00", "24:00") };
        let (gym, clock) = (zone(name), TimeZone::get(name).unwrap());
        let start = at("2026-01-01T00:00[UTC]").checked_add(begin.minutes()).unwrap();
        for step in 0..48 {
            let now = start.checked_add((step * 37).minutes()).unwrap();
            let wall = clock.to_datetime(now);
            // Around a change of the clocks the wall is no judge.
            let day = SignedDuration::from_hours(24);
            if clock.to_offset(now - day) != clock.to_offset(now + day) {
                continue;
            }
            let minute = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
            let (today, yesterday) = (days.has(wall.weekday()), days.has(wall.date().yesterday().unwrap().weekday()));
            let inside = if from < to {
                today && (from..to).contains(&minute)
            } else {
                (today && minute >= from) || (yesterday && minute < to)
            };
            let found = hours.next(&gym, now).unwrap();
            prop_assert!(found.opens < found.closes && found.closes > now);
            prop_assert_eq!(found.opens <= now, inside, "{} {:?}", wall, found);
        }
    }
}
