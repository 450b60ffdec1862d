use serde_json::json;

use super::*;
use crate::gym::Gym;
use crate::id::{CampaignId, JobId, RunId};
use crate::job::{CallJob, Membership};
use crate::rules::Rules;

fn at(text: &str) -> Timestamp {
    let (time, zone) = text.trim_end_matches(']').split_once('[').unwrap();
    TimeZone::get(zone).unwrap().to_timestamp(time.parse().unwrap()).unwrap()
}

/// Everybody sleeps.
fn from() -> Timestamp {
    at("2026-11-26T23:00[America/New_York]")
}

fn rules() -> Rules {
    Rules { hours: Some(Hours::default()), ..Rules::default() }
}

/// Everything that can be called is called: one line, a call each second, one try.
fn terms() -> Terms {
    Terms {
        from: from(),
        hours: Some(Hours::default()),
        calls_per_second: 1.0,
        lines: 1,
        max_attempts: 1,
        redial_after: SignedDuration::from_mins(60),
        price_per_minute: Amount::from_micros(14_000),
        reserve: Amount::from_micros(70_000),
        spent: Amount::ZERO,
        spend_cap: None,
        calls_per_day: None,
        begun_today: 0,
        days_in: TimeZone::UTC,
    }
}

fn outlook(gyms: &[(&str, u64)]) -> Outlook {
    let mut outlook = Outlook::default();
    for (zone, count) in gyms {
        for number in 0..*count {
            let mut gym = json!({"phone": format!("+1212555{number:04}")});
            if !zone.is_empty() {
                gym["timezone"] = json!({"name": zone, "source": "csv"});
            }
            let gym: Gym = serde_json::from_value(gym).unwrap();
            let of = Membership { campaign: CampaignId::new(from(), 1), run: RunId::new(from(), 1) };
            let job = CallJob::new(JobId::new(from(), u128::from(number)), Some(of), gym, from(), from());
            outlook.count(&job, false, &rules(), from());
        }
    }
    outlook
}

const NEW_YORK: &str = "America/New_York";
const PHOENIX: &str = "America/Phoenix";

/// How long calls keep a line, on average.
fn seconds_of_a_call() -> f64 {
    Expectations::default().each().iter().map(|expected| expected.share * expected.seconds).sum()
}

fn minutes(duration: SignedDuration) -> f64 {
    duration.as_secs_f64() / 60.0
}

#[test]
fn one_line_calls_one_gym_after_the_other_from_the_morning_on() {
    let told = forecast(&terms(), &outlook(&[(NEW_YORK, 200)]));
    let morning = at("2026-11-27T09:00[America/New_York]");
    assert_eq!((told.gyms, told.starts_at, told.calls.expected), (200, Some(morning), 200));
    let lasts = told.finish_at.unwrap().duration_since(morning).as_secs_f64();
    assert!((lasts / (200.0 * seconds_of_a_call()) - 1.0).abs() < 0.02, "{lasts} s");
    // 100 answers of 1.8 minutes and 40 voicemails of one.
    assert_eq!(told.cost.expected, Amount::from_micros(220 * 14_000));
    let (from, to) = told.finish_range.unwrap();
    assert!(from < told.finish_at.unwrap() && told.finish_at.unwrap() < to);
    assert!(told.cost.least < told.cost.expected && told.cost.expected < told.cost.most);
    assert_eq!(told.stop, None);
}

#[test]
fn many_lines_are_held_back_by_the_pace() {
    let told = forecast(&Terms { lines: 1_000, ..terms() }, &outlook(&[(NEW_YORK, 600)]));
    let lasts = told.finish_at.unwrap().duration_since(told.starts_at.unwrap());
    assert!((10.0..11.6).contains(&minutes(lasts)), "{lasts:?}");
}

#[test]
fn each_zone_has_its_own_morning_and_who_is_missed_is_called_again() {
    let terms = Terms { lines: 100, max_attempts: 3, ..terms() };
    let told = forecast(&terms, &outlook(&[(PHOENIX, 300), (NEW_YORK, 300)]));
    let zones: Vec<_> = told.by_zone.iter().map(|zone| (zone.timezone.as_str(), zone.gyms, zone.starts_at)).collect();
    let mornings =
        ["2026-11-27T09:00[America/New_York]", "2026-11-27T09:00[America/Phoenix]"].map(|text| Some(at(text)));
    assert_eq!(zones, [(NEW_YORK, 300, mornings[0]), (PHOENIX, 300, mornings[1])]);
    // Five minutes by pace, and twice an hour until the next try.
    let lasts = told.by_zone[1].finish_at.unwrap().duration_since(mornings[1].unwrap());
    assert!((121.0..130.0).contains(&minutes(lasts)), "{lasts:?}");
    // A quarter is missed, and a quarter of that.
    assert!((785..=790).contains(&told.calls.expected), "{:?}", told.calls);
}

#[test]
fn what_the_evening_cuts_off_goes_on_in_the_morning() {
    let terms = Terms { from: at("2026-11-27T19:50[America/New_York]"), ..terms() };
    let told = forecast(&terms, &outlook(&[(NEW_YORK, 30)]));
    assert_eq!(told.starts_at, Some(terms.from));
    let finish = told.finish_at.unwrap();
    let morning = at("2026-11-28T09:00[America/New_York]");
    assert!(morning < finish && finish < morning + SignedDuration::from_mins(30), "{finish}");
}

