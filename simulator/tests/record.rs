//! `<Record>` over real sockets.

use crate::support::app::{App, Got};
use crate::support::rest::Client;
use crate::support::{callees, happened, over, start, warnings};
use gymcall_simulator::{Event, Simulator, Status};

// They greet late: until then a busy machine has fetched the document and sounded the beep.
const SPEAKERS: &str = r#"
[default]

[[callee]]
numbers = ["+14155550101"]
greeting = "Please leave us a message, thank you for your call, and have a very nice day until we hear of you again"
greet_after_ms = 2500

[[callee]]
numbers = ["+14155550102"]
greeting = "One two three"
greet_after_ms = 2500
presses = [{ after_ms = 3500, keys = "5" }]

[[callee]]
numbers = ["+14155550103"]
greeting = "One two three"
greet_after_ms = 2500
hangs_up_after_ms = 4000

[[callee]]
numbers = ["+14155550104"]
greeting = "Please leave us a message, thank you for your call, and have a very nice day until we hear of you again"
greet_after_ms = 600
"#;

async fn recorded(number: &str, record: &str) -> (Simulator, App, String) {
    let app = App::start(&format!("<Response>{record}<Redirect>/next</Redirect></Response>")).await;
    app.page("/after", "<Response/>");
    app.page("/next", "<Response/>");
    let simulator = start(callees(SPEAKERS)).await;
    let sid = Client::of(&simulator).created(number, &[("Url", &app.url("/voice"))]).await;
    (simulator, app, sid)
}

/// The milliseconds recorded, when the recording has come to its end.
async fn length(simulator: &Simulator, sid: &str) -> u64 {
    happened(simulator, sid, |event| match event {
        Event::Recording { status, duration_ms, .. } if status == "completed" => Some(*duration_ms),
        _ => None,
    })
    .await
}

fn is_of(got: &Got, digits: &str) {
    assert_eq!(got.get("Digits"), Some(digits));
    let (url, sid) = (got.get("RecordingUrl").unwrap(), got.get("RecordingSid").unwrap());
    assert!(url.ends_with(sid) && sid.starts_with("RE"), "{url}");
    assert!(got.get("RecordingDuration").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(got.signed);
}

#[tokio::test]
async fn a_silence_ends_it_and_the_action_is_told_where_it_is() {
    let (simulator, mut app, sid) = recorded(
        "+14155550101",
        "<Record action='/after' timeout='3' recordingStatusCallback='/recording' \
         recordingStatusCallbackEvent='in-progress completed'/>",
    )
    .await;
    let mut statuses = Vec::new();
    let after = loop {
        let got = app.next().await;
        match got.uri.as_str() {
            "/recording" => statuses.push(got),
            "/after" => break got,
            "/voice" => {}
            other => panic!("{other}"),
        }
    };
    is_of(&after, "");
    while statuses.len() < 2 {
        statuses.push(app.next_to("/recording").await);
    }
    let mut told: Vec<&str> = statuses.iter().map(|got| got.get("RecordingStatus").unwrap()).collect();
    told.sort();
    assert_eq!(told, ["completed", "in-progress"]);
    assert!(statuses.iter().all(|got| got.get("RecordingSource") == Some("RecordVerb")));
    // Silence was cut off at both ends: what is left are the words, about 1.1 s of tones.
    let length = length(&simulator, &sid).await;
    assert!((1000..1400).contains(&length), "{length} ms");
    over(&simulator, &sid).await;
    assert!(app.rest().iter().all(|got| got.uri != "/next"), "the rest of the document is unreachable");
}

#[tokio::test]
async fn a_key_ends_it_if_it_is_one_of_those_that_do() {
    let (_simulator, mut app, _) = recorded("+14155550102", "<Record action='/after' timeout='9'/>").await;
    is_of(&app.next_to("/after").await, "5");
    let (_simulator, mut app, _) =
        recorded("+14155550102", "<Record action='/after' timeout='3' finishOnKey='#' playBeep='false'/>").await;
    is_of(&app.next_to("/after").await, "");
}

#[tokio::test]
async fn its_longest_length_ends_it_too_and_silence_stays_if_it_is_to() {
    let (simulator, mut app, sid) =
        recorded("+14155550104", "<Record action='/after' maxLength='1' playBeep='false' trim='do-not-trim'/>").await;
    is_of(&app.next_to("/after").await, "");
    let length = length(&simulator, &sid).await;
    // A silence would end it after five seconds more.
    assert!((1000..4000).contains(&length), "{length} ms");
}

#[tokio::test]
async fn who_says_nothing_is_not_told_of() {
    let (simulator, mut app, sid) = recorded("+14155550199", "<Record action='/after' timeout='1'/>").await;
    app.next_to("/voice").await;
    assert_eq!(app.next().await.uri, "/next");
    over(&simulator, &sid).await;
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn who_hangs_up_meanwhile_is_told_of_all_the_same() {
    let (simulator, mut app, sid) = recorded("+14155550103", "<Record action='/after' timeout='9'/>").await;
    let after = app.next_to("/after").await;
    is_of(&after, "hangup");
    assert_eq!(after.status(), "completed");
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn another_document_for_the_call_ends_the_recording() {
    let (simulator, mut app, sid) = recorded("+14155550101", "<Record action='/after' timeout='30'/>").await;
    happened(&simulator, &sid, |event| matches!(event, Event::Said { .. }).then_some(())).await;
    let other = [("Twiml", "<Response/>")];
    Client::of(&simulator).post(&format!("/Calls/{sid}.json"), &other).await;
    length(&simulator, &sid).await;
    over(&simulator, &sid).await;
    assert!(app.rest().iter().all(|got| got.uri == "/voice"));
}

#[tokio::test]
async fn a_recording_that_is_stopped_over_rest_lets_the_document_go_on() {
    let (simulator, mut app, sid) = recorded("+14155550101", "<Record action='/after' timeout='30'/>").await;
    happened(&simulator, &sid, |event| matches!(event, Event::Said { .. }).then_some(())).await;
    let current = format!("/Calls/{sid}/Recordings/Twilio.CURRENT.json");
    assert_eq!(Client::of(&simulator).post(&current, &[("Status", "stopped")]).await.status, 200);
    is_of(&app.next_to("/after").await, "");
    over(&simulator, &sid).await;
}

#[tokio::test]
async fn the_words_are_told_if_they_are_wanted() {
    let record = "<Record action='/after' timeout='3' maxLength='30' trim='do-not-trim' \
                  transcribe='true' transcribeCallback='/words'/>";
    let (_simulator, mut app, sid) = recorded("+14155550101", record).await;
    let words = app.next_to("/words").await;
    assert!(words.get("TranscriptionText").unwrap().starts_with("Please leave us a message"));
    assert_eq!(words.get("TranscriptionStatus"), Some("completed"));
    assert_eq!(words.get("CallSid"), Some(sid.as_str()));
    assert!(words.get("RecordingSid").unwrap().starts_with("RE"));
    let (simulator, mut app, _) =
        recorded("+14155550102", "<Record action='/after' transcribe='true' transcribeCallback='/words'/>").await;
    app.next_to("/after").await;
    assert!(warnings(&simulator).contains(&13617), "less than two seconds are not transcribed");
}
