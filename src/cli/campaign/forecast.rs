//! `gymcall campaign forecast`

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::table::{RESET, YELLOW, text};

/// A forecast for people: whom it will call, when it is done, what it costs. The rest is for `--json`.
pub(super) fn told(forecast: &Value) -> String {
    let gyms = forecast["gyms"].as_u64().unwrap_or(0);
    let mut lines = vec![format!("{gyms} gyms will be called{}", skipped(&forecast["skipped"]))];
    if gyms > 0 {
        let starts = at(&forecast["starts_at"]).map_or_else(|| "no call begins".to_owned(), |at| format!("from {at}"));
        lines.push(format!(
            "calls:   about {}{}, {starts}",
            text(&forecast["calls"]),
            range(&forecast["calls_range"], text)
        ));
        let finish =
            at(&forecast["finish_at"]).map_or_else(|| "not within a year".to_owned(), |at| format!("about {at}"));
        let sooner_or_later = range(&forecast["finish_range"], |end| at(end).unwrap_or_default());
        lines.push(format!("done:    {finish}{sooner_or_later}"));
        lines.push(format!("costs:   about {}{}", text(&forecast["cost"]), range(&forecast["cost_range"], text)));
    }
    if forecast["spent"].as_str().is_some_and(|spent| spent.bytes().any(|digit| matches!(digit, b'1'..=b'9'))) {
        lines.push(format!("spent:   {} until now", text(&forecast["spent"])));
    }
    lines.extend(stop(&forecast["stops"]).map(|stop| format!("{YELLOW}stops:   {stop}{RESET}")));
    let notes = forecast["assumptions"]["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.extend(notes.first().map(text));
    lines.push("By time zone, and all that this goes by: --json".to_owned());
    lines.join("\n")
}

/// Whom it will not call, and why.
fn skipped(reasons: &Value) -> String {
    let reasons = reasons.as_object().into_iter().flatten();
    let reasons: Vec<_> = reasons.filter_map(|(reason, gyms)| Some((reason, gyms.as_u64()?))).collect();
    let all: u64 = reasons.iter().map(|(_, gyms)| gyms).sum();
    let why: Vec<_> = reasons.iter().map(|(reason, gyms)| format!("{gyms} {reason}")).collect();
    if all == 0 { String::new() } else { format!(", {all} skipped ({})", why.join(", ")) }
}

/// What stops it, and what can be done about it.
fn stop(stop: &Value) -> Option<String> {
    let (at, left) = (at(&stop["at"])?, text(&stop["gyms_left"]));
    Some(match stop["reason"].as_str()? {
        "budget" => format!("at {at} its spend_cap is used up, with {left} gyms left: raise it, or call fewer gyms"),
        "daily_limit" => format!("at {at} the day's calls are used up, with {left} gyms left for the next days"),
        "too_long" => format!("after a year {left} gyms are left: allow more calls a second or at once"),
        other => format!("{other} at {at}, with {left} gyms left"),
    })
}

/// Its two ends, where they differ.
fn range(range: &Value, text: impl Fn(&Value) -> String) -> String {
    let (from, to) = (text(&range["from"]), text(&range["to"]));
    if from == to { String::new() } else { format!(" ({from} to {to})") }
}

/// A time to the minute.
fn at(time: &Value) -> Option<String> {
    let time: Timestamp = time.as_str()?.parse().ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whom_it_calls_and_when_it_is_done_and_what_it_costs_are_told_and_no_more() {
        let forecast = json!({
            "gyms": 240, "starts_at": "2026-11-30T14:00:00.5Z", "finish_at": "2026-12-01T17:20:31Z",
            "finish_range": {"from": "2026-12-01T16:00:00Z", "to": "2026-12-01T19:05:00Z"},
            "calls": 410, "calls_range": {"from": 380, "to": 450},
            "cost": "12.40", "cost_range": {"from": "10.10", "to": "15.20"}, "spent": "0.00",
            "skipped": {"no_timezone": 2, "suppressed": 10},
            "stops": {"reason": "budget", "at": "2026-12-01T15:00:00Z", "gyms_left": 40},
            "by_zone": [{"timezone": "America/New_York"}], "assumptions": {"notes": ["It is a guess"], "lines": 5},
        });
        assert_eq!(
            anstream::adapter::strip_str(&told(&forecast)).to_string(),
            "240 gyms will be called, 12 skipped (2 no_timezone, 10 suppressed)\n\
             calls:   about 410 (380 to 450), from 2026-11-30 14:00 UTC\n\
             done:    about 2026-12-01 17:20 UTC (2026-12-01 16:00 UTC to 2026-12-01 19:05 UTC)\n\
             costs:   about 12.40 (10.10 to 15.20)\n\
             stops:   at 2026-12-01 15:00 UTC its spend_cap is used up, with 40 gyms left: raise it, or call fewer gyms\n\
             It is a guess\n\
             By time zone, and all that this goes by: --json"
        );
        let nobody = json!({"gyms": 0, "skipped": {"suppressed": 1}, "spent": "1.20", "stops": null});
        let nobody = told(&nobody);
        assert!(
            nobody.starts_with("0 gyms will be called, 1 skipped (1 suppressed)\nspent:   1.20 until now\n"),
            "{nobody}"
        );
    }
}
