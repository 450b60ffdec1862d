//! Requests of which nobody knows whether they made a call.

use gymcall_simulator::Event;
use serde_json::{Value, json};

use super::desk::{ANSWERS, CURT, CURT_TOO, Desk, Keeper, NOBODY, Plan, RINGS, id_of};
use super::signed::{FOREIGN, post_signed, target};

on_each_keeper! {
    a_call_whose_reply_was_an_error_is_known_by_its_own_callbacks,
    a_request_that_is_never_cleared_up_is_shown_to_a_person_who_decides,
    a_single_call_whose_fate_stays_unclear_is_accepted_without_a_sid,
    a_call_whose_reply_never_comes_is_made_once,
    twilios_own_word_settles_what_a_person_was_asked_about,
    a_number_in_quarantine_does_not_keep_another_campaign_open,
}

/// How often Twilio was asked for a call to this number, whatever came of it.
pub fn requests(desk: &Desk, number: &str) -> usize {
    let to_it = |event: &Event| matches!(event, Event::Create { to, .. } if to == number);
    desk.twilio.log().entries().iter().filter(|entry| to_it(&entry.what)).count()
}

async fn resolve(desk: &Desk, job: &str, fate: Value) -> super::http::Reply {
    desk.http.post(&format!("/v1/jobs/{job}/resolve"), &json!({"fate": fate})).await
}

async fn a_call_whose_reply_was_an_error_is_known_by_its_own_callbacks(keeper: Keeper) {
    let desk = Desk::with_faults("[[fault]]\nerror_after_create = true", keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 3})).await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["outcome"], &jobs[0]["tries"]), (&json!("answered"), &json!(1)));
    let calls = desk.twilio.log().creates();
    assert_eq!((calls.len(), calls[0].http_status), (1, Some(500)));
    assert_eq!(jobs[0]["attempts"][0]["twilio_call_sid"], *calls[0].sid);
    assert_eq!(requests(&desk, ANSWERS), 1);
}

