//! What is tried again, and what is not even a try.

use gymcall_simulator::Event;
use serde_json::json;

use super::desk::{ANSWERS, BUSY, Desk, Keeper, NOBODY};

on_each_keeper! {
    a_busy_line_is_dialled_exactly_as_often_as_the_policy_says,
    an_answered_gym_is_never_called_again,
    being_throttled_is_no_attempt,
}

async fn a_busy_line_is_dialled_exactly_as_often_as_the_policy_says(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    // Half a second, as a fraction of a minute.
    let policy = json!({"max_attempts": 3, "redial_after_minutes": 0.5 / 60.0});
    let campaign = desk.calling(&[BUSY, NOBODY], policy).await;
    let jobs = desk.finished(&campaign).await;
    for (job, (number, reason)) in jobs.iter().zip([(BUSY, "dial_busy"), (NOBODY, "dial_no_answer")]) {
        assert_eq!(desk.created(number), 3);
        assert_eq!((&job["outcome"], &job["ended_reason"]), (&json!("gave_up"), &json!(reason)));
        assert_eq!((&job["status"], &job["disposition"]), (&json!("failed"), &json!("no_contact")));
        assert_eq!(job["tries"], 3);
        let numbers: Vec<_> = job["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["number"]).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let log = desk.twilio.log().creates();
        let times: Vec<i64> = log.iter().filter(|call| call.to == number).map(|call| call.created_at_ms).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 500), "{times:?}");
    }
    desk.assert_no_attempt_was_dialled_twice();
}

async fn an_answered_gym_is_never_called_again(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 5, "redial_after_minutes": 0})).await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["outcome"], &jobs[0]["tries"]), (&json!("answered"), &json!(1)));
    assert_eq!(desk.created(ANSWERS), 1);
}

async fn being_throttled_is_no_attempt(keeper: Keeper) {
    let desk = Desk::with_faults("[[fault]]\nthrottle = true\ntimes = 1", keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["outcome"], &jobs[0]["tries"]), (&json!("answered"), &json!(1)));
    let attempts = jobs[0]["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &attempts[0]["number"]), (1, &json!(1)));
    let asked: Vec<_> = desk.twilio.log().entries().iter().filter_map(|entry| status_of_create(&entry.what)).collect();
    assert_eq!(asked, [429, 201]);
}

fn status_of_create(event: &Event) -> Option<u16> {
    match event {
        Event::Create { http_status, .. } => *http_status,
        _ => None,
    }
}
