//! "Don't call us again."

use reqwest::Method;
use serde_json::json;

use super::desk::{CURT, DO_NOT_CALL, Desk, Keeper, RINGS, id_of};

on_each_keeper! {
    whoever_asks_not_to_be_called_is_never_called_again,
    a_number_that_is_suppressed_by_hand_is_hung_up_on,
}

async fn whoever_asks_not_to_be_called_is_never_called_again(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let later = desk.campaign_of(&[DO_NOT_CALL, CURT], json!({})).await;
    let campaign = desk.calling(&[DO_NOT_CALL], json!({"max_attempts": 3, "redial_after_minutes": 0})).await;
    let job = desk.only_job(&campaign).await;
    let list = desk.until("the number is suppressed", async || {
        let list = desk.get("/v1/suppressions").await["items"].as_array().unwrap().clone();
        (!list.is_empty()).then_some(list)
    });
    let list = list.await;
    // At once, while the agent still says goodbye.
    assert_eq!(desk.job(&job).await["status"], "in_progress");
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["phone_number"], DO_NOT_CALL);
    assert!(list[0]["reason"].as_str().unwrap().contains("Please don't call us again"), "{list:?}");
    assert!(list[0]["since"].is_string());
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["disposition"], &jobs[0]["tries"]), (&json!("do_not_call"), &json!(1)));

    let call = json!({"phone_number": DO_NOT_CALL});
    desk.http.post("/v1/calls", &call).await.blames("/phone_number");
    desk.http.post(&format!("/v1/jobs/{job}/redial"), &json!({})).await.problem(409);
    desk.tell(&later, "start").await.expect(200);
    let jobs = desk.finished(&later).await;
    assert_eq!((&jobs[0]["status"], &jobs[0]["skip_reason"]), (&json!("skipped"), &json!("suppressed")));
    assert_eq!((&jobs[0]["attempts"], &jobs[1]["tries"]), (&json!([]), &json!(1)));
    assert_eq!(desk.created(DO_NOT_CALL), 1);

    // Until a person takes it back.
    let path = format!("/v1/suppressions/{DO_NOT_CALL}");
    let released = desk.http.send(Method::DELETE, &path).await;
    assert_eq!((released.status, released.body.as_str()), (204, ""));
    desk.http.send(Method::DELETE, &path).await.problem(404);
    assert_eq!(desk.get("/v1/suppressions").await["items"], json!([]));
    desk.http.post("/v1/calls", &call).await.expect(201);
}

async fn a_number_that_is_suppressed_by_hand_is_hung_up_on(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let request = json!({"phone_number": RINGS, "reason": "asked by mail"});
    let made = desk.http.post_keyed("/v1/suppressions", "one", &request).await;
    assert_eq!(made.expect(201)["reason"], "asked by mail");
    let replay = desk.http.post_keyed("/v1/suppressions", "one", &request).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &made.body, "true"));
    desk.until_job(&job, "cancelled").await;
    assert_eq!(desk.statuses(&desk.call_to(RINGS).sid).last(), Some(&gymcall_simulator::Status::Canceled));
    assert_eq!(id_of(&desk.finished(&campaign).await[0]), job);
    assert_eq!(desk.created(RINGS), 1);
}
