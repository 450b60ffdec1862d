//! Events are delivered to others' servers: signed, in order, again when they were not taken, and nowhere private.

use std::time::Duration;

use gymcall::app::Role;
use serde_json::{Value, json};

use super::desk::{CURT, CURT_TOO, Desk, Keeper, Plan};
use super::receiver::{Received, Receiver};
use super::watch::{Heard, all_until};

on_each_keeper! {
    what_was_not_taken_is_delivered_after_a_restart_and_in_order,
}

async fn hook(desk: &Desk, request: Value) -> Value {
    desk.http.post("/v1/webhooks", &request).await.expect(201)
}

async fn shown(desk: &Desk) -> Value {
    let list = desk.get("/v1/webhooks").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    list["items"][0].clone()
}

/// The endpoint as it is shown, once that fits.
async fn until_shown(desk: &Desk, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    super::desk::within(what, async {
        loop {
            let shown = shown(desk).await;
            if fits(&shown) {
                return shown;
            }
            // How far an endpoint has got is no news of the store's, and who asks too often is sent away.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

fn taken(received: &[Received]) -> Vec<&Received> {
    received.iter().filter(|one| one.answered == 200).collect()
}

fn is_end(body: &Value) -> bool {
    ["job.failed", "job.completed"].contains(&body["type"].as_str().unwrap())
}

async fn what_was_not_taken_is_delivered_after_a_restart_and_in_order(keeper: Keeper) {
    let settings = vec![("GYMCALL_WEBHOOK_WAITS", "2s,4s,8s,16s")];
    let mut desk = Desk::of(Plan { keeper, settings, ..Plan::default() }).await;
    let receiver = Receiver::start(|_| 500).await;
    let created = hook(&desk, json!({"url": receiver.url()})).await;
    let secret = created["secret"].as_str().unwrap().to_owned();
    assert!(shown(&desk).await["secret"].is_null(), "the secret is shown once");

    let campaign = desk.calling(&[CURT, CURT_TOO], json!({"max_attempts": 1})).await;
    receiver.until("a first try", |all| !all.is_empty()).await;
    desk.finished(&campaign).await;
    let waiting = until_shown(&desk, "the next try", |shown| !shown["next_try_at"].is_null()).await;
    assert_eq!((&waiting["delivered"], &waiting["status"]), (&json!(0), &json!("active")));
    assert!(waiting["last_error"]["detail"].as_str().unwrap().contains("500"), "{waiting}");
    desk.stop().await;
    let before = receiver.received().len();
    receiver.answer(|_| 200);
    desk.start_again(&[]).await;

    let all = receiver.until("the end", |all| all.iter().any(|one| one.json()["type"] == "campaign.ended")).await;
    assert_eq!(all.iter().filter(|one| is_end(&one.json())).count(), 2);
    assert!(all.len() > before, "it came before the restart");
    // What it did not take is what it took first.
    let first = all[0].header("webhook-id");
    assert!(all[..=before].iter().all(|one| one.header("webhook-id") == first), "the order was not kept");
    let bodies: Vec<Value> = taken(&all).iter().map(|one| one.json()).collect();
    let told = all_until(&desk.http, bodies.last().unwrap()["id"].as_str().unwrap()).await;
    assert_eq!(bodies, told.into_iter().map(|heard: Heard| heard.data).collect::<Vec<_>>(), "not the same story");
    for one in &all {
        assert!(one.is_signed_with(&secret), "{one:?}");
        assert_eq!(
            (one.header("webhook-id"), one.header("content-type")),
            (one.json()["id"].as_str().unwrap(), "application/json")
        );
        let sent: i64 = one.header("webhook-timestamp").parse().unwrap();
        assert!((jiff::Timestamp::now().as_second() - sent).abs() < 60, "{sent}");
    }
    let after = until_shown(&desk, "all delivered", |shown| shown["delivered"] == bodies.len()).await;
    assert_eq!(after["position"], bodies.last().unwrap()["id"]);
    assert!(after["next_try_at"].is_null() && after["last_error"].is_null() && after["given_up"] == 0, "{after}");
}

#[tokio::test]
async fn what_is_never_taken_is_given_up_and_an_endpoint_that_is_gone_is_left_alone() {
    let settings = vec![("GYMCALL_WEBHOOK_WAITS", "50ms,100ms")];
    let desk = Desk::of(Plan { settings, ..Plan::default() }).await;
    let receiver = Receiver::start(|body| if body["type"] == "job.dialing" { 503 } else { 200 }).await;
    let events = ["job.dialing", "job.failed"];
    hook(&desk, json!({"url": receiver.url(), "events": events})).await;
    desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    let all = receiver.until("the end", |all| all.iter().any(|one| is_end(&one.json()))).await;
    let names: Vec<Value> = all.iter().map(|one| one.json()["type"].clone()).collect();
    assert_eq!(names, ["job.dialing", "job.dialing", "job.dialing", "job.failed"]);
    let shown = until_shown(&desk, "the end is counted", |shown| shown["delivered"] == 1).await;
    assert_eq!((&shown["given_up"], &shown["tries"]), (&json!(1), &json!(0)), "{shown}");

    receiver.answer(|_| 410);
    let campaign = desk.calling(&[CURT_TOO], json!({"max_attempts": 1})).await;
    until_shown(&desk, "it is disabled", |shown| shown["status"] == "disabled").await;
    desk.finished(&campaign).await;
    assert_eq!(receiver.received().len(), 5, "it was told more after it was gone");
}

#[tokio::test]
async fn one_of_many_servers_delivers_and_another_takes_over() {
    let desk = Desk::on(Keeper::Redis).await;
    let other = desk.beside(Role::ServeAndDial, &[]).await;
    let receiver = Receiver::start(|_| 200).await;
    hook(&desk, json!({"url": receiver.url(), "events": ["job.failed"]})).await;
    let campaign = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    receiver.until("one end", |all| all.len() == 1).await;
    desk.finished(&campaign).await;
    // Whichever held it: what is told after that server has gone is delivered by the other.
    other.stop().await;
    desk.calling(&[CURT_TOO], json!({"max_attempts": 1})).await;
    let all = receiver.until("the other end", |all| all.len() == 2).await;
    assert_ne!(all[0].header("webhook-id"), all[1].header("webhook-id"));
}

#[tokio::test]
async fn a_webhook_that_cannot_be_is_refused_in_words() {
    let desk = Desk::open().await;
    let add = async |request: Value| desk.http.post("/v1/webhooks", &request).await;
    for url in [
        "",
        "example.com",
        "http://93.184.216.34/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://me:pw@example.com/",
    ] {
        add(json!({"url": url})).await.blames("/url");
    }
    add(json!({"url": "https://93.184.216.34/", "events": ["job.completed", "job.lost"]})).await.blames("/events/1");
    add(json!({"url": "https://93.184.216.34/", "campaign_id": "camp_x"})).await.blames("/campaign_id");
    add(json!({"uri": "https://93.184.216.34/"})).await.problem(422);
    let made = hook(&desk, json!({"url": "https://93.184.216.34/hook"})).await;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(desk.http.send(reqwest::Method::DELETE, &path).await.status, 204);
    desk.http.send(reqwest::Method::DELETE, &path).await.problem(404);
    assert_eq!(desk.get("/v1/webhooks").await["items"], json!([]));
}

#[tokio::test]
async fn a_server_that_others_reach_delivers_nothing_to_its_own_machine() {
    let settings = vec![("PUBLIC_BASE_URL", "https://gymcall.example"), ("GYMCALL_API_KEY", "a-key-of-some-length")];
    let desk = Desk::of(Plan { no_worker: true, settings, ..Plan::default() }).await;
    let http = desk.http.with_key("a-key-of-some-length");
    for url in ["http://127.0.0.1:9/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/"] {
        http.post("/v1/webhooks", &json!({"url": url})).await.blames("/url");
    }
    desk.http.get("/v1/webhooks").await.problem(401);
    desk.http.get("/v1/events").await.problem(401);
}
