//! The REST API: what is refused, what is listed, what can be changed.

use crate::support::app::App;
use crate::support::rest::{Client, rest_of};
use crate::support::{FROM, over, settings, soon, start, warnings};
use gymcall_simulator::{Event, Faults, Settings, Simulator, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const URL: (&str, &str) = ("Url", "http://127.0.0.1:9/voice");

#[tokio::test]
async fn wrong_orders_are_refused_with_twilios_codes() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let to = ("To", "+14155550101");
    let from = ("From", FROM);
    for (params, code) in [
        (vec![from, URL], 21201),
        (vec![to, URL], 21213),
        (vec![to, from], 21205),
        (vec![to, from, ("Url", "voice")], 21205),
        // As it is written it would be two requests, or none.
        (vec![to, from, ("Url", "http://127.0.0.1:9/a\r\nX-Other: y")], 21205),
        (vec![to, from, ("Url", "http://127.0.0.1:9/a b")], 21205),
        (vec![("To", "not-a-number"), from, URL], 21211),
        (vec![("To", "+14155550110"), from, URL], 21211),
        (vec![("To", FROM), from, URL], 21211),
        (vec![to, ("From", "gym"), URL], 21212),
        (vec![to, from, URL, ("Timeout", "soon")], 21208),
        (vec![to, from, URL, ("Method", "PUT")], 21209),
    ] {
        let reply = client.post("/Calls.json", &params).await;
        assert_eq!(reply.status, 400, "{params:?}");
        assert_eq!(reply.json["code"], code, "{params:?}");
        assert_eq!(reply.json["status"], 400);
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        assert_eq!(reply.json["more_info"], more);
        assert!(reply.json["message"].is_string());
    }
    assert!(simulator.log().creates().is_empty());
    assert_eq!(simulator.log().entries().len(), 12);
}

#[tokio::test]
async fn strangers_and_wrong_paths_are_turned_away() {
    let simulator = start(settings()).await;
    let mut client = Client::of(&simulator);
    let missing = "/Calls/CA00000000000000000000000000000000.json";
    let reply = client.get(missing).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (404, Some(20404)));
    assert!(reply.json["message"].as_str().unwrap().contains(missing));
    let other = "/2010-04-01/Accounts/AC11111111111111111111111111111111/Calls.json";
    assert_eq!(client.get(other).await.status, 404);
    assert_eq!(client.get("/Messages.json").await.status, 404);
    let reply = client.send("PATCH", "/Calls.json", "").await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (405, Some(20004)));
    client.password = "wrong".to_owned();
    let reply = client.create("+14155550101", &[URL]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (401, Some(20003)));
    assert!(simulator.log().entries().is_empty());
}

/// A simulator so slow that all but the first call stay queued.
async fn slow() -> Simulator {
    start(Settings { calls_per_second: 0.01, ..settings() }).await
}

#[tokio::test]
async fn a_call_taken_back_while_queued_is_never_dialled_and_tells_nobody() {
    let mut app = App::start("<Response/>").await;
    let simulator = slow().await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let params = [
        URL,
        ("StatusCallback", status.as_str()),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "completed"),
    ];
    let first = client.created("+14155550107", &params).await;
    over(&simulator, &first).await;
    let queued = client.create("+14155550101", &params).await.json;
    let sid = queued["sid"].as_str().unwrap();
    let path = format!("/Calls/{sid}.json");
    let reply = client.post(&path, &[("Status", "canceled")]).await;
    assert_eq!((reply.status, reply.json["status"].as_str()), (200, Some("canceled")));
    assert!(reply.json["start_time"].is_null());
    assert_eq!(over(&simulator, sid).await, [Status::Canceled]);
    let again = client.post(&path, &[("Status", "canceled")]).await;
    assert_eq!((again.status, again.json["code"].as_u64()), (400, Some(21220)));
    assert_eq!(app.next().await.status(), "initiated");
    assert_eq!(app.next().await.status(), "busy");
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn a_ringing_call_can_be_taken_back_and_tells_so() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let params = [
        URL,
        ("StatusCallback", status.as_str()),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "completed"),
    ];
    let sid = client.created("+14155550109", &params).await;
    assert_eq!(app.next().await.status(), "ringing");
    let path = format!("/Calls/{sid}.json");
    let reply = client.post(&path, &[("Status", "canceled")]).await;
    assert_eq!(reply.json["status"], "canceled");
    assert_eq!(app.next().await.status(), "canceled");
}

