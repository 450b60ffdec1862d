//! One-way streams over the REST API.

use crate::support::app::App;
use crate::support::desk::Door;
use crate::support::rest::Client;
use crate::support::{over, settings, start};

const URL: (&str, &str) = ("Url", "http://127.0.0.1:9/voice");

#[tokio::test]
async fn a_one_way_stream_is_started_and_stopped() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let (door, simulator) = (Door::open().await, start(settings()).await);
    let client = Client::of(&simulator);
    let call = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    let path = format!("/Calls/{call}/Streams");
    let (url, callback) = (door.url(), app.url("/stream-status"));
    let order = [
        ("Url", url.as_str()),
        ("Name", "ear"),
        ("Track", "both_tracks"),
        ("StatusCallback", &callback),
        ("StatusCallbackMethod", "GET"),
        ("Parameter1.Name", "who"),
        ("Parameter1.Value", "me"),
        ("Parameter99.Name", "last"),
    ];
    let started = client.post(&format!("{path}.json"), &order).await;
    assert_eq!((started.status, started.json["status"].as_str()), (201, Some("in-progress")), "{}", started.json);
    let sid = started.json["sid"].as_str().unwrap();
    assert_eq!((started.json["name"].as_str(), started.json["call_sid"].as_str()), (Some("ear"), Some(call.as_str())));
    let mut desk = door.accept().await;
    assert_eq!(desk.stream_sid, sid);
    assert_eq!(desk.start["start"]["customParameters"]["who"], "me");
    assert_eq!(desk.start["start"]["customParameters"]["last"], "");
    let got = app.next_to("/stream-status").await;
    assert!(got.method == "GET" && got.uri.contains("StreamEvent=stream-started"), "{}", got.uri);
    let again = client.post(&format!("{path}.json"), &order).await;
    assert_eq!(again.status, 400, "the name is taken");

    let stopped = client.post(&format!("{path}/{sid}.json"), &[("Status", "stopped")]).await;
    assert_eq!((stopped.status, stopped.json["status"].as_str()), (200, Some("stopped")));
    desk.until("stop").await;
    assert!(app.next_to("/stream-status").await.uri.contains("stream-stopped"));
    client.post(&format!("/Calls/{call}.json"), &[("Status", "completed")]).await;
    over(&simulator, &call).await;
    let late = client.post(&format!("{path}.json"), &order).await;
    assert_eq!((late.status, late.json["code"].as_u64()), (400, Some(21220)));
}

#[tokio::test]
async fn wrong_streams_are_refused() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let call = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    let path = format!("/Calls/{call}/Streams");
    let socket = ("Url", "ws://127.0.0.1:9/x");
    for (params, code) in [
        (vec![], 21205),
        (vec![URL], 21205),
        (vec![socket, ("StatusCallback", "nowhere")], 21205),
        (vec![socket, ("StatusCallback", "http://127.0.0.1:9/"), ("StatusCallbackMethod", "PUT")], 21209),
        (vec![socket, ("Track", "left_track")], 31941),
    ] {
        let reply = client.post(&format!("{path}.json"), &params).await;
        assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(code)), "{params:?}");
    }
    let nobody =
        client.post(&format!("{path}/MZ00000000000000000000000000000000.json"), &[("Status", "stopped")]).await;
    assert_eq!(nobody.status, 404);
    let ringing = client.created("+14155550109", &[URL]).await;
    let early = client.post(&format!("/Calls/{ringing}/Streams.json"), &[socket]).await;
    assert_eq!((early.status, early.json["code"].as_u64()), (400, Some(21220)));
}
