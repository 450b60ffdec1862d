//! `<Dial>` over real sockets: a second call, and what the two callees hear of each other.

use crate::support::app::{App, Got};
use crate::support::rest::Client;
use crate::support::{FROM, callees, happened, over, soon, start, warnings};
use gymcall_simulator::{Event, Simulator, Status};

const TWO: &str = r#"
[default]

[[callee]]
numbers = ["+14155550101"]
think_ms = 40

[[callee.rule]]
hears = ["who is there"]
says = "It is the gym"

[[callee]]
numbers = ["+14155550102"]
greeting = "Hello, who is there?"
calls = [{ end = "answer", after_ms = 50 }]
think_ms = 40
hangs_up_after_replies = 1

[[callee.rule]]
hears = ["it is the gym"]
says = "Thank you"

[[callee]]
numbers = ["+14155550103"]
calls = [{ end = "busy", after_ms = 20 }]

[[callee]]
numbers = ["+14155550104"]
calls = [{ end = "no_answer", after_ms = 5000 }]

[[callee]]
numbers = ["+14155550105"]
calls = [{ end = "failed", after_ms = 20 }]

[[callee]]
numbers = ["+14155550106"]
invalid = true

[[callee]]
numbers = ["+14155550108"]
presses = [{ after_ms = 800, keys = "1*" }]

[[callee]]
numbers = ["+14155550109"]
choice = [{ press = "7", goes = "there" }]

[[callee.stage]]
name = "there"
greeting = "You have reached extension seven"

[[callee]]
numbers = ["+14155550110"]
greeting = "Hello?"

[[callee]]
numbers = ["+14155550107"]
hangs_up_after_ms = 1000
"#;

const CALLER: &str = "+14155550101";
const SILENT: &str = "+14155550199";

fn dial(attributes: &str, inside: &str, rest: &str) -> String {
    format!("<Response><Dial {attributes}>{inside}</Dial>{rest}</Response>")
}

/// A call that dials as `document` says; what the app is told afterwards at `/after`.
async fn dialled(document: &str) -> (Simulator, App, String) {
    let app = App::start(document).await;
    app.page("/after", "<Response/>");
    let simulator = start(callees(TWO)).await;
    let sid = Client::of(&simulator).created(CALLER, &[("Url", &app.url("/voice"))]).await;
    (simulator, app, sid)
}

async fn children(simulator: &Simulator, sid: &str) -> Vec<serde_json::Value> {
    let list = Client::of(simulator).get(&format!("/Calls.json?ParentCallSid={sid}")).await;
    list.json["calls"].as_array().unwrap().clone()
}

async fn heard(simulator: &Simulator, sid: &str) -> String {
    happened(simulator, sid, |event| match event {
        Event::Heard { text, .. } => Some(text.clone()),
        _ => None,
    })
    .await
}

/// The call to `number`, as soon as it has been picked up.
async fn picked_up(simulator: &Simulator, number: &str) -> String {
    let mut feed = simulator.log().subscribe();
    let status = soon(
        feed.wait_for(|event| matches!(event, Event::Status { to, status: Status::InProgress, .. } if to == number)),
    );
    status.await.what.sid().unwrap().to_owned()
}

fn news<'a>(got: &'a Got, names: &[&str]) -> Vec<Option<&'a str>> {
    names.iter().map(|name| got.get(name)).collect()
}

