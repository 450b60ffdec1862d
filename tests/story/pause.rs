//! Pausing and going on.

use serde_json::json;

use super::desk::{ANSWERS, CURT, CURT_AS_WELL, CURT_TOO, Desk, id_of};

#[tokio::test]
async fn a_paused_campaign_dials_nobody_new_and_goes_on_when_it_is_resumed() {
    let desk = Desk::open().await;
    let campaign = desk.calling(&[ANSWERS, CURT, CURT_TOO], json!({"max_concurrent_calls": 1})).await;
    let first = id_of(&desk.jobs(&campaign).await[0]);
    desk.until_job(&first, "in_progress").await;
    assert_eq!(desk.tell(&campaign, "pause").await.expect(200)["status"], "pausing");
    // Asked again it says the same.
    assert_eq!(desk.tell(&campaign, "pause").await.expect(200)["status"], "pausing");
    desk.until_campaign(&campaign, "paused").await;
    let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
    assert_eq!(shown["paused_reason"], "manual");
    assert_eq!(desk.job(&first).await["outcome"], "answered");

    // Somebody else's call shows that the dialler is at work, with a free line and a free token.
    let other = desk.calling(&[CURT_AS_WELL], json!({"max_attempts": 1})).await;
    desk.finished(&other).await;
    let dialled: Vec<_> = desk.twilio.log().creates().into_iter().map(|call| call.to).collect();
    assert_eq!(dialled, [ANSWERS, CURT_AS_WELL]);

    assert_eq!(desk.tell(&campaign, "resume").await.expect(200)["status"], "running");
    let jobs = desk.finished(&campaign).await;
    assert!(jobs.iter().all(|job| job["tries"] == 1), "{jobs:?}");
    assert_eq!((desk.created(CURT), desk.created(CURT_TOO)), (1, 1));
    assert_eq!(desk.twilio.log().tally().max_live, 1, "more calls at once than the campaign allows itself");
}

#[tokio::test]
async fn a_campaign_does_only_what_fits_where_it_stands() {
    let desk = Desk::open().await;
    let campaign = desk.campaign(json!({})).await;
    desk.tell(&campaign, "start").await.problem(409);
    desk.tell(&campaign, "pause").await.problem(409);
    desk.tell(&campaign, "resume").await.problem(409);
    assert_eq!(desk.status_of(&campaign).await, "draft");
}
