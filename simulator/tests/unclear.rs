//! Requests whose client cannot know whether they made a call, news that is lost, records that lag.

use std::io::ErrorKind;

use crate::support::app::App;
use crate::support::rest::{Client, rest_of};
use crate::support::{over, settings, soon, start};
use gymcall_simulator::{Asked, Callbacks, Entry, Event, Faults, Log, Settings, Simulator, Status};

const BUSY: &str = "+14155550107";
const ANSWERS: &str = "+14155550101";
const NOBODYS: &str = "http://127.0.0.1:9/voice";

async fn with_faults(toml: &str) -> Simulator {
    start(Settings { faults: Faults::from_toml(toml).unwrap(), ..settings() }).await
}

async fn created(simulator: &Simulator) -> String {
    let mut feed = simulator.log().subscribe();
    let entry = soon(feed.wait_for(|event| matches!(event, Event::Create { created: true, .. }))).await;
    entry.what.sid().unwrap().to_owned()
}

/// The log's line of the first request for a call.
fn line(entries: &[Entry]) -> (Option<String>, Option<u16>, bool) {
    let of = |entry: &Entry| match &entry.what {
        Event::Create { sid, http_status, fate, .. } => {
            Some((sid.clone(), *http_status, fate.is_unclear(std::time::Duration::from_secs(8))))
        }
        _ => None,
    };
    entries.iter().find_map(of).unwrap()
}

#[tokio::test]
async fn a_create_without_a_reply_keeps_the_connection_open_and_says_nothing() {
    let simulator = with_faults("[[fault]]\nsilence_after_create = true\ntimes = 1").await;
    let client = Client::of(&simulator);
    let socket = client.order(BUSY, &[("Url", NOBODYS)]).await;
    // The call, and another one, live from beginning to end meanwhile.
    let hidden = created(&simulator).await;
    assert_eq!(over(&simulator, &hidden).await.last(), Some(&Status::Busy));
    let shown = client.created(BUSY, &[("Url", NOBODYS)]).await;
    over(&simulator, &shown).await;
    let waiting = socket.try_read(&mut [0]).unwrap_err();
    assert_eq!(waiting.kind(), ErrorKind::WouldBlock);
    let listed = client.get("/Calls.json").await.json;
    assert_eq!((&listed["calls"][0]["sid"], &listed["calls"][1]["sid"]), (&shown.into(), &hidden.into()));
}

#[tokio::test]
async fn a_request_without_a_reply_may_have_made_no_call_either() {
    let simulator = with_faults("[[fault]]\nsilence_before_create = true\nnumbers = [\"+14155550107\"]").await;
    let client = Client::of(&simulator);
    let mut socket = client.order(BUSY, &[("Url", NOBODYS)]).await;
    let mut feed = simulator.log().subscribe();
    let asked = soon(feed.wait_for(|event| matches!(event, Event::Create { .. }))).await;
    assert_eq!(line(&[(*asked).clone()]), (None, None, true));
    let other = client.created("+14155550116", &[("Url", NOBODYS)]).await;
    over(&simulator, &other).await;
    assert_eq!(socket.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(simulator.log().creates().len(), 1);
    // Nor is anything said at the end: that nothing was created would be known then.
    soon(simulator.shutdown()).await;
    let (bytes, end) = rest_of(&mut socket).await;
    assert_eq!((bytes, end.unwrap_err().kind()), (Vec::new(), ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_silent_connection_ends_when_its_client_goes_and_the_call_goes_on() {
    let simulator = with_faults("[[fault]]\nsilence_after_create = true").await;
    drop(Client::of(&simulator).order(BUSY, &[("Url", NOBODYS)]).await);
    let sid = created(&simulator).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Busy));
}

#[tokio::test]
async fn a_reset_before_the_create_leaves_nothing_and_one_after_it_leaves_a_call() {
    for (fault, exists) in [("reset_before_create", false), ("reset_after_create", true)] {
        let folder = tempfile::tempdir().unwrap();
        let log_path = folder.path().join("calls.jsonl");
        let faults = Faults::from_toml(&format!("[[fault]]\n{fault} = true")).unwrap();
        let simulator = start(Settings { faults, log_path: Some(log_path.clone()), ..settings() }).await;
        let client = Client::of(&simulator);
        let mut socket = client.order(BUSY, &[("Url", NOBODYS)]).await;
        let (bytes, end) = rest_of(&mut socket).await;
        assert_eq!((bytes, end.unwrap_err().kind()), (Vec::new(), ErrorKind::ConnectionReset), "{fault}");
        // The judge knows before the client does.
        let (sid, http_status, unclear) = line(&Log::read(&log_path).unwrap());
        assert_eq!((sid.is_some(), http_status, unclear), (exists, None, true), "{fault}");
        let calls = client.get("/Calls.json").await.json["calls"].as_array().unwrap().len();
        assert_eq!(calls, usize::from(exists), "{fault}");
        if let Some(sid) = sid {
            assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Busy));
        }
    }
}

