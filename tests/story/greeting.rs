//! What a campaign says before it asks.

use serde_json::{Value, json};

use super::desk::{ANSWERS, Desk, Plan, id_of};

const ALWAYS: &str = r#"{"from": "00:00", "to": "24:00", "allow_outside_hours": true}"#;

/// What the agent said first in the one call of a campaign with a greeting.
async fn first_line(desk: &Desk) -> String {
    let window: Value = serde_json::from_str(ALWAYS).unwrap();
    let request = json!({
        "name": "Day passes", "on_behalf_of": "Fit Finder",
        "greeting": " We ask all gyms in {{city}}. ",
        "questions": [{"key": "price", "ask": "How much is a day pass?", "type": "money"}],
        "policy": {"window": window},
    });
    let created = desk.http.post("/v1/campaigns", &request).await.expect(201);
    assert_eq!(created["greeting"], "We ask all gyms in {{city}}.");
    let campaign = id_of(&created);
    desk.import(&campaign, &format!("phone,name,city\n{ANSWERS},Iron Temple,Oakland\n")).await.expect(200);
    desk.tell(&campaign, "start").await.expect(200);
    let jobs = desk.finished(&campaign).await;
    assert_eq!(jobs[0]["disposition"], "answered_full", "{jobs:?}");
    let events = desk.events(jobs[0]["id"].as_str().unwrap()).await;
    let said = events.iter().find(|event| event["event"] == "agent_said").unwrap();
    said["detail"]["text"].as_str().unwrap().to_owned()
}

const LINE: &str = "Hello, this is an automated call on behalf of Fit Finder for Iron Temple. This call is not recorded. \
                    We ask all gyms in Oakland. How much is a day pass?";

#[tokio::test]
async fn a_greeting_follows_who_calls_over_a_stream() {
    assert_eq!(first_line(&Desk::open().await).await, LINE);
}

#[tokio::test]
async fn a_greeting_follows_who_calls_where_twilio_speaks() {
    let settings = vec![("GYMCALL_SPEECH", "twilio")];
    assert_eq!(first_line(&Desk::of(Plan { settings, ..Plan::default() }).await).await, LINE);
}

#[tokio::test]
async fn a_greeting_that_cannot_be_said_is_refused() {
    let desk = Desk::open().await;
    for greeting in ["", " ", "Hi {{city", "Hi {{}}", "two\nlines", &"x".repeat(501)] {
        let request = json!({"name": "A", "greeting": greeting});
        desk.http.post("/v1/campaigns", &request).await.blames("/greeting");
    }
    let request = json!({"name": "A", "questions": [{"key": "a", "ask": "Is {{brand good?"}]});
    desk.http.post("/v1/campaigns", &request).await.blames("/questions/0/ask");
    assert_eq!(desk.get("/v1/campaigns").await["items"], json!([]));
}