#[tokio::test]
async fn an_answered_call_is_not_canceled_but_can_be_completed() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let sid = client.created("+14155550101", &[("Url", &voice)]).await;
    let got = app.next_to("/voice").await;
    assert!(got.signed && got.get("SequenceNumber").is_none());
    let path = format!("/Calls/{sid}.json");
    let reply = client.post(&path, &[("Status", "canceled")]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(21220)));
    let reply = client.post(&path, &[("Status", "completed")]).await;
    assert_eq!((reply.status, reply.json["status"].as_str()), (200, Some("completed")));
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
}

#[tokio::test]
async fn the_pace_holds_calls_back() {
    let simulator = start(Settings { calls_per_second: 10.0, ..settings() }).await;
    let client = Client::of(&simulator);
    let mut last = String::new();
    for n in 0..6 {
        let reply = client.create(&format!("+1415555020{n}"), &[URL]).await;
        assert_eq!((reply.status, reply.json["status"].as_str()), (201, Some("queued")));
        last = reply.json["sid"].as_str().unwrap().to_owned();
    }
    over(&simulator, &last).await;
    let entries = simulator.log().entries();
    let is_dialled = |event: &Event| matches!(event, Event::Status { status, .. } if *status == Status::Initiated);
    let dialled: Vec<i64> = entries.iter().filter(|entry| is_dialled(&entry.what)).map(|entry| entry.at_ms).collect();
    assert_eq!(dialled.len(), 6);
    // From the first order on: a busy machine may write down the first dialling late.
    let took = dialled[5] - crate::support::logged_at(&simulator, |event| matches!(event, Event::Create { .. }));
    assert!(took >= 480, "six calls in {took} ms");
}

