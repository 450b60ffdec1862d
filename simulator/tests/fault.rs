//! What can be wrong with callbacks and replies, and webhooks to an app that is down or fails.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{over, settings, start};
use gymcall_simulator::{Event, Faults, Settings, Simulator, Status};
use tokio::net::TcpListener;

const EVENTS: [(&str, &str); 4] = [
    ("StatusCallbackEvent", "initiated"),
    ("StatusCallbackEvent", "ringing"),
    ("StatusCallbackEvent", "answered"),
    ("StatusCallbackEvent", "completed"),
];

async fn with_faults(toml: &str) -> Simulator {
    start(Settings { faults: Faults::from_toml(toml).unwrap(), ..settings() }).await
}

async fn order(client: &Client, app: &App, to: &str) -> crate::support::rest::Reply {
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    let mut params = vec![("Url", voice.as_str()), ("StatusCallback", status.as_str())];
    params.extend(EVENTS);
    client.create(to, &params).await
}

/// The sequence numbers of the next `count` status callbacks.
async fn sequence(app: &mut App, count: usize) -> Vec<String> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let got = app.next_to("/status").await;
        numbers.push(got.get("SequenceNumber").unwrap().to_owned());
    }
    numbers
}

#[tokio::test]
async fn twice_is_the_same_news_in_two_requests() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\ntwice = true").await;
    order(&Client::of(&simulator), &app, "+14155550101").await;
    let mut told = Vec::new();
    while told.len() < 8 {
        let got = app.next_to("/status").await;
        told.push((got.get("SequenceNumber").unwrap().to_owned(), got.header("i-twilio-idempotency-token").to_owned()));
    }
    told.sort();
    let numbers: Vec<_> = told.iter().map(|(number, _)| number.as_str()).collect();
    assert_eq!(numbers, ["0", "0", "1", "1", "2", "2", "3", "3"]);
    // By its token an app knows the second from another event.
    told.dedup();
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test]
async fn shuffled_callbacks_change_places_in_pairs() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nshuffled = true").await;
    order(&Client::of(&simulator), &app, "+14155550101").await;
    assert_eq!(sequence(&mut app, 4).await, ["1", "0", "3", "2"]);
}

#[tokio::test]
async fn late_callbacks_come_after_their_time() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nlate_ms = 700").await;
    let client = Client::of(&simulator);
    let reply = order(&client, &app, "+14155550107").await;
    let sid = reply.json["sid"].as_str().unwrap();
    over(&simulator, sid).await;
    assert_eq!(sequence(&mut app, 2).await, ["0", "1"]);
    let mut feed = simulator.log().subscribe();
    crate::support::soon(feed.wait_for(|event| matches!(event, Event::Webhook { .. }))).await;
    let dialled = crate::support::logged_at(&simulator, |event| matches!(event, Event::Status { .. }));
    let told = crate::support::logged_at(&simulator, |event| matches!(event, Event::Webhook { .. }));
    assert!(told - dialled >= 700, "{} ms", told - dialled);
}

#[tokio::test]
async fn callbacks_can_come_before_the_reply() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nbefore_reply = true\nlate_ms = 400").await;
    let reply = order(&Client::of(&simulator), &app, "+14155550109").await;
    assert_eq!((reply.status, reply.json["status"].as_str()), (201, Some("queued")));
    let before = app.rest();
    assert_eq!(before[0].status(), "initiated");
}

#[tokio::test]
async fn throttled_requests_create_nothing_until_the_times_are_over() {
    let app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nthrottle = true\ntimes = 2").await;
    let client = Client::of(&simulator);
    for _ in 0..2 {
        let reply = order(&client, &app, "+14155550107").await;
        assert_eq!((reply.status, reply.json["code"].as_u64()), (429, Some(20429)));
    }
    assert!(simulator.log().creates().is_empty());
    assert_eq!(order(&client, &app, "+14155550107").await.status, 201);
}

#[tokio::test]
async fn an_error_before_the_create_creates_nothing() {
    let app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nerror_before_create = true").await;
    let client = Client::of(&simulator);
    assert_eq!(order(&client, &app, "+14155550107").await.status, 500);
    assert_eq!(client.get("/Calls.json").await.json["calls"].as_array().unwrap().len(), 0);
    assert!(simulator.log().creates().is_empty());
}

#[tokio::test]
async fn an_error_after_the_create_hides_a_call_that_is_listed_and_rings() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nerror_after_create = true").await;
    let client = Client::of(&simulator);
    let reply = order(&client, &app, "+14155550107").await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (500, Some(20500)));
    assert_eq!(app.next().await.status(), "initiated");
    let list = client.get("/Calls.json?To=%2B14155550107").await.json;
    let sid = list["calls"][0]["sid"].as_str().unwrap();
    let created = &simulator.log().creates()[0];
    assert_eq!((created.sid.as_str(), created.http_status), (sid, Some(500)));
}

#[tokio::test]
async fn a_slow_reply_leaves_a_call_although_its_client_has_gone() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\ncreate_delay_ms = 60000").await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let mut params = vec![("Url", "http://127.0.0.1:9/"), ("StatusCallback", &status)];
    params.extend(EVENTS);
    tokio::select! {
        _ = client.create("+14155550107", &params) => panic!("the reply came"),
        got = app.next() => assert_eq!(got.status(), "initiated"),
    }
    let sid = simulator.log().creates()[0].sid.clone();
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Busy));
}

fn tries(simulator: &Simulator) -> Vec<(u32, Option<u16>)> {
    simulator
        .log()
        .entries()
        .iter()
        .filter_map(|entry| match &entry.what {
            Event::Webhook { attempt, response, .. } => Some((*attempt, *response)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn callbacks_are_tried_again_while_the_app_is_down() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let status = format!("http://{address}/status#rc=5&rp=5xx,ct,rt");
    let params = [("Url", "http://127.0.0.1:9/voice"), ("StatusCallback", status.as_str())];
    client.created("+14155550107", &params).await;
    let mut feed = simulator.log().subscribe();
    let failed = |event: &Event| matches!(event, Event::Webhook { error: Some(_), .. });
    crate::support::soon(feed.wait_for(failed)).await;
    crate::support::soon(feed.wait_for(failed)).await;
    let mut app = App::on(TcpListener::bind(address).await.unwrap(), "<Response/>");
    let got = app.next().await;
    assert!(got.signed, "the fragment is neither sent nor signed");
    assert_eq!(got.status(), "busy");
}

#[tokio::test]
async fn an_apps_error_is_tried_again_only_if_the_url_says_so() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    app.answer_next_with(&[503, 503]);
    let patient = app.url("/status#rc=3&rp=5xx");
    let url = ("Url", "http://127.0.0.1:9/voice");
    client.created("+14155550107", &[url, ("StatusCallback", &patient)]).await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let got = app.next().await;
        tokens.push(got.header("i-twilio-idempotency-token").to_owned());
    }
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    let mut feed = simulator.log().subscribe();
    crate::support::soon(feed.wait_for(|event| matches!(event, Event::Webhook { response: Some(204), .. }))).await;
    assert_eq!(tries(&simulator), [(1, Some(503)), (2, Some(503)), (3, Some(204))]);

    app.answer_next_with(&[503]);
    let plain = app.url("/status");
    client.created("+14155550107", &[url, ("StatusCallback", &plain)]).await;
    crate::support::soon(feed.wait_for(|event| matches!(event, Event::Warning { code: 15003, .. }))).await;
    assert_eq!(tries(&simulator).len(), 4);
}
