//! One number, called now.

use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, CURT, CURT_TOO, Desk, INVALID, Keeper, Plan, RINGS};

on_each_keeper! {
    a_call_is_placed_at_once_and_can_be_followed_to_its_result,
    a_number_with_an_open_attempt_is_not_called_a_second_time,
    a_request_with_a_key_calls_once_however_often_it_is_sent,
}

const CALLS: &str = "/v1/calls";

fn to(number: &str) -> Value {
    json!({"phone_number": number})
}

#[tokio::test]
async fn without_credentials_nobody_is_called_and_the_reply_says_what_to_set() {
    for (missing, settings) in [
        (
            "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER",
            vec!["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER"],
        ),
        ("TWILIO_FROM_NUMBER", vec!["TWILIO_FROM_NUMBER"]),
    ] {
        let settings = settings.into_iter().map(|name| (name, "")).collect();
        let desk = Desk::of(Plan { settings, ..Plan::default() }).await;
        let problem = desk.http.post(CALLS, &to(ANSWERS)).await.problem(503);
        assert_eq!(problem["detail"], format!("Twilio credentials not configured. Set {missing}."));
        let campaign = desk.campaign_of(&[ANSWERS], json!({})).await;
        assert_eq!(desk.tell(&campaign, "start").await.problem(503)["detail"], problem["detail"]);
        assert_eq!(desk.twilio.log().creates().len(), 0);
    }
}

async fn a_call_is_placed_at_once_and_can_be_followed_to_its_result(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let request = json!({
        "phone_number": "(415) 555-0101", "gym_name": "Iron Temple", "country": "US",
        "timezone": "America/Los_Angeles", "preferred_language": "en",
    });
    let reply = desk.http.post(CALLS, &request).await.expect(201);
    let id = reply["call_id"].as_str().unwrap().to_owned();
    assert_eq!(reply["twilio_call_sid"], *desk.call_to(ANSWERS).sid);
    assert!(reply["created_at"].is_string(), "{reply}");
    assert!(["queued", "initiated", "ringing", "in-progress"].contains(&reply["status"].as_str().unwrap()), "{reply}");

    let path = format!("{CALLS}/{id}");
    let over =
        desk.until("the call is over", async || Some(desk.get(&path).await).filter(|call| !call["result"].is_null()));
    let over = over.await;
    assert_eq!((&over["call_id"], &over["status"]), (&json!(id), &json!("completed")));
    assert_eq!(over["twilio_call_sid"], reply["twilio_call_sid"]);
    assert_eq!(over["created_at"], reply["created_at"]);
    assert!(over["last_updated"].as_str() > over["created_at"].as_str());
    let asked = json!({
        "phone_number": ANSWERS, "gym_name": "Iron Temple", "country": "US",
        "timezone": "America/Los_Angeles", "preferred_language": "en",
    });
    assert_eq!(over["request"], asked);
    assert_eq!(
        (&over["result"]["outcome"], &over["result"]["disposition"]),
        (&json!("answered"), &json!("answered_full"))
    );
    let keys: Vec<_> = over["result"]["answers"].as_array().unwrap().iter().map(|answer| &answer["key"]).collect();
    assert_eq!(keys, ["opening_hours", "day_pass_price", "classes", "drop_in_policy"]);
    // The same thing is a job.
    assert_eq!(desk.job(&id).await["status"], "completed");
}

#[tokio::test]
async fn a_number_that_is_refused_is_named_in_the_reply() {
    let desk = Desk::open().await;
    let suppressed = json!({"phone_number": CURT, "reason": "asked by mail"});
    desk.http.post("/v1/suppressions", &suppressed).await.expect(201);
    for (number, code) in [
        ("not a number", "invalid_phone"),
        ("", "missing_phone"),
        ("+4930123456", "not_allowed"),
        ("911", "not_allowed"),
        ("+1 900 234 5678", "premium"),
        (CURT, "suppressed"),
        (INVALID, "invalid_phone"),
    ] {
        let reply = desk.http.post(CALLS, &to(number)).await;
        reply.blames("/phone_number");
        assert_eq!(reply.json()["errors"][0]["code"], code, "{number}: {}", reply.body);
    }
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"phone_number": 7}), "/phone_number"),
        (json!({"phone_number": ANSWERS, "timezone": "Mars/Olympus"}), "/timezone"),
        (json!({"phone_number": ANSWERS, "colour": "red"}), "/colour"),
    ] {
        desk.http.post(CALLS, &body).await.blames(pointer);
    }
    assert_eq!(desk.twilio.log().creates().len(), 0);
}

async fn a_number_with_an_open_attempt_is_not_called_a_second_time(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let first = desk.http.post_keyed(CALLS, "first", &to(RINGS)).await.expect(201);
    desk.http.post(CALLS, &to(RINGS)).await.problem(409);
    // A repeated request is answered again, whatever else is open now.
    let replay = desk.http.post_keyed(CALLS, "first", &to(RINGS)).await;
    assert_eq!((replay.expect(201), replay.header("idempotency-replayed")), (first, "true"));
    // Nor when both ask in the same moment.
    let same = to(ANSWERS);
    let (first, second) = tokio::join!(desk.http.post(CALLS, &same), desk.http.post(CALLS, &same));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", first.body, second.body);
    assert_eq!((desk.created(RINGS), desk.created(ANSWERS)), (1, 1));
    assert_eq!(desk.twilio.log().tally().max_live_by_number[RINGS], 1);
}

async fn a_request_with_a_key_calls_once_however_often_it_is_sent(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let first = desk.http.post_keyed(CALLS, "k1", &to(CURT)).await;
    first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let id = first.json()["call_id"].as_str().unwrap().to_owned();
    let replay = desk.http.post_keyed(CALLS, "k1", &to(CURT)).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &first.body, "true"));
    // Also once the call is over: the reply is the first one, not a new look.
    desk.until_job(&id, "failed").await;
    let replay = desk.http.post_keyed(CALLS, "k1", &to(CURT)).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &first.body, "true"));
    desk.http.post_keyed(CALLS, "k1", &to(CURT_TOO)).await.problem(422);
    let refused = desk.http.post_keyed(CALLS, "k2", &to(INVALID)).await;
    refused.problem(422);
    let again = desk.http.post_keyed(CALLS, "k2", &to(INVALID)).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (422, &refused.body, "true"));
    assert_eq!(again.header("content-type"), "application/problem+json");

    let same = to(CURT_TOO);
    let both = tokio::join!(desk.http.post_keyed(CALLS, "k3", &same), desk.http.post_keyed(CALLS, "k3", &same));
    for reply in [both.0, both.1] {
        assert!([201, 409].contains(&reply.status), "{}", reply.body);
    }
    assert_eq!((desk.created(CURT), desk.created(CURT_TOO)), (1, 1));
}

#[tokio::test]
async fn a_call_that_is_not_there_is_404() {
    let desk = Desk::open().await;
    for id in ["nonsense", "job_00000000000000000000000000", "camp_00000000000000000000000000"] {
        desk.http.get(&format!("{CALLS}/{id}")).await.problem(404);
    }
    desk.http.send(Method::GET, CALLS).await.problem(405);
}
