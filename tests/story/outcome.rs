//! The whole way of a campaign over HTTP: a list goes in, it calls at night, and in the morning answers and changes
//! come out.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::desk::{ANSWERS_TOO, BUSY, Desk, all_day, id_of};

/// Gyms in four zones, one of them busy, and a row that cannot be called.
const GYMS: &str = "\
phone,gym,city,state
+12125550101,East Gym,New York,NY
(312) 555-0102,Lake Gym,Chicago,IL
+14155550107,Busy Gym,San Francisco,CA
+18085550104,=Island(),Honolulu,HI
call us!,Nowhere,,
+1 212 555 0101,East Gym again,New York,NY
";

#[tokio::test]
async fn a_list_goes_in_and_every_morning_answers_and_changes_come_out() {
    let mut desk = Desk::open().await;
    let mut request = json!({
        "name": "Nightly",
        "on_behalf_of": "Trial Pass",
        "greeting": "We ask gyms in {{city}}.",
        "questions": [{"key": "price", "ask": "How much is a day pass?", "type": "money"}],
        "schedule": {"cron": "0 3 * * *", "timezone": "America/New_York"},
        "policy": {"window": all_day(), "max_attempts": 1, "max_concurrent_calls": 1},
    });
    let id = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    let campaign = format!("/v1/campaigns/{id}");

    // The list: what it needs, what is wrong with it, and then the list itself.
    let template = desk.http.get(&format!("{campaign}/gyms/template.csv")).await;
    assert!(template.body.contains("phone_number") && template.body.contains("city"), "{}", template.body);
    let counts = |report: &Value| ["accepted", "corrected", "duplicates", "rejected"].map(|name| report[name].clone());
    let expected = [4, 1, 1, 1].map(|number| json!(number));
    let tried = desk.http.upload(&format!("{campaign}/gyms?dry_run=true"), GYMS, &[]).await.expect(200);
    assert_eq!((counts(&tried), desk.status_of(&id).await), (expected.clone(), json!("draft")), "{tried}");
    let report = desk.import(&id, GYMS).await.expect(200);
    assert_eq!((counts(&report), desk.status_of(&id).await), (expected, json!("ready")), "{report}");
    assert_eq!(report["rows"][0]["line"], 6, "{report}");

    // A call to a phone of mine, and what the night will be like.
    let test =
        desk.http.post(&format!("{campaign}/test_call"), &json!({"phone_number": ANSWERS_TOO})).await.expect(201);
    let test = format!("/v1/jobs/{}", test["call_id"].as_str().unwrap());
    let heard = desk.until("the test call is over", async || {
        Some(desk.get(&test).await).filter(|job| job["status"] == "completed")
    });
    let heard = heard.await["transcript"].to_string();
    assert!(heard.contains("East Gym") && heard.contains("We ask gyms in New York."), "{heard}");
    let forecast = desk.get(&format!("{campaign}/forecast")).await;
    assert_eq!((&forecast["gyms"], forecast["finish_at"].is_string()), (&json!(4), true), "{forecast:#}");

    // Every night at three, by New York's clock.
    let scheduled = desk.tell(&id, "start").await.expect(200);
    assert_eq!(scheduled["status"], "scheduled");
    let due: Timestamp = serde_json::from_value(scheduled["next_fire"].clone()).unwrap();
    assert_eq!(due.strftime("%M:%S").to_string(), "00:00");
    assert_eq!(desk.created("+12125550101"), 0);

    // Nobody wants to wait for that here: the same, in a moment.
    request["schedule"] = json!({"at": Timestamp::now() + SignedDuration::from_millis(500)});
    let id = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    desk.import(&id, GYMS).await.expect(200);
    assert_eq!(desk.tell(&id, "start").await.expect(200)["status"], "scheduled");
    first_night(&desk, &id).await;
    // The night after: another list, other prices, and nobody is busy.
    desk.change_callees(|callees| {
        callees.replace("It is 15 dollars", "It is 20 dollars").replace(BUSY, "+19995550107")
    })
    .await;
    second_night(&desk, &id).await;
    desk.assert_no_attempt_was_dialled_twice();
}

