//! A person asks for one more call.

use serde_json::json;

use super::desk::{CURT, Desk, Keeper, RINGS, id_of};

on_each_keeper! {
    a_job_that_is_over_can_be_called_again_as_a_new_job,
    a_job_that_is_not_over_cannot_be_redialled,
}

async fn a_job_that_is_over_can_be_called_again_as_a_new_job(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    let old = id_of(&desk.finished(&campaign).await[0]);
    let before = desk.job(&old).await;
    let path = format!("/v1/jobs/{old}/redial");
    let made = desk.http.post_keyed(&path, "one", &json!({})).await;
    let new = made.expect(201);
    assert_ne!(new["id"], old);
    assert_eq!((&new["phone_number"], &new["campaign_id"]), (&json!(CURT), &json!(campaign)));
    let replay = desk.http.post_keyed(&path, "one", &json!({})).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &made.body, "true"));
    let over = desk.until_job(&id_of(&new), "failed").await;
    assert_eq!(over["tries"], 1);
    assert_eq!(desk.finished(&campaign).await.len(), 2);
    assert_eq!(desk.job(&old).await, before, "the old job has changed");
    assert_eq!(desk.created(CURT), 2);
    desk.assert_no_attempt_was_dialled_twice();
}

async fn a_job_that_is_not_over_cannot_be_redialled(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign_of(&[RINGS], json!({})).await;
    let path = format!("/v1/jobs/{}/redial", desk.only_job(&campaign).await);
    desk.http.post(&path, &json!({})).await.problem(409);
    desk.tell(&campaign, "start").await.expect(200);
    desk.until_created(1).await;
    desk.http.post(&path, &json!({})).await.problem(409);
    assert_eq!(desk.jobs(&campaign).await.len(), 1);
}