async fn a_request_that_is_never_cleared_up_is_shown_to_a_person_who_decides(keeper: Keeper) {
    let desk = Desk::with_faults(
        "[[fault]]\nerror_before_create = true\ntimes = 1\nnumbers = [\"+14155550101\", \"+14155550132\"]",
        keeper,
    )
    .await;
    let policy = json!({"max_attempts": 1, "redial_after_minutes": 0});
    let campaign = desk.calling(&[ANSWERS, CURT, CURT_TOO], policy).await;
    let ids: Vec<String> = desk.jobs(&campaign).await.iter().map(id_of).collect();
    let [unclear, called, other] = [&ids[0], &ids[1], &ids[2]];
    for id in [unclear, called] {
        let shown = desk.until_job(id, "quarantined").await;
        assert!(shown["outcome"].is_null() && shown["attempts"][0]["trouble"].is_string(), "{shown}");
        assert_eq!(shown["attempts"].as_array().unwrap().len(), 1);
        let looked = desk.events(id).await.iter().filter(|event| event["event"] == "not_found").count();
        assert!((1..=2).contains(&looked), "looked up {looked} times");
    }
    desk.until_job(other, "failed").await;
    // Nobody else calls that number either, and nobody redials the job.
    desk.http.post("/v1/calls", &json!({"phone_number": ANSWERS})).await.problem(409);
    desk.http.post(&format!("/v1/jobs/{unclear}/redial"), &json!({})).await.problem(409);
    assert_eq!((requests(&desk, ANSWERS), requests(&desk, CURT)), (1, 1));

    resolve(&desk, unclear, json!("perhaps")).await.blames("/fate");
    resolve(&desk, other, json!("called")).await.problem(409);
    resolve(&desk, unclear, json!("not_called")).await.expect(200);
    let answered = desk.until_job(unclear, "completed").await;
    let attempts = answered["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &answered["tries"]), (2, &json!(1)));
    assert_eq!((&attempts[0]["counts"], &attempts[1]["counts"]), (&json!(false), &json!(true)));
    assert_eq!(answered["outcome"], "answered");
    resolve(&desk, unclear, json!("not_called")).await.problem(409);

    let over = resolve(&desk, called, json!("called")).await.expect(200);
    assert_eq!((&over["status"], &over["disposition"]), (&json!("failed"), &json!("needs_review")));
    resolve(&desk, called, json!("called")).await.problem(409);
    assert_eq!((requests(&desk, ANSWERS), requests(&desk, CURT)), (2, 1));
    assert_eq!(desk.status_of(&campaign).await, "completed");
    // The number is free again.
    desk.http.post("/v1/calls", &json!({"phone_number": CURT})).await.expect(201);
    desk.assert_no_attempt_was_dialled_twice();
}

async fn a_single_call_whose_fate_stays_unclear_is_accepted_without_a_sid(keeper: Keeper) {
    let desk = Desk::with_faults("[[fault]]\nerror_before_create = true", keeper).await;
    let body = json!({"phone_number": ANSWERS});
    let reply = desk.http.post_keyed("/v1/calls", "one", &body).await.expect(202);
    assert_eq!((&reply["twilio_call_sid"], &reply["status"]), (&Value::Null, &json!("queued")));
    let id = reply["call_id"].as_str().unwrap();
    desk.until_job(id, "quarantined").await;
    let replay = desk.http.post_keyed("/v1/calls", "one", &body).await;
    assert_eq!((replay.expect(202), replay.header("idempotency-replayed")), (reply.clone(), "true"));
    desk.http.post("/v1/calls", &body).await.problem(409);
    assert_eq!(requests(&desk, ANSWERS), 1);
}

async fn a_call_whose_reply_never_comes_is_made_once(keeper: Keeper) {
    let faults = "[[fault]]\ncreate_delay_ms = 20000";
    // The request is given up after a second.
    let desk =
        Desk::of(Plan { faults, keeper, settings: vec![("GYMCALL_DIAL_DEADLINE", "1s")], ..Plan::default() }).await;
    let campaign = desk.calling(&[ANSWERS, RINGS], json!({"max_attempts": 3, "redial_after_minutes": 0})).await;
    let ids: Vec<String> = desk.jobs(&campaign).await.iter().map(id_of).collect();
    let answered = desk.until_job(&ids[0], "completed").await;
    assert_eq!((&answered["outcome"], &answered["tries"]), (&json!("answered"), &json!(1)));
    let placed = desk.until_job(&ids[1], "placed").await;
    assert_eq!(placed["attempts"][0]["twilio_call_sid"], *desk.call_to(RINGS).sid);
    assert_eq!((requests(&desk, ANSWERS), requests(&desk, RINGS)), (1, 1));
}

async fn twilios_own_word_settles_what_a_person_was_asked_about(keeper: Keeper) {
    let desk = Desk::with_faults("[[fault]]\nerror_before_create = true\ntimes = 1", keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_job(&job, "quarantined").await;
    let asked = desk.until_logged("the request", |event| matches!(event, Event::Create { .. })).await;
    let Event::Create { url, .. } = &asked.what else { unreachable!() };
    let status = target(url).replace("/voice", "/status");
    let news = async |word| post_signed(&desk, &status, &[("CallSid", FOREIGN), ("CallStatus", word)]).await.status;
    assert_eq!(news("ringing").await, 204);
    let found = desk.job(&job).await;
    assert_eq!((&found["status"], &found["attempts"][0]["twilio_call_sid"]), (&json!("placed"), &json!(FOREIGN)));
    assert_eq!(desk.status_of(&campaign).await, "running");
    assert_eq!(news("busy").await, 204);
    assert_eq!(desk.finished(&campaign).await[0]["ended_reason"], "dial_busy");
    assert_eq!(requests(&desk, ANSWERS), 1);
}

#[tokio::test]
async fn a_slow_reply_is_waited_for() {
    let plan = Plan {
        faults: "[[fault]]\ncreate_delay_ms = 3000\n",
        // News that comes before the reply would settle it.
        settings: vec![("PUBLIC_BASE_URL", "http://localhost:9")],
        ..Plan::default()
    };
    let desk = Desk::of(plan).await;
    let placed = desk.http.post("/v1/calls", &json!({"phone_number": NOBODY})).await.expect(201);
    let events = desk.events(placed["call_id"].as_str().unwrap()).await;
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(names.contains(&"created") && !names.contains(&"unclear"), "{names:?}");
}

async fn a_number_in_quarantine_does_not_keep_another_campaign_open(keeper: Keeper) {
    let desk = Desk::with_faults(ONLY_NOBODY_IS_LOST, keeper).await;
    let first = desk.calling(&[NOBODY], json!({})).await;
    let job = desk.only_job(&first).await;
    desk.until_job(&job, "quarantined").await;
    let second = desk.calling(&[ANSWERS, NOBODY], json!({})).await;
    let jobs = desk.finished(&second).await;
    assert_eq!(jobs[0]["status"], "completed");
    assert_eq!((&jobs[1]["status"], &jobs[1]["skip_reason"]), (&json!("skipped"), &json!("open_attempt")));
    assert_eq!(desk.created(NOBODY), 0);
}

/// Twilio answers 500 and makes no call.
const ONLY_NOBODY_IS_LOST: &str = r#"
[[fault]]
numbers = ["+14155550109"]
error_before_create = true
"#;
