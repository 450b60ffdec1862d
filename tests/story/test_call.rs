//! A campaign's own call to a number of mine, before any gym hears it.

use serde_json::{Value, json};

use super::desk::{ANSWERS, ANSWERS_TOO, Desk, Keeper, RINGS, id_of};

on_each_keeper! {
    a_test_call_speaks_the_campaigns_words_and_is_in_none_of_its_counts,
}

/// A campaign that may call nobody at this hour.
async fn closed_campaign(desk: &Desk) -> String {
    let yesterday = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48)).strftime("%a").to_string();
    let request = json!({
        "name": "Survey",
        "on_behalf_of": "Trial Pass",
        "questions": [{"key": "price", "ask": "How much is a day pass in {{city}}?", "type": "money"}],
        "policy": {"window": {"days": [yesterday.to_lowercase()], "from": "12:00", "to": "13:00"}},
    });
    id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201))
}

async fn over(desk: &Desk, reply: &Value) -> Value {
    let path = format!("/v1/jobs/{}", reply["call_id"].as_str().unwrap());
    desk.until("the test call is over", async || Some(desk.get(&path).await).filter(|job| !job["outcome"].is_null()))
        .await
}

async fn a_test_call_speaks_the_campaigns_words_and_is_in_none_of_its_counts(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = closed_campaign(&desk).await;
    let path = format!("/v1/campaigns/{campaign}/test_call");
    // Without a list nobody knows the city.
    desk.http.post(&path, &json!({"phone_number": ANSWERS})).await.blames("/variables/city");
    let request = json!({"phone_number": ANSWERS, "gym_name": "My Desk", "variables": {"City": "Boston"}});
    let placed = desk.http.post_keyed(&path, "one", &request).await;
    let reply = placed.expect(201);
    assert_eq!(reply["twilio_call_sid"], *desk.call_to(ANSWERS).sid);
    let replay = desk.http.post_keyed(&path, "one", &request).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &placed.body, "true"));
    let job = over(&desk, &reply).await;
    let heard = job["transcript"].to_string();
    for words in ["Trial Pass", "My Desk", "in Boston"] {
        assert!(heard.contains(words), "{words}: {heard}");
    }
    assert_eq!(job["answers"][0]["value"], json!({"amount": "15.00", "currency": "USD"}));
    assert_eq!((job["answers"].as_array().unwrap().len(), &job["campaign_id"]), (1, &Value::Null), "{job}");

    // Once there is a list, its first gym lends what was not given.
    desk.import(&campaign, &format!("phone,gym,city\n{RINGS},Iron Temple,Austin\n")).await.expect(200);
    let job = over(&desk, &desk.http.post(&path, &json!({"phone_number": ANSWERS_TOO})).await.expect(201)).await;
    let heard = job["transcript"].to_string();
    assert!(heard.contains("Iron Temple") && heard.contains("in Austin"), "{heard}");

    let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
    assert_eq!((&shown["status"], &shown["counters"]["total"]), (&json!("ready"), &json!(1)), "{shown}");
    assert_eq!(shown["counters"]["completed"], 0, "{shown}");
    let results = desk.get(&format!("/v1/campaigns/{campaign}/results")).await;
    assert_eq!(results["items"].as_array().unwrap().len(), 1, "{results}");
    assert_eq!(desk.created(RINGS), 0);
}

#[tokio::test]
async fn a_test_call_is_bound_by_the_rules_that_bind_every_call() {
    let desk = Desk::open().await;
    let campaign = closed_campaign(&desk).await;
    let path = format!("/v1/campaigns/{campaign}/test_call");
    let ask = async |number: &str| {
        desk.http.post(&path, &json!({"phone_number": number, "variables": {"city": "Boston"}})).await
    };
    desk.http.post("/v1/suppressions", &json!({"phone_number": ANSWERS})).await.expect(201);
    assert_eq!(ask(ANSWERS).await.problem(422)["errors"][0]["code"], "suppressed");
    assert_eq!(ask("+442079460000").await.problem(422)["errors"][0]["code"], "not_allowed");
    desk.tell(&campaign, "cancel").await.expect(200);
    ask(ANSWERS_TOO).await.problem(409);
    assert_eq!(desk.twilio.log().creates().len(), 0);
}
