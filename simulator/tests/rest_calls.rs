//! The calls resource: what a call looks like, pages both ways, changes, deletion.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{ACCOUNT, FROM, over, settings, start, warnings};
use gymcall_simulator::{Settings, Status};

const URL: (&str, &str) = ("Url", "http://127.0.0.1:9/voice");
const SILENT: &str = "+14155550113";

#[tokio::test]
async fn a_call_has_every_field_and_only_strings() {
    let app = App::start("<Response><Say>Hello</Say></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let queued = client.create("+14155550101", &[("Url", &app.url("/voice"))]).await.json;
    assert_eq!(queued["status"], "queued");
    let sid = queued["sid"].as_str().unwrap();
    over(&simulator, sid).await;
    let call = client.call(sid).await;
    let mut fields: Vec<&str> = call.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields.join(" "),
        "account_sid answered_by api_version caller_name date_created date_updated direction duration \
         end_time forwarded_from from from_formatted group_sid parent_call_sid phone_number_sid price price_unit \
         queue_time sid start_time status subresource_uris to to_formatted trunk_sid uri"
    );
    for (field, value) in [
        ("account_sid", ACCOUNT),
        ("to", "+14155550101"),
        ("to_formatted", "(415) 555-0101"),
        ("from", FROM),
        ("from_formatted", "(500) 555-0006"),
        ("status", "completed"),
        ("duration", "1"),
        ("price", "-0.01400"),
        ("price_unit", "USD"),
        ("direction", "outbound-api"),
        ("api_version", "2010-04-01"),
    ] {
        assert_eq!(call[field], value, "{field}");
    }
    let base = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}");
    assert_eq!(call["uri"], format!("{base}.json"));
    let parts = call["subresource_uris"].as_object().unwrap();
    assert_eq!((parts.len(), parts["streams"].as_str()), (9, Some(format!("{base}/Streams.json").as_str())));
    for date in ["date_created", "date_updated", "start_time", "end_time"] {
        assert!(call[date].as_str().unwrap().ends_with(" +0000"), "{date}");
    }
}

#[tokio::test]
async fn pages_lead_on_and_back_although_new_calls_come_in_front() {
    let simulator = start(Settings { calls_per_second: 0.01, ..settings() }).await;
    let client = Client::of(&simulator);
    let mut sids = Vec::new();
    for _ in 0..5 {
        sids.push(client.created("+14155550107", &[URL]).await);
    }
    sids.reverse();
    let page = async |uri: &str| {
        let page = client.get(uri).await.json;
        let shown: Vec<String> =
            page["calls"].as_array().unwrap().iter().map(|call| call["sid"].as_str().unwrap().to_owned()).collect();
        (shown, page)
    };
    let (first, one) = page("/Calls.json?PageSize=2&To=%2B14155550107").await;
    assert_eq!(first, sids[..2]);
    assert!(one["previous_page_uri"].is_null());
    client.created("+14155550107", &[URL]).await;
    let (second, two) = page(one["next_page_uri"].as_str().unwrap()).await;
    assert_eq!(second, sids[2..4]);
    let (third, three) = page(two["next_page_uri"].as_str().unwrap()).await;
    assert_eq!(third, sids[4..]);
    assert!(three["next_page_uri"].is_null());
    let (back, _) = page(three["previous_page_uri"].as_str().unwrap()).await;
    assert_eq!(back, sids[2..4]);
    let (back, _) = page(two["previous_page_uri"].as_str().unwrap()).await;
    assert_eq!(back, sids[..2]);
    let (all, empty) = page("/Calls.json?To=%2B14155550100").await;
    assert!(all.is_empty());
    assert_eq!((empty["start"].as_u64(), empty["end"].as_u64()), (Some(0), Some(0)));
}

#[tokio::test]
async fn dates_are_taken_in_many_formats() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550107", &[URL]).await;
    over(&simulator, &sid).await;
    for (query, count) in [
        ("StartTime%3E=2020-01-01", 1),
        ("StartTime%3E=01/31/2020", 1),
        ("EndTime%3C=06/11/2019%2022:05:25%20MST", 0),
        ("EndTime%3E=2019-06-11T22:05:25-07:00", 1),
        ("StartTime=2020-01-01", 0),
    ] {
        let reply = client.get(&format!("/Calls.json?{query}")).await;
        assert_eq!(reply.json["calls"].as_array().unwrap().len(), count, "{query}");
    }
    let reply = client.get("/Calls.json?StartTime=yesterday").await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(20001)));
}

