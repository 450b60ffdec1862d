//! Twilio does not accept the account.

use serde_json::json;

use super::desk::{ANSWERS, CURT, CURT_TOO, Desk, Keeper, Plan, TOKEN};

on_each_keeper! {
    a_refused_account_pauses_everything_and_loses_nothing,
}

async fn a_refused_account_pauses_everything_and_loses_nothing(keeper: Keeper) {
    let settings = vec![("TWILIO_AUTH_TOKEN", "ffffffffffffffffffffffffffffffff")];
    let mut desk = Desk::of(Plan { settings, keeper, ..Plan::default() }).await;
    let policy = json!({"max_attempts": 1});
    let one = desk.campaign_of(&[ANSWERS, CURT], policy.clone()).await;
    let two = desk.campaign_of(&[CURT_TOO], policy).await;
    for campaign in [&one, &two] {
        desk.tell(campaign, "start").await.expect(200);
    }
    for campaign in [&one, &two] {
        desk.until_campaign(campaign, "paused").await;
        assert_eq!(desk.get(&format!("/v1/campaigns/{campaign}")).await["paused_reason"], "credentials");
        for job in desk.jobs(campaign).await {
            assert_eq!((&job["status"], &job["outcome"]), (&json!("waiting"), &json!(null)), "{job}");
        }
    }
    desk.http.post("/v1/calls", &json!({"phone_number": "+14155550102"})).await.problem(503);
    assert_eq!(desk.twilio.log().creates().len(), 0);

    desk.stop().await;
    desk.start_again(&[("TWILIO_AUTH_TOKEN", TOKEN)]).await;
    for campaign in [&one, &two] {
        assert_eq!(desk.status_of(campaign).await, "paused", "a restart alone resumes nothing");
        desk.tell(campaign, "resume").await.expect(200);
    }
    let jobs = [desk.finished(&one).await, desk.finished(&two).await].concat();
    assert_eq!(jobs[0]["outcome"], "answered");
    for job in jobs {
        assert_eq!((&job["tries"], desk.created(job["phone_number"].as_str().unwrap())), (&json!(1), 1), "{job}");
    }
}