#[tokio::test]
async fn the_list_has_filters_and_pages() {
    let simulator = slow().await;
    let client = Client::of(&simulator);
    let mut sids = Vec::new();
    for n in 0..5 {
        let to = if n % 2 == 0 { "+14155550107" } else { "+14155550101" };
        sids.push(client.created(to, &[URL]).await);
    }
    over(&simulator, &sids[0]).await;
    let count = async |query: &str| {
        let reply = client.get(&format!("/Calls.json?{query}")).await;
        assert_eq!(reply.status, 200, "{query}");
        reply.json["calls"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 5);
    assert_eq!(count("To=%2B14155550107").await, 3);
    assert_eq!(count("To=%2B14155550107&From=%2B15005550006&Status=queued").await, 2);
    assert_eq!(count("Status=busy").await, 1);
    // A queued call has no start, so a filter on the start does not see it.
    assert_eq!(count("StartTime%3E=2026-01-02T03%3A04%3A05Z").await, 1);
    assert_eq!(count("StartTime%3C=2026-01-02").await, 0);
    assert_eq!(client.get("/Calls.json?PageSize=1001").await.json["code"], 20007);

    let mut listed = Vec::new();
    let mut next = Some("/Calls.json?PageSize=2".to_owned());
    while let Some(uri) = next {
        let page = client.get(&uri).await.json;
        assert_eq!(page.as_object().unwrap().len(), 9, "exactly one key beside the page's own");
        for call in page["calls"].as_array().unwrap() {
            listed.push(call["sid"].as_str().unwrap().to_owned());
        }
        // A new call between two pages must not show an old one twice.
        client.created("+14155550101", &[URL]).await;
        next = page["next_page_uri"].as_str().map(str::to_owned);
    }
    sids.reverse();
    assert_eq!(listed, sids);
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_although_its_calls_have_left_the_list() {
    // The first is dialled at once, and no other for minutes.
    let simulator = start(Settings { calls_per_second: 0.001, ..settings() }).await;
    let client = Client::of(&simulator);
    let first = client.created("+14155550107", &[URL]).await;
    over(&simulator, &first).await;
    let mut sids = Vec::new();
    for _ in 0..5 {
        sids.insert(0, client.created("+14155550107", &[URL]).await);
    }
    let listed = |page: &serde_json::Value| -> Vec<String> {
        page["calls"].as_array().unwrap().iter().map(|call| call["sid"].as_str().unwrap().to_owned()).collect()
    };
    let page = client.get("/Calls.json?Status=queued&PageSize=2").await.json;
    assert_eq!(listed(&page), sids[..2]);
    let next = page["next_page_uri"].as_str().unwrap();
    for sid in &sids[..2] {
        client.post(&format!("/Calls/{sid}.json"), &[("Status", "canceled")]).await;
    }
    let page = client.get(next).await.json;
    assert_eq!(listed(&page), sids[2..4]);
    let page = client.get(page["next_page_uri"].as_str().unwrap()).await.json;
    assert_eq!(listed(&page), sids[4..]);
}

#[tokio::test]
async fn several_events_in_one_value_are_taken_and_never_called_back() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let params =
        [URL, ("StatusCallback", status.as_str()), ("StatusCallbackEvent", "initiated ringing answered completed")];
    let sid = client.created("+14155550107", &params).await;
    over(&simulator, &sid).await;
    assert_eq!(warnings(&simulator), [21626]);
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn the_end_of_a_simulator_ends_its_open_connections() {
    for is_dropped in [true, false] {
        let faults = "[[request]]\nof = ['list']\nsilence = true\n[[request]]\nof = ['fetch']\ndelay_ms = 3600000";
        let faults = Faults::from_toml(faults).unwrap();
        let simulator = start(Settings { faults, ..settings() }).await;
        let client = Client::of(&simulator);
        let mut silenced = client.ask("GET", "/Calls.json", "").await;
        let mut delayed = client.ask("GET", "/Calls/CA00000000000000000000000000000000.json", "").await;
        let host = simulator.url().strip_prefix("http://").unwrap().to_owned();
        let mut page = TcpStream::connect(&host).await.unwrap();
        let request = format!("GET /log HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        page.write_all(request.as_bytes()).await.unwrap();
        // All three are being answered.
        let mut begun = vec![0; 12];
        soon(page.read_exact(&mut begun)).await.unwrap();
        let mut feed = simulator.log().subscribe();
        for _ in 0..2 {
            soon(feed.wait_for(|event| matches!(event, Event::Request { .. }))).await;
        }
        if is_dropped {
            drop(simulator);
        } else {
            simulator.shutdown().await;
        }
        for held in [&mut silenced, &mut delayed] {
            let (bytes, end) = rest_of(held).await;
            assert!(bytes.is_empty() && end.is_err(), "a reset, not a reply");
        }
        rest_of(&mut page).await.1.unwrap();
    }
}

#[tokio::test]
async fn the_end_of_a_simulator_ends_all_it_has_started() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let simulator = start(Settings { log_path: Some(path.clone()), ..settings() }).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    client.created("+14155550101", &[("Url", &voice)]).await;
    app.next_to("/voice").await;
    let address = simulator.url().replace("http://", "");
    let log = simulator.log().clone();
    soon(simulator.shutdown()).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let read = gymcall_simulator::Log::read(&path).unwrap();
    assert_eq!(read.len(), log.entries().len());
    assert_eq!(gymcall_simulator::Tally::of(&read).created.len(), 1);
}