#[tokio::test]
async fn a_call_is_deleted_when_it_is_over_and_not_before() {
    let app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created(SILENT, &[("Url", &app.url("/voice"))]).await;
    let path = format!("/Calls/{sid}.json");
    let reply = client.send("DELETE", &path, "").await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (409, Some(20009)));
    client.post(&path, &[("Status", "completed")]).await;
    over(&simulator, &sid).await;
    let reply = client.send("DELETE", &path, "").await;
    assert_eq!((reply.status, reply.json.is_null()), (204, true));
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(client.send("DELETE", &path, "").await.status, 404);
    assert!(client.get("/Calls.json").await.json["calls"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_live_calls_limit_and_its_fallback_can_be_changed() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created(SILENT, &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    let path = format!("/Calls/{sid}.json");
    let fallback = app.url("/voice-fallback");
    client.post(&path, &[("FallbackUrl", &fallback)]).await;
    let nowhere = "http://127.0.0.1:9/voice";
    assert_eq!(client.post(&path, &[("Url", nowhere)]).await.status, 200);
    let got = app.next_to("/voice-fallback").await;
    assert_eq!(got.get("ErrorUrl"), Some(nowhere));
    assert_eq!(client.post(&path, &[("TimeLimit", "1")]).await.status, 200);
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
}

#[tokio::test]
async fn a_change_that_is_wrong_changes_nothing() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let sid = client.created(SILENT, &[("Url", &app.url("/voice")), ("StatusCallback", &status)]).await;
    app.next_to("/voice").await;
    let path = format!("/Calls/{sid}.json");
    let other = ("StatusCallback", "http://127.0.0.1:9/elsewhere");
    for (params, code) in [
        (vec![other, ("Status", "ringing")], 20001),
        (vec![other, ("Url", status.as_str()), ("Twiml", "<Response/>")], 21205),
        (vec![other, ("Url", "nowhere")], 21205),
        (vec![other, ("TimeLimit", "long")], 21208),
        (vec![other, ("Url", status.as_str()), ("Method", "PUT")], 21209),
    ] {
        let reply = client.post(&path, &params).await;
        assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(code)), "{params:?}");
    }
    client.post(&path, &[("Status", "completed")]).await;
    assert_eq!(app.next_to("/status").await.status(), "completed");
    let reply = client.post(&path, &[("Twiml", "<Response/>")]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(21220)));
    assert!(warnings(&simulator).is_empty());
}

#[tokio::test]
async fn what_goes_wrong_is_in_the_notifications_of_the_call_and_of_the_account() {
    let mut app = App::start("This is not TwiML").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    app.answer_next_with(&[500]);
    let sid = client.created("+14155550101", &[("Url", &voice), ("StatusCallback", &app.url("/status"))]).await;
    over(&simulator, &sid).await;
    app.next_to("/status").await;
    let other = client.created("+14155550107", &[URL, ("StatusCallbackEvent", "all of them")]).await;
    let mut feed = simulator.log().subscribe();
    let is_told =
        |event: &gymcall_simulator::Event| matches!(event, gymcall_simulator::Event::Warning { code: 15003, .. });
    crate::support::soon(feed.wait_for(is_told)).await;

    let codes = async |path: &str| {
        let page = client.get(path).await.json;
        let all = page["notifications"].as_array().unwrap();
        all.iter().map(|one| one["error_code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let base = format!("/Calls/{sid}/Notifications");
    assert_eq!(codes(&format!("{base}.json")).await, ["15003", "12100"]);
    assert_eq!(codes(&format!("{base}.json?Log=1")).await, ["15003"]);
    assert_eq!(codes("/Notifications.json?Log=0").await, ["12100"]);
    assert_eq!(codes("/Notifications.json?PageSize=1").await.len(), 1);
    assert!(codes("/Notifications.json?MessageDate%3C=2020-01-01").await.is_empty());
    assert_eq!(codes(&format!("/Calls/{other}/Notifications.json")).await, ["21626"]);

    let listed = client.get(&format!("{base}.json?Log=0")).await.json["notifications"][0].clone();
    assert_eq!(
        (listed["request_url"].as_str(), listed["request_method"].as_str()),
        (Some(voice.as_str()), Some("POST"))
    );
    assert!(listed["message_text"].as_str().unwrap().contains("ErrorCode=12100"));
    let one = client.get(&format!("{base}/{}.json", listed["sid"].as_str().unwrap())).await.json;
    assert_eq!(one["response_body"], "This is not TwiML");
    assert!(one["request_variables"].as_str().unwrap().contains(&sid));
    assert_eq!(client.get(&format!("{base}/NO00000000000000000000000000000000.json")).await.status, 404);
}

#[tokio::test]
async fn a_stream_whose_url_is_no_websockets_is_told_of() {
    let app = App::start("").await;
    let socket = app.url("/media").replacen("http", "ws", 1);
    for (url, code, level) in [
        // What an app without a WebSocket answers.
        (socket.as_str(), "31920", "0"),
        ("http://127.0.0.1:9/media", "31922", "0"),
        ("https://agent.example.com/media", "31922", "0"),
        ("ws://agent.example.com/media", "31922", "0"),
        ("", "12200", "1"),
    ] {
        let url = if url.is_empty() { String::new() } else { format!("url='{url}'") };
        app.page("/voice", &format!("<Response><Connect><Stream {url}/></Connect></Response>"));
        let simulator = start(settings()).await;
        let client = Client::of(&simulator);
        let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        over(&simulator, &sid).await;
        let page = client.get(&format!("/Calls/{sid}/Notifications.json")).await.json;
        let told = page["notifications"].as_array().unwrap();
        assert!(told.iter().all(|one| one["error_code"] == code && one["log"] == level), "{url}: {page}");
        assert!(!told.is_empty(), "{url}");
    }
}

#[tokio::test]
async fn the_price_is_known_some_time_after_the_end() {
    let app = App::start("<Response/>").await;
    for (after_s, is_known) in [(3600, false), (0, true)] {
        let account = gymcall_simulator::Account::from_toml(&format!("price_after_s = {after_s}.0")).unwrap();
        let simulator = start(Settings { account, ..settings() }).await;
        let client = Client::of(&simulator);
        let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        over(&simulator, &sid).await;
        assert_eq!(client.call(&sid).await["price"].is_string(), is_known, "{after_s} s");
    }
}
