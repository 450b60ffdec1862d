//! Replies that never come, break off, or come too late: what Twilio says otherwise, and what a person
//! is shown where it says nothing.

use futures_util::future::join_all;
use gymcall_simulator::{Callbacks, Event};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::command::gymcall;
use super::desk::{ANSWERS, BUSY, Desk, Keeper, Plan};
use super::unclear::requests;

on_each_keeper! {
    whatever_happens_to_the_reply_a_calls_own_callbacks_tell_whose_it_is,
    a_request_of_which_nothing_is_heard_is_shown_with_its_evidence,
}

/// Faults, with a request that is given up after a second, and look-ups so late that they clear nothing up.
async fn without_look_ups(faults: &'static str, keeper: Keeper) -> Desk {
    let settings = vec![("GYMCALL_DIAL_DEADLINE", "1s"), ("GYMCALL_LOOK_UP_WAITS", "1h")];
    Desk::of(Plan { keeper, faults, settings, ..Plan::default() }).await
}

async fn known_by_its_callbacks(faults: &'static str, keeper: Keeper) {
    let desk = without_look_ups(faults, keeper).await;
    let campaign = desk.calling(&[BUSY], json!({"max_attempts": 1})).await;
    let job = desk.finished(&campaign).await.remove(0);
    assert_eq!((&job["ended_reason"], &job["tries"]), (&json!("dial_busy"), &json!(1)), "{faults}");
    assert_eq!(job["attempts"][0]["twilio_call_sid"], *desk.call_to(BUSY).sid, "{faults}");
    assert_eq!((requests(&desk, BUSY), &job["evidence"]), (1, &Value::Null), "{faults}");
}

async fn whatever_happens_to_the_reply_a_calls_own_callbacks_tell_whose_it_is(keeper: Keeper) {
    let faults = [
        "[[fault]]\nsilence_after_create = true",
        "[[fault]]\nreset_after_create = true",
        "[[fault]]\ncut_reply = true",
        "[[fault]]\ncreate_delay_ms = 30000",
        "[[fault]]\ncreate_delay_ms = 300",
    ];
    join_all(faults.map(|faults| known_by_its_callbacks(faults, keeper))).await;
}

#[tokio::test]
async fn of_lost_callbacks_the_last_is_enough() {
    let faults = [
        "[[fault]]\ncallbacks = \"last\"",
        "[[fault]]\ncallbacks = \"last\"\nreset_after_create = true",
        "[[fault]]\ncallbacks = \"last\"\nsilence_after_create = true",
    ];
    join_all(faults.map(|faults| known_by_its_callbacks(faults, Keeper::Embedded))).await;
}

#[tokio::test]
async fn a_call_of_which_no_callback_comes_is_known_by_its_request_for_words_and_ends_with_its_own_report() {
    let faults = "[[fault]]\ncallbacks = \"none\"\nreset_after_create = true";
    let desk = without_look_ups(faults, Keeper::Embedded).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 3})).await;
    let job = desk.finished(&campaign).await.remove(0);
    assert_eq!((&job["disposition"], &job["tries"]), (&json!("answered_full"), &json!(1)));
    let asked = desk.twilio.log().tally().asked;
    assert_eq!((asked.len(), asked[0].fate.callbacks), (1, Callbacks::None));
}

async fn a_request_of_which_nothing_is_heard_is_shown_with_its_evidence(keeper: Keeper) {
    let faults = [
        ("[[fault]]\nsilence_before_create = true\ntimes = 1", "timed out"),
        ("[[fault]]\nreset_before_create = true\ntimes = 1", "connection"),
        ("[[fault]]\nerror_before_create = true\ntimes = 1", "Twilio answered 500 (20500)"),
    ];
    join_all(faults.map(|(faults, answer)| shown_with_its_evidence(faults, answer, keeper))).await;
}