#[test]
fn who_cannot_be_called_is_named_with_the_reason() {
    let mut gyms = outlook(&[(NEW_YORK, 3), ("", 2)]);
    let job = |zone: &str| -> CallJob {
        let gym = json!({"phone": "+12125559999", "timezone": {"name": zone, "source": "csv"}});
        CallJob::new(JobId::new(from(), 77), None, serde_json::from_value(gym).unwrap(), from(), from())
    };
    gyms.count(&job(NEW_YORK), true, &rules(), from());
    gyms.count(&job("Mars/Olympus"), false, &rules(), from());
    let told = forecast(&terms(), &gyms);
    assert_eq!((told.gyms, told.calls.expected), (3, 3));
    let skipped =
        [SkipReason::NoTimezone, SkipReason::Suppressed, SkipReason::OutsideWindow].map(|why| told.skipped[&why]);
    assert_eq!(skipped, [2, 1, 1]);
    // Without hours a zone is not needed.
    let mut gyms = Outlook::default();
    gyms.count(&job("Mars/Olympus"), false, &Rules::default(), from());
    let told = forecast(&Terms { hours: None, ..terms() }, &gyms);
    assert_eq!((told.gyms, told.starts_at, told.by_zone[0].timezone.as_str()), (1, Some(from()), ""));
}

#[test]
fn nobody_to_call_takes_no_time_and_costs_nothing() {
    let told = forecast(&terms(), &Outlook::default());
    assert_eq!((told.starts_at, told.finish_at, told.finish_range, told.stop), (None, None, None, None));
    assert_eq!((told.calls.most, told.cost.most, told.by_zone), (0, Amount::ZERO, Vec::new()));
}

#[test]
fn a_spend_cap_stops_it_before_a_call_that_may_be_too_dear() {
    // Each call under way may cost 0.07.
    let terms =
        Terms { spend_cap: Some(Amount::from_micros(1_000_000)), spent: Amount::from_micros(400_000), ..terms() };
    let told = forecast(&terms, &outlook(&[(NEW_YORK, 200)]));
    let stop = told.stop.unwrap();
    assert_eq!(stop.reason, StopReason::Budget);
    assert!((515_000..=600_000).contains(&told.cost.expected.micros()), "{:?}", told.cost);
    assert_eq!(stop.gyms_left + told.calls.expected, 200);
    assert_eq!(told.finish_at, told.by_zone[0].finish_at);
}

#[test]
fn the_calls_of_a_day_are_told_and_the_next_day_goes_on() {
    let terms = Terms { calls_per_day: Some(50), days_in: TimeZone::get(NEW_YORK).unwrap(), lines: 20, ..terms() };
    let told = forecast(&terms, &outlook(&[(NEW_YORK, 120)]));
    let stop = told.stop.unwrap();
    assert_eq!((stop.reason, stop.gyms_left), (StopReason::DailyLimit, 70));
    let third = at("2026-11-29T09:00[America/New_York]");
    let finish = told.finish_at.unwrap();
    assert!(third < finish && finish < third + SignedDuration::from_mins(5), "{finish}");
    assert_eq!(told.calls.expected, 120);
}

#[test]
fn better_and_worse_expectations_are_expectations_too() {
    for factor in [0.0, 0.5, 1.0, 1.3, 9.0] {
        let each = Expectations::default().times(factor).each();
        let sum: f64 = each.iter().map(|expected| expected.share).sum();
        assert!((sum - 1.0).abs() < 1e-9 && each.iter().all(|expected| expected.share >= 0.0), "{factor}: {each:?}");
    }
    assert_eq!(Expectations::default().times(1.0).no_answer.share, Expectations::default().no_answer.share);
}

#[test]
fn calls_that_were_made_count_more_than_the_usual() {
    let mut outlook = Outlook::default();
    let ended = |number: u32, status: &str, seconds: i64| -> serde_json::Value {
        let begun = from();
        json!({
            "number": number, "tag": "0".repeat(32), "begun_at": begun, "status": status,
            "call": format!("CA{number:032x}"), "ended_at": begun + SignedDuration::from_secs(seconds),
            "started_at": (status == "completed").then(|| begun + SignedDuration::from_secs(10)),
        })
    };
    let report = json!({"disposition": "answered_full", "ended_reason": "agent_hangup", "answered_by": "human"});
    let job: CallJob = serde_json::from_value(json!({
        "id": JobId::new(from(), 1), "gym": {"phone": "+12125550101"}, "created_at": from(), "updated_at": from(),
        "phase": {"phase": "done", "outcome": {"answered": report}},
        "attempts": [ended(1, "busy", 4), ended(2, "completed", 200)],
    }))
    .unwrap();
    for _ in 0..500 {
        outlook.learn(&job, &rules());
    }
    assert_eq!(outlook.calls_seen(), 1_000);
    let expected = outlook.experience.expectations();
    assert!((0.48..0.52).contains(&expected.answered.share), "{expected:?}");
    assert!((0.48..0.52).contains(&expected.busy.share) && expected.failed.share < 0.01, "{expected:?}");
    // 190 s were talked.
    assert!((195.0..201.0).contains(&expected.answered.seconds), "{expected:?}");
    assert!((3.9..4.01).contains(&expected.answered.minutes) && expected.busy.minutes == 0.0, "{expected:?}");
}