#[tokio::test]
async fn a_reply_can_break_off_in_its_middle() {
    let simulator = with_faults("[[fault]]\ncut_reply = true").await;
    let mut socket = Client::of(&simulator).order(BUSY, &[("Url", NOBODYS)]).await;
    let (bytes, end) = rest_of(&mut socket).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 201"), "{text}");
    let created = &simulator.log().creates()[0];
    assert_eq!(created.http_status, Some(201));
    assert!(!text.contains(&created.sid), "the reply says whose it is: {text}");
    over(&simulator, &created.sid).await;
}

#[tokio::test]
async fn a_reply_that_takes_its_time_is_whole_and_its_call_does_not_wait() {
    let simulator = with_faults("[[fault]]\ncreate_delay_ms = 1000").await;
    let began = std::time::Instant::now();
    let reply = Client::of(&simulator).create(BUSY, &[("Url", NOBODYS)]).await;
    assert!(began.elapsed().as_millis() >= 1000);
    assert_eq!((reply.status, reply.json["status"].as_str()), (201, Some("queued")));
    let entries = simulator.log().entries();
    let is_dialled = entries.iter().any(|entry| matches!(entry.what, Event::Status { .. }));
    assert!(is_dialled, "the call waits for its reply");
}

#[tokio::test]
async fn a_list_that_lags_shows_a_call_only_after_its_time() {
    let simulator = with_faults("[[fault]]\nlist_lag_ms = 500\nevents_lag_ms = 700").await;
    let client = Client::of(&simulator);
    let sid = client.created(BUSY, &[("Url", NOBODYS), ("StatusCallback", "http://127.0.0.1:9/status")]).await;
    assert_eq!(client.call(&sid).await["sid"], *sid, "by its name it is there at once");
    over(&simulator, &sid).await;
    let entries = simulator.log().entries();
    let created = entries.iter().find(|entry| matches!(entry.what, Event::Create { .. })).unwrap().at_ms;
    for (what, path, key, lag) in [
        ("the call", "/Calls.json".to_owned(), "calls", 500),
        ("a request", format!("/Calls/{sid}/Events.json"), "events", 700),
    ] {
        soon(async {
            loop {
                let found = !client.get(&path).await.json[key].as_array().unwrap().is_empty();
                let passed = jiff::Timestamp::now().as_millisecond() - created;
                assert!(!found || passed >= lag, "{what} is shown after {passed} ms");
                if found {
                    return;
                }
                // There is nothing to wait on: time alone makes it show.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// The statuses that reached the app, and what became of every callback that was made.
async fn told(toml: &str) -> (Vec<String>, Vec<Option<u16>>, Asked) {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults(toml).await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    let mut params = vec![("Url", voice.as_str()), ("StatusCallback", status.as_str())];
    params.extend(["initiated", "ringing", "answered", "completed"].map(|event| ("StatusCallbackEvent", event)));
    let sid = client.created(ANSWERS, &params).await;
    over(&simulator, &sid).await;
    let mut left = 4;
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| {
        left -= usize::from(matches!(event, Event::Webhook { url, .. } if url.contains("/status")));
        left == 0
    }))
    .await;
    let got = app.rest();
    assert_eq!(got.iter().filter(|got| got.uri == "/voice").count(), 1, "the TwiML is asked for all the same");
    let statuses = got.iter().filter(|got| got.uri == "/status").map(|got| got.status().to_owned()).collect();
    let events = client.get(&format!("/Calls/{sid}/Events.json")).await.json;
    let replies = events["events"].as_array().unwrap().iter();
    let replies = replies.filter(|event| event["request"]["url"] == *status);
    let replies = replies.map(|event| event["response"]["response_code"].as_u64().map(|code| code as u16)).collect();
    (statuses, replies, simulator.log().tally().asked.remove(0))
}

#[tokio::test]
async fn of_callbacks_that_are_lost_the_last_may_arrive() {
    let (statuses, replies, asked) = told("[[fault]]\ncallbacks = \"last\"").await;
    assert_eq!(statuses, ["completed"]);
    assert_eq!(replies, [None, None, None, Some(204)]);
    assert_eq!((asked.fate.callbacks, asked.told), (Callbacks::Last, true));
}

#[tokio::test]
async fn all_callbacks_can_be_lost() {
    let (statuses, replies, asked) = told("[[fault]]\ncallbacks = \"none\"").await;
    assert!(statuses.is_empty(), "{statuses:?}");
    assert_eq!(replies, [None; 4]);
    // By the request for TwiML the app knows of the call.
    assert_eq!((asked.fate.callbacks, asked.told), (Callbacks::None, true));
}

#[tokio::test]
async fn the_log_tells_of_which_calls_the_app_heard_nothing() {
    let simulator = with_faults("[[fault]]\ncallbacks = \"none\"\nerror_after_create = true").await;
    let client = Client::of(&simulator);
    client.create(BUSY, &[("Url", NOBODYS), ("StatusCallback", "http://127.0.0.1:9/status")]).await;
    let sid = created(&simulator).await;
    over(&simulator, &sid).await;
    let tally = simulator.log().tally();
    let patience = std::time::Duration::from_secs(8);
    assert_eq!((tally.asked[0].told, tally.asked[0].fate.is_unclear(patience)), (false, true));
}