fn price(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// Paused at its first call, which goes on to its end; then the rest.
async fn first_night(desk: &Desk, id: &str) {
    let campaign = format!("/v1/campaigns/{id}");
    desk.until_somebody_talks(id).await;
    let paused = desk.tell(id, "pause").await.expect(200);
    assert_eq!(paused["paused_reason"], "manual");
    desk.until_campaign(id, "paused").await;
    let counters = &desk.get(&campaign).await["counters"];
    assert_eq!((&counters["completed"], &counters["waiting"]), (&json!(1), &json!(3)), "{counters}");
    desk.tell(id, "resume").await.expect(200);
    desk.until_campaign(id, "completed").await;
    let counters = &desk.get(&campaign).await["counters"];
    let numbers = ["completed", "failed", "calls", "connected"].map(|name| counters[name].clone());
    assert_eq!(numbers, [json!(3), json!(1), json!(4), json!(3)], "{counters}");
    assert_eq!(counters["pick_up_rate"], 0.75, "{counters}");
    let results = desk.get(&format!("{campaign}/results")).await;
    let told: Vec<&Value> = results["items"].as_array().unwrap().iter().map(|item| &item["answers"]["price"]).collect();
    assert_eq!(told, [&price("15.00"), &price("15.00"), &json!("not_asked"), &price("15.00")]);
    assert_eq!(results["items"][0]["evidence"][0]["quote"], "It is 15 dollars");
}

async fn second_night(desk: &Desk, id: &str) {
    let campaign = format!("/v1/campaigns/{id}");
    let first = desk.get(&campaign).await["run_id"].clone();
    let list = GYMS.replace("(312) 555-0102,Lake Gym", "+13125550199,River Gym");
    let replaced = desk.http.upload(&format!("{campaign}/gyms?mode=replace"), &list, &[]).await.expect(200);
    assert_ne!(replaced["run_id"], first);
    desk.until_campaign(id, "completed").await;
    let runs = desk.get(&format!("{campaign}/runs")).await;
    let answered: Vec<&Value> =
        runs["items"].as_array().unwrap().iter().map(|run| &run["counters"]["completed"]).collect();
    assert_eq!(answered, [&json!(4), &json!(3)], "{runs:#}");
    let changes = desk.get(&format!("{campaign}/changes")).await;
    let words: Vec<(&str, &str, &Value, &Value)> = changes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let [gym, change] = ["gym_name", "change"].map(|name| item[name].as_str().unwrap());
            (gym, change, &item["before"], &item["after"])
        })
        .collect();
    let (old, new) = (price("15.00"), price("20.00"));
    let expected = [
        ("East Gym", "changed", &old, &new),
        ("Lake Gym", "gone", &old, &Value::Null),
        ("River Gym", "new", &Value::Null, &new),
        ("Busy Gym", "new", &Value::Null, &new),
        ("=Island()", "changed", &old, &new),
    ];
    assert_eq!(words, expected, "{changes:#}");
    let sheet = desk.http.get(&format!("{campaign}/changes.csv")).await.body;
    assert!(sheet.contains("'+18085550104,'=Island(),,price,changed,15.00 USD,20.00 USD"), "{sheet}");
    let first = first.as_str().unwrap();
    let sheet = desk.http.get(&format!("{campaign}/results.csv?run={first}")).await.body;
    assert_eq!((sheet.lines().count(), sheet.matches("15.00 USD").count()), (5, 3), "{sheet}");

    // A gym of an earlier run is called again in the one that is at work.
    let old = desk.get(&format!("{campaign}/jobs?run={first}&limit=1")).await["items"][0]["id"].clone();
    let again = desk.http.post(&format!("/v1/jobs/{}/redial", old.as_str().unwrap()), &json!({})).await.expect(201);
    assert_eq!(again["run_id"], replaced["run_id"]);
    desk.until_job(&id_of(&again), "completed").await;
    let skipped = desk.http.post(&format!("{campaign}/redial"), &json!({"jobs": [old]})).await.expect(201);
    assert_eq!((&skipped["created"], &skipped["skipped"][0]["why"]), (&json!(0), &json!("superseded")));
}
