//! Gyms to call in numbers, and callees that are done with a call in one to three seconds.

use serde_json::{Value, json};

use super::api::all_day;

/// Area codes that exist; not the one of the number that calls.
const AREAS: [u32; 25] = [
    201, 202, 206, 209, 213, 214, 215, 303, 305, 312, 313, 404, 407, 412, 415, 503, 512, 602, 615, 617, 702, 713, 801,
    808, 907,
];
/// In each, 555-0100 to 555-0199 belong to nobody. A larger crowd needs more of the exchange; nothing here can call it.
const FICTIONAL: usize = 100;
/// The first line of the exchange that a larger crowd is given: far from directory enquiries (1212).
const FIRST: usize = 3_000;

/// So many different numbers.
pub fn numbers(count: usize) -> Vec<String> {
    let line = |nth: usize| if count <= AREAS.len() * FICTIONAL { 100 + nth } else { FIRST + nth };
    (0..count).map(|nth| format!("+1{}555{:04}", AREAS[nth % AREAS.len()], line(nth / AREAS.len()))).collect()
}

pub fn roster(numbers: &[String]) -> String {
    let rows = numbers.iter().enumerate().map(|(nth, number)| format!("Gym {nth},{number}\n"));
    format!("gym_name,phone_number\n{}", rows.collect::<String>())
}

/// A survey that is over in seconds.
pub fn survey() -> Value {
    json!({
        "name": "Quick",
        "on_behalf_of": "us",
        "questions": [{"key": "open", "ask": "Are you open?", "type": "boolean"}],
        "policy": {"max_attempts": 4, "redial_after_minutes": 0.02, "window": all_day()},
    })
}

/// In turn: one answers, one is not interested, one is busy first, one misses the call first and then hangs up soon.
pub fn quick_callees(numbers: &[String]) -> String {
    callees(numbers, 200)
}

/// The same, and none of them picks up before the first look-up of an unclear call.
pub fn slow_callees(numbers: &[String]) -> String {
    callees(numbers, 1_500)
}

fn callees(numbers: &[String], rings_ms: u32) -> String {
    let turn = |which: usize| -> Vec<&String> { numbers.iter().skip(which).step_by(4).collect() };
    format!(
        r#"
[default]
calls = [{{ end = "answer", after_ms = {rings_ms} }}]
greeting = "Yes?"
rule = [{{ hears = ["open"], says = "Yes we are" }}]

[[callee]]
numbers = {:?}
calls = [{{ end = "answer", after_ms = {rings_ms} }}]
greeting = "Yes?"
rule = [{{ says = "We are not interested" }}]

[[callee]]
numbers = {:?}
calls = [{{ end = "busy", after_ms = {rings_ms} }}, {{ end = "answer", after_ms = {rings_ms} }}]
greeting = "Yes?"
rule = [{{ hears = ["open"], says = "No" }}]

[[callee]]
numbers = {:?}
calls = [{{ end = "no_answer", after_ms = {rings_ms} }}, {{ end = "answer", after_ms = {rings_ms} }}]
greeting = "Yes?"
hangs_up_after_ms = 1200
"#,
        turn(1),
        turn(2),
        turn(3)
    )
}

/// Twilio's reply comes late, so that whoever is killed soon after a call was made dies while it dials. A callback
/// proves the call as well as the reply does, so every second call's are late (and come twice).
pub fn late_replies(by_ms: i64) -> String {
    format!("[[fault]]\ncreate_delay_ms = {by_ms}\n[[fault]]\nrate = 0.5\nlate_ms = 500\ntwice = true\n")
}

/// Besides, every second request is answered with an error although the call was made, and no callback comes before
/// the first look-up.
pub fn unclear_replies(by_ms: i64) -> String {
    format!("{}[[fault]]\nrate = 0.5\nerror_after_create = true\nlate_ms = 3000\n", late_replies(by_ms))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_crowd_has_no_number_twice() {
        for count in [20, 100, 2_500, 5_000, 50_000] {
            let numbers = numbers(count);
            assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), count);
            assert!(numbers.iter().all(|number| number.len() == 12), "{count}");
        }
    }
}
