//! Campaigns that call every night by themselves.

use gymcall_jobs::store::{CampaignWrite, Write};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::desk::{ANSWERS, ANSWERS_TOO, Desk, Keeper, all_day, csv_of, id_of};

on_each_keeper! {
    a_campaign_calls_all_of_its_gyms_every_night,
    a_campaign_calls_once_at_its_time,
}

async fn scheduled(desk: &Desk, schedule: Value) -> String {
    let request = json!({
        "name": "Nightly",
        "questions": [{"key": "price", "ask": "How much is a day pass?", "type": "money"}],
        "policy": {"window": all_day()},
        "schedule": schedule,
    });
    let campaign = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    desk.import(&campaign, &csv_of(&[ANSWERS, ANSWERS_TOO])).await.expect(200);
    let started = desk.tell(&campaign, "start").await.expect(200);
    assert_eq!(started["status"], "scheduled");
    assert!(started["next_fire"].is_string(), "{started}");
    campaign
}

/// The calendar is turned: it is the campaign's next night in a moment.
async fn night_falls(desk: &Desk, campaign: &str) {
    let store = desk.store();
    let stored = store.campaign(&campaign.parse().unwrap()).await.unwrap().unwrap();
    let mut tonight = stored.record;
    tonight.next_fire = Some(store.now() + SignedDuration::from_millis(300));
    let write = CampaignWrite { campaign: tonight, from: Some(stored.version), begins: None };
    store.commit(Write { campaign: Some(write), ..Write::default() }).await.unwrap();
}

/// The runs of a campaign, once so many are over.
async fn ended(desk: &Desk, campaign: &str, many: usize) -> Vec<Value> {
    let what = format!("{many} runs are over");
    desk.until(&what, async || {
        let runs = desk.get(&format!("/v1/campaigns/{campaign}/runs")).await["items"].as_array().unwrap().clone();
        let over = runs.iter().filter(|run| run["ended_at"].is_string()).count();
        (over == many && runs.len() == many).then_some(runs)
    })
    .await
}

async fn a_campaign_calls_all_of_its_gyms_every_night(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = scheduled(&desk, json!({"cron": "30 2 * * *", "timezone": "Europe/Berlin"})).await;
    assert_eq!(desk.created(ANSWERS), 0, "nobody is called before the night");
    let mut last = None;
    for night in 1..=2 {
        night_falls(&desk, &campaign).await;
        let runs = ended(&desk, &campaign, night).await;
        let run = &runs[0];
        assert_eq!((&run["number"], &run["cause"]), (&json!(night), &json!("schedule")), "{run}");
        assert_eq!((&run["counters"]["completed"], &run["counters"]["total"]), (&json!(2), &json!(2)), "{run}");
        let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
        assert_eq!((&shown["run_id"], &shown["status"]), (&run["id"], &json!("scheduled")), "{shown}");
        assert!(shown["next_fire"].is_string());
        assert_ne!(last, Some(run["id"].clone()));
        last = Some(run["id"].clone());
    }
    assert_eq!((desk.created(ANSWERS), desk.created(ANSWERS_TOO)), (2, 2));

    let copy = desk.http.post(&format!("/v1/campaigns/{campaign}/duplicate"), &json!({"name": "By day"})).await;
    let copy = copy.expect(201);
    assert_eq!(
        (&copy["name"], &copy["status"], &copy["counters"]["waiting"]),
        (&json!("By day"), &json!("ready"), &json!(2))
    );
    assert_eq!(copy["schedule"], json!({"cron": "30 2 * * *", "timezone": "Europe/Berlin", "missed": "run_once"}));
    let runs = desk.get(&format!("/v1/campaigns/{}/runs", copy["id"].as_str().unwrap())).await;
    assert_eq!(runs["items"], json!([]), "what became of the original is not the copy's");
}

async fn a_campaign_calls_once_at_its_time(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let at = desk.store().now() + SignedDuration::from_millis(900);
    let campaign = scheduled(&desk, json!({"at": at.to_string()})).await;
    let runs = ended(&desk, &campaign, 1).await;
    assert_eq!(runs[0]["due_at"], json!(at.to_string()));
    assert!(runs[0]["started_at"].as_str().unwrap() >= at.to_string().as_str());
    let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
    assert_eq!((&shown["status"], &shown["next_fire"]), (&json!("completed"), &Value::Null));
    assert_eq!((desk.created(ANSWERS), desk.created(ANSWERS_TOO)), (1, 1));
}

#[tokio::test]
async fn a_schedule_that_cannot_be_kept_is_refused_by_the_name_of_its_field() {
    let desk = Desk::open().await;
    for (schedule, pointer) in [
        (json!({}), "/schedule"),
        (json!({"cron": "30 2 * * *"}), "/schedule/timezone"),
        (json!({"cron": "30 2 * * *", "timezone": "CET"}), "/schedule/timezone"),
        (json!({"cron": "30 25 * * *", "timezone": "Europe/Berlin"}), "/schedule/cron"),
        (json!({"at": "2020-01-01T00:00:00Z"}), "/schedule/at"),
        (json!({"at": "tomorrow"}), "/schedule/at"),
        (json!({"at": "2030-01-01T00:00:00Z", "missed": "perhaps"}), "/schedule/missed"),
    ] {
        let request = json!({"name": "Nightly", "schedule": schedule});
        let problem = desk.http.post("/v1/campaigns", &request).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{schedule}: {problem}");
    }
}
