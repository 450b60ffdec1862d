//! Campaigns that stop at a limit, say so, and go on.

use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::store::{CampaignWrite, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::desk::{CURT, CURT_AS_WELL, CURT_TOO, Desk, Keeper};

on_each_keeper! {
    a_spend_cap_pauses_a_campaign_until_it_is_raised,
    a_campaign_whose_day_is_over_goes_on_by_itself,
    lines_that_are_dead_pause_a_campaign,
}

/// Lines on which every call fails.
const DEAD_LINES: [&str; 12] = [
    "+14155550190",
    "+14155550191",
    "+14155550192",
    "+14155550193",
    "+14155550194",
    "+14155550195",
    "+14155550196",
    "+14155550197",
    "+14155550198",
    "+14155550199",
    "+14155550188",
    "+14155550189",
];

async fn until_paused(desk: &Desk, campaign: &str) -> Value {
    desk.until_campaign(campaign, "paused").await;
    desk.get(&format!("/v1/campaigns/{campaign}")).await
}

/// Changes a campaign's record.
async fn change(desk: &Desk, id: &str, change: impl Fn(&mut Campaign)) {
    let stored = desk.store().campaign(&id.parse().unwrap()).await.unwrap().unwrap();
    let mut campaign = stored.record;
    change(&mut campaign);
    let campaign = Some(CampaignWrite { campaign, from: Some(stored.version), begins: None });
    desk.store().commit(Write { campaign, ..Write::default() }).await.unwrap();
}

async fn a_spend_cap_pauses_a_campaign_until_it_is_raised(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    // Five minutes at 0.014 are set aside for a call, and one is begun.
    let policy = json!({"max_attempts": 1, "max_concurrent_calls": 1, "spend_cap": 0.08});
    let campaign = desk.calling(&[CURT, CURT_TOO, CURT_AS_WELL], policy).await;
    let shown = until_paused(&desk, &campaign).await;
    assert_eq!((&shown["paused_reason"], &shown["resumes_at"]), (&json!("budget"), &json!(null)), "{shown}");
    assert_eq!(shown["policy"]["spend_cap"], "0.08");
    let counters = &shown["counters"];
    assert_eq!((&counters["calls"], &counters["waiting"]), (&json!(1), &json!(2)), "{counters}");
    assert_eq!((&counters["cost"], &counters["reserved"]), (&json!("0.014"), &json!("0.00")), "{counters}");
    assert_eq!((&counters["connected"], &counters["pick_up_rate"]), (&json!(0), &json!(0.0)), "{counters}");
    let mut told = 0;
    for job in desk.jobs(&campaign).await {
        let events = desk.events(job["id"].as_str().unwrap()).await;
        told += events.iter().filter(|event| event["event"] == "campaign_paused").count();
    }
    assert_eq!(told, 1, "the history of the job that was refused tells it, once");

    change(&desk, &campaign, |campaign| campaign.policy.spend_cap = Some("0.10".parse().unwrap())).await;
    assert_eq!(desk.tell(&campaign, "resume").await.expect(200)["status"], "running");
    desk.finished(&campaign).await;
    assert_eq!(desk.twilio.log().creates().len(), 3);
    let cost = &desk.get(&format!("/v1/campaigns/{campaign}")).await["counters"]["cost"];
    assert_eq!(cost, "0.042");
}

async fn a_campaign_whose_day_is_over_goes_on_by_itself(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let policy = json!({"max_attempts": 1, "max_calls_per_day": 2});
    let campaign = desk.calling(&[CURT, CURT_TOO, CURT_AS_WELL], policy).await;
    let shown = until_paused(&desk, &campaign).await;
    assert_eq!(shown["paused_reason"], "daily_limit", "{shown}");
    let resumes_at: Timestamp = shown["resumes_at"].as_str().unwrap().parse().unwrap();
    assert!(resumes_at > desk.store().now() && resumes_at.to_string().ends_with("T00:00:00Z"), "{resumes_at}");
    assert_eq!(desk.twilio.log().creates().len(), 2);

    // As if that were now, of a day with more calls in it. Nobody resumes it.
    let now = desk.store().now();
    change(&desk, &campaign, |campaign| {
        campaign.policy.max_calls_per_day = Some(3);
        campaign.resumes_at = Some(now);
    })
    .await;
    desk.finished(&campaign).await;
    assert_eq!(desk.twilio.log().creates().len(), 3);
    let stored = desk.store().campaign(&campaign.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.record.state, stored.record.resumes_at), (CampaignState::Running, None));
}

async fn lines_that_are_dead_pause_a_campaign(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let policy = json!({"max_attempts": 1, "max_concurrent_calls": 1});
    let campaign = desk.calling(&DEAD_LINES, policy).await;
    let shown = until_paused(&desk, &campaign).await;
    assert_eq!(shown["paused_reason"], "circuit_breaker", "{shown}");
    assert_eq!((&shown["counters"]["failed"], &shown["counters"]["waiting"]), (&json!(10), &json!(2)), "{shown}");
    desk.tell(&campaign, "resume").await.expect(200);
    desk.finished(&campaign).await;
    assert_eq!(desk.twilio.log().creates().len(), 12);
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused() {
    let desk = Desk::open().await;
    for (field, value) in [
        ("max_calls_per_day", json!(0)),
        ("max_calls_per_day", json!(1_000_001)),
        ("spend_cap", json!(0)),
        ("spend_cap", json!("1000000.01")),
    ] {
        let request = json!({"name": "Limits", "policy": {field: value}});
        let problem = desk.http.post("/v1/campaigns", &request).await.problem(422);
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], format!("/policy/{field}"), "{value}: {problem}");
        assert_eq!(error["code"], "out_of_range", "{value}: {problem}");
    }
    for value in [json!("-1"), json!("a lot"), json!(true)] {
        desk.http.post("/v1/campaigns", &json!({"name": "Limits", "policy": {"spend_cap": value}})).await.problem(422);
    }
}