#[tokio::test]
async fn the_two_callees_hear_each_other_until_one_hangs_up() {
    let (simulator, mut app, sid) =
        dialled(&dial("action='/after'", "(415) 555-0102", "<Redirect>/never</Redirect>")).await;
    let after = app.next_to("/after").await;
    assert_eq!(news(&after, &["DialCallStatus", "DialBridged"]), [Some("completed"), Some("true")]);
    assert!(after.get("DialCallDuration").unwrap().parse::<u64>().unwrap() >= 1);
    let other = after.get("DialCallSid").unwrap();
    assert_eq!(heard(&simulator, &sid).await, "Hello, who is there?");
    assert_eq!(heard(&simulator, other).await, "It is the gym");
    let calls = children(&simulator, &sid).await;
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!((&call["sid"], &call["parent_call_sid"]), (&other.into(), &sid.as_str().into()));
    assert_eq!((&call["direction"], &call["status"]), (&"outbound-dial".into(), &"completed".into()));
    assert_eq!((&call["to"], &call["from"]), (&"+14155550102".into(), &FROM.into()));
    over(&simulator, &sid).await;
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn a_call_that_is_not_picked_up_says_why() {
    for (attributes, number, status, warning) in [
        ("", "+14155550103", "busy", None),
        ("timeout='1'", "+14155550104", "no-answer", None),
        ("", "+14155550105", "failed", None),
        ("", "+14155550106", "failed", Some(13224)),
        ("", "not a number", "failed", Some(13223)),
    ] {
        let document = dial(&format!("action='/after' {attributes}"), number, "");
        let (simulator, mut app, _) = dialled(&document).await;
        let after = app.next_to("/after").await;
        let told = news(&after, &["DialCallStatus", "DialCallDuration", "DialBridged"]);
        assert_eq!(told, [Some(status), None, Some("false")], "{number}");
        assert_eq!(after.get("DialCallSid").is_some(), warning.is_none(), "{number}");
        assert_eq!(warnings(&simulator).first(), warning.as_ref());
    }
}

#[tokio::test]
async fn without_an_action_the_next_verb_follows() {
    let (simulator, mut app, sid) = dialled(&dial("", "+14155550103", "<Redirect>/next</Redirect>")).await;
    app.page("/next", "<Response/>");
    assert_eq!(app.next_to("/next").await.get("DialCallStatus"), None);
    over(&simulator, &sid).await;
}

#[tokio::test]
async fn the_other_call_ends_with_this_one_and_at_its_limit() {
    let (simulator, mut app, sid) = dialled(&dial("action='/after' timeLimit='1'", SILENT, "")).await;
    let after = app.next_to("/after").await;
    assert_eq!(after.get("DialCallStatus"), Some("completed"));
    // Begun seconds are counted.
    assert!((1..=3).contains(&after.get("DialCallDuration").unwrap().parse::<u64>().unwrap()));
    over(&simulator, &sid).await;

    let mut app = App::start(&dial("action='/after'", SILENT, "")).await;
    let sid = Client::of(&simulator).created("+14155550107", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    let other = children(&simulator, &sid).await[0]["sid"].as_str().unwrap().to_owned();
    assert_eq!(over(&simulator, &other).await.last(), Some(&Status::Completed));
    assert_eq!(app.next().await.uri, "/voice");
    assert!(app.rest().is_empty(), "nobody is asked once the call is over");
}

#[tokio::test]
async fn several_numbers_ring_together_and_the_first_to_pick_up_is_connected() {
    let numbers = format!("<Number>+14155550104</Number><Number>{SILENT}</Number><Number>+14155550103</Number>");
    let (simulator, mut app, sid) =
        dialled(&dial("action='/after' timeLimit='1' callerId='+15005550009'", &numbers, "")).await;
    let after = app.next_to("/after").await;
    assert_eq!(after.get("DialCallStatus"), Some("completed"));
    let calls = children(&simulator, &sid).await;
    let of = |number: &str| calls.iter().find(|call| call["to"] == number).unwrap();
    assert_eq!(after.get("DialCallSid"), of(SILENT)["sid"].as_str());
    assert_eq!(of("+14155550104")["status"], "canceled");
    assert_eq!(of("+14155550103")["status"], "busy");
    assert!(calls.iter().all(|call| call["from"] == "+15005550009"));
}

#[tokio::test]
async fn a_number_has_its_own_document_and_callbacks() {
    let number = format!(
        "<Number url='/whisper' statusCallback='/status' \
         statusCallbackEvent='initiated ringing answered completed'>{SILENT}</Number>"
    );
    let mut app = App::start(&dial("action='/after'", &number, "")).await;
    app.page("/after", "<Response/>");
    app.page("/whisper", "<Response><Say>Somebody calls</Say><Hangup/></Response>");
    let simulator = start(callees(TWO)).await;
    let sid = Client::of(&simulator).created(CALLER, &[("Url", &app.url("/voice"))]).await;
    let mut statuses = Vec::new();
    let mut whispered = false;
    loop {
        let got = app.next().await;
        match got.uri.as_str() {
            "/status" => {
                assert_eq!(news(&got, &["ParentCallSid", "Direction"]), [Some(sid.as_str()), Some("outbound-dial")]);
                statuses.push(got.status().to_owned());
            }
            "/whisper" => whispered = true,
            "/after" => {
                // It was hung up before anybody was connected.
                assert_eq!(news(&got, &["DialCallStatus", "DialBridged"]), [Some("completed"), Some("false")]);
                break;
            }
            _ => {}
        }
    }
    while statuses.len() < 4 {
        statuses.push(app.next_to("/status").await.status().to_owned());
    }
    statuses.sort();
    assert_eq!(statuses, ["completed", "in-progress", "initiated", "ringing"]);
    assert!(whispered);
}

#[tokio::test]
async fn a_call_sent_elsewhere_has_the_action_of_its_dial_asked_first() {
    let (simulator, mut app, sid) = dialled(&dial("action='/after'", SILENT, "")).await;
    app.page("/other", "<Response><Say>Elsewhere</Say></Response>");
    picked_up(&simulator, SILENT).await;
    let client = Client::of(&simulator);
    client.post(&format!("/Calls/{sid}.json"), &[("Url", &app.url("/other"))]).await;
    assert_eq!(app.next().await.uri, "/voice");
    let after = app.next().await;
    assert_eq!((after.uri.as_str(), after.get("DialCallStatus")), ("/after", Some("completed")));
    assert_eq!(app.next().await.uri, "/other");
    over(&simulator, &sid).await;
}

#[tokio::test]
async fn the_other_call_can_be_sent_elsewhere_too() {
    let (simulator, mut app, sid) = dialled(&dial("action='/after'", "+14155550107", "")).await;
    app.page("/other", "<Response><Pause length='30'/></Response>");
    let other = picked_up(&simulator, "+14155550107").await;
    let client = Client::of(&simulator);
    client.post(&format!("/Calls/{other}.json"), &[("Url", &app.url("/other"))]).await;
    let mut asked = vec![app.next_to("/").await.uri, app.next_to("/").await.uri, app.next_to("/").await.uri];
    asked.sort();
    assert_eq!(asked, ["/after", "/other", "/voice"]);
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert_eq!(over(&simulator, &other).await.last(), Some(&Status::Completed), "it hangs up after a second");
}

#[tokio::test]
async fn a_recorded_dial_tells_where_the_recording_is() {
    let (simulator, mut app, sid) =
        dialled(&dial("action='/after' record='record-from-answer-dual' timeLimit='1'", SILENT, "")).await;
    let after = app.next_to("/after").await;
    let url = after.get("RecordingUrl").unwrap();
    assert!(url.contains("/Recordings/RE"), "{url}");
    let recording = happened(&simulator, &sid, |event| match event {
        Event::Recording { recording_sid, status, .. } if status == "completed" => Some(recording_sid.clone()),
        _ => None,
    })
    .await;
    assert!(url.ends_with(&recording));
}

#[tokio::test]
async fn the_star_key_ends_the_other_call_where_it_may() {
    for (attributes, ends) in [("hangupOnStar='true'", true), ("timeLimit='2'", false)] {
        let mut app = App::start(&dial(&format!("action='/after' {attributes}"), SILENT, "")).await;
        app.page("/after", "<Response/>");
        let simulator = start(callees(TWO)).await;
        Client::of(&simulator).created("+14155550108", &[("Url", &app.url("/voice"))]).await;
        let after = app.next_to("/after").await;
        assert_eq!(after.get("DialCallStatus"), Some("completed"));
        let seconds = after.get("DialCallDuration").unwrap().parse::<u64>().unwrap();
        assert_eq!(seconds < 2, ends, "{attributes}: {seconds} s");
    }
}

#[tokio::test]
async fn keys_are_pressed_before_the_two_are_connected() {
    let number = "<Number sendDigits='w7'>+14155550109</Number>";
    let (simulator, _app, sid) = dialled(&dial("action='/after' timeLimit='10'", number, "")).await;
    assert_eq!(heard(&simulator, &sid).await, "You have reached extension seven");
}

#[tokio::test]
async fn who_has_picked_up_at_the_other_end_is_told_while_the_two_talk() {
    let number = "<Number machineDetection='Enable' amdStatusCallback='/amd'>+14155550110</Number>";
    let (simulator, mut app, sid) = dialled(&dial("action='/after'", number, "")).await;
    let amd = app.next_to("/amd").await;
    assert_eq!(amd.get("AnsweredBy"), Some("human"));
    assert_eq!(children(&simulator, &sid).await[0]["sid"], amd.get("CallSid").unwrap());
    assert_eq!(heard(&simulator, &sid).await, "Hello?", "nobody was kept waiting");
}
