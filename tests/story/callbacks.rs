//! Twilio's news, as unkind as it can be.

use serde_json::{Value, json};

use super::desk::{BUSY, DEAD, DO_NOT_CALL, Desk, INVALID, Keeper, NOBODY, RINGS};
use super::signed::{post_signed, target};

on_each_keeper! {
    news_that_is_doubled_late_reordered_and_early_changes_no_outcome,
    a_2xx_means_that_the_news_is_stored,
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

async fn a_2xx_means_that_the_news_is_stored(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let call = desk.call_to(RINGS);
    let status = target(&call.url).replace("/voice", "/status");
    for number in 1..=40 {
        let duration = number.to_string();
        let form = [("CallSid", call.sid.as_str()), ("CallStatus", "ringing"), ("CallDuration", duration.as_str())];
        assert_eq!(post_signed(&desk, &status, &form).await.status, 204);
        // Whoever dies right after the answer must not take the news along.
        let stored = desk.events(&job).await.iter().any(|event| event["detail"]["duration_s"] == number);
        assert!(stored, "callback {number} was answered with 204 and is not in the history");
    }
}