async fn shown_with_its_evidence(faults: &'static str, answer: &str, keeper: Keeper) {
    let settings = vec![("GYMCALL_DIAL_DEADLINE", "1s")];
    let desk = Desk::of(Plan { keeper, faults, settings, ..Plan::default() }).await;
    let campaign = desk.calling(&[BUSY], json!({"max_attempts": 1})).await;
    let job = desk.only_job(&campaign).await;
    let shown = desk.until_job(&job, "quarantined").await;
    let evidence = &shown["evidence"];
    assert_eq!((&evidence["attempt"], &evidence["phone_number"]), (&json!(1), &json!(BUSY)), "{shown}");
    assert!(evidence["answer"].as_str().unwrap().contains(answer), "{evidence}");
    assert!(evidence["next_look_up_at"].is_null());
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let asked_at = time(&evidence["asked_at"]);
    let entry = desk.until_logged("the request", |event| matches!(event, Event::Create { .. })).await;
    assert!(asked_at.as_millisecond() <= entry.at_ms, "{evidence}");
    let look_ups = evidence["look_ups"].as_array().unwrap();
    assert!((1..=2).contains(&look_ups.len()), "{evidence}");
    for look_up in look_ups {
        assert!(time(&look_up["at"]) > asked_at, "{evidence}");
        assert_eq!(look_up["result"], "not_found");
        let detail = format!("0 calls to {BUSY} are listed, none of them made by this request");
        assert_eq!(look_up["detail"], *detail);
    }

    let of_campaign = gymcall(&desk, &["status", &campaign]).await;
    assert!(of_campaign.contains(&format!("gymcall status {job}")), "{of_campaign}");
    let of_job = gymcall(&desk, &["status", &job]).await;
    let resolve = |fate| format!("gymcall job resolve {job} {fate}");
    let [called, not_called] = ["called", "not_called"].map(resolve);
    for words in [answer, "looked for it: 0 calls", BUSY, evidence["asked_at"].as_str().unwrap(), &called, &not_called]
    {
        assert!(of_job.contains(words), "{words}: {of_job}");
    }

    // Whoever could still decide must not lose sight of it.
    let path = format!("/v1/campaigns/{campaign}");
    super::http::reply(desk.http.request(reqwest::Method::DELETE, &path)).await.problem(409);

    // What a person is told to send is understood as it stands.
    gymcall(&desk, &not_called.split(' ').skip(1).collect::<Vec<_>>()).await;
    let over = desk.finished(&campaign).await.remove(0);
    assert_eq!((&over["ended_reason"], &over["tries"]), (&json!("dial_busy"), &json!(1)));
    assert!(desk.job(&job).await["evidence"].is_null());
    assert!(!gymcall(&desk, &["status", &campaign]).await.contains("find out"));
    assert_eq!((requests(&desk, BUSY), desk.created(BUSY)), (2, 1));
}

#[tokio::test]
async fn twilios_late_word_clears_up_what_was_given_up() {
    // The call is hidden until long after the last look-up; its callbacks come six seconds late.
    let faults = "[[fault]]\nreset_after_create = true\nlate_ms = 6000\nlist_lag_ms = 600000";
    let desk = Desk::with_faults(faults, Keeper::Embedded).await;
    let campaign = desk.calling(&[BUSY], json!({"max_attempts": 1})).await;
    let id = desk.only_job(&campaign).await;
    let job = desk.until_job(&id, "failed").await;
    assert_eq!((&job["ended_reason"], &job["attempts"][0]["status"]), (&json!("dial_busy"), &json!("busy")));
    let events = desk.events(&id).await;
    // A look-up is written down as ignored, but for the one that put the job into quarantine.
    let quarantined = |event: &Value| event["event"] == "not_found" && event["ignored"].is_null();
    let at = events.iter().position(quarantined).unwrap_or_else(|| panic!("never in quarantine: {events:?}"));
    assert!(events[at + 1..].iter().any(|event| event["event"] == "call_news"), "{events:?}");
    assert_eq!(requests(&desk, BUSY), 1);
}
