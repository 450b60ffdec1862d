//! Twilio's news, as unkind as it can be.

use serde_json::{Value, json};

use super::desk::{BUSY, DEAD, DO_NOT_CALL, Desk, INVALID, Keeper, NOBODY};

on_each_keeper! {
    news_that_is_doubled_late_reordered_and_early_changes_no_outcome,
}

const UNKIND: &str = "[[fault]]\ntwice = true\nlate_ms = 150\nshuffled = true\nbefore_reply = true";

const GYMS: [&str; 10] = [
    "+14155550101",
    "+14155550102",
    "+14155550103",
    "+14155550104",
    "+14155550105",
    BUSY,
    NOBODY,
    INVALID,
    DO_NOT_CALL,
    DEAD,
];

/// How every job ended, without the times.
async fn outcomes(faults: &'static str, keeper: Keeper) -> Vec<Value> {
    let desk = Desk::with_faults(faults, keeper).await;
    let policy = json!({"max_attempts": 2, "redial_after_minutes": 0.2 / 60.0});
    let campaign = desk.calling(&GYMS, policy).await;
    let jobs = desk.finished(&campaign).await;
    desk.assert_no_attempt_was_dialled_twice();
    let tries: u64 = jobs.iter().map(|job| job["tries"].as_u64().unwrap()).sum();
    // The invalid number was tried, and Twilio made no call.
    assert_eq!(desk.twilio.log().creates().len() as u64, tries - 1);
    let ends = jobs.iter().map(|job| {
        let attempts = job["attempts"].as_array().unwrap();
        assert!(attempts.iter().all(|attempt| attempt["conflicts"] == json!([])), "{job}");
        let calls: Vec<_> = attempts.iter().map(|attempt| &attempt["status"]).collect();
        let answers: Vec<_> = job["answers"].as_array().unwrap().iter().map(|answer| &answer["value"]).collect();
        let [status, disposition, reason] = ["status", "disposition", "ended_reason"].map(|name| &job[name]);
        json!([job["phone_number"], status, disposition, reason, calls, answers])
    });
    ends.collect()
}

async fn news_that_is_doubled_late_reordered_and_early_changes_no_outcome(keeper: Keeper) {
    let (kind, unkind) = tokio::join!(outcomes("", Keeper::default()), outcomes(UNKIND, keeper));
    assert_eq!(kind, unkind);
    assert_eq!(kind.iter().filter(|end| end[2] == "answered_full").count(), 5, "{kind:?}");
}
