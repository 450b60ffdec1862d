//! Pausing and going on.

use serde_json::json;

use super::desk::{ANSWERS, ANSWERS_AS_WELL, ANSWERS_TOO, CURT, Desk, Keeper};

on_each_keeper! {
    a_paused_campaign_dials_nobody_new_and_goes_on_when_it_is_resumed,
}

async fn a_paused_campaign_dials_nobody_new_and_goes_on_when_it_is_resumed(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let gyms = [ANSWERS, ANSWERS_TOO, ANSWERS_AS_WELL];
    let campaign = desk.calling(&gyms, json!({"max_concurrent_calls": 1})).await;
    // Due at the same moment, any of them may come first.
    let first = desk.until_somebody_talks(&campaign).await;
    assert_eq!(desk.tell(&campaign, "pause").await.expect(200)["status"], "pausing");
    // Asked again it says the same.
    assert_eq!(desk.tell(&campaign, "pause").await.expect(200)["status"], "pausing");
    desk.until_campaign(&campaign, "paused").await;
    let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
    assert_eq!(shown["paused_reason"], "manual");
    assert_eq!(desk.job(&first).await["outcome"], "answered");

    // Somebody else's call shows that the dialler is at work, with a free line and a free token.
    let other = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    desk.finished(&other).await;
    assert_eq!((desk.twilio.log().creates().len(), desk.created(CURT)), (2, 1));

    assert_eq!(desk.tell(&campaign, "resume").await.expect(200)["status"], "running");
    let jobs = desk.finished(&campaign).await;
    assert!(jobs.iter().all(|job| job["tries"] == 1), "{jobs:?}");
    assert!(gyms.iter().all(|gym| desk.created(gym) == 1));
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
