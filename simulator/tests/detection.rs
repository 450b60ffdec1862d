//! Answering machine detection, from what is really heard on the line.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{ACCOUNT, over, settings, soon, start};
use gymcall_simulator::{Callees, Event, Settings, Simulator};

const GYM: &str = "+14155550101";
const VOICEMAIL: &str = "+14155550106";
const SILENT: &str = "+14155550113";

/// The verdict in the log, with when it came, and how many webhooks were made before it.
async fn detected(simulator: &Simulator, sid: &str) -> (String, u64, usize) {
    let mut feed = simulator.log().subscribe();
    let mut asked = 0;
    let entry = soon(feed.wait_for(|event| {
        asked += usize::from(matches!(event, Event::Webhook { .. }));
        matches!(event, Event::Detected { sid: of, .. } if of == sid)
    }))
    .await;
    match &entry.what {
        Event::Detected { answered_by, after_ms, .. } => (answered_by.clone(), *after_ms, asked),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn twiml_waits_for_the_verdict_and_is_asked_for_with_it() {
    let mut app = App::start("<Response><Hangup/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    let params = [("Url", &*voice), ("StatusCallback", &status), ("MachineDetection", "Enable")];
    let sid = client.created(GYM, &params).await;
    let (answered_by, after_ms, asked_before) = detected(&simulator, &sid).await;
    assert_eq!((answered_by.as_str(), asked_before), ("human", 0));
    // Four tenths of a second of silence, the greeting, and the silence that ends it.
    assert!((1800..2400).contains(&after_ms), "{after_ms} ms");
    let got = app.next_to("/voice").await;
    assert!(got.signed);
    assert_eq!(got.get("AnsweredBy"), Some("human"));
    assert_eq!(got.get("MachineDetectionDuration"), Some(after_ms.to_string().as_str()));
    over(&simulator, &sid).await;
    let last = app.next_to("/status").await;
    assert_eq!((last.status(), last.get("AnsweredBy")), ("completed", Some("human")));
    assert_eq!(client.call(&sid).await["answered_by"], "human");
}

#[tokio::test]
async fn asynchronous_detection_holds_nothing_up_and_calls_back_once() {
    let mut app = App::start("<Response><Pause length=\"4\"/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, amd) = (app.url("/voice"), app.url("/amd"));
    let mut params = vec![("Url", &*voice), ("MachineDetection", "DetectMessageEnd")];
    params.extend([("AsyncAmd", "true"), ("AsyncAmdStatusCallback", &*amd)]);
    let sid = client.created(VOICEMAIL, &params).await;
    let first = app.next().await;
    assert_eq!((first.uri.as_str(), first.get("AnsweredBy")), ("/voice", None));
    assert!(client.call(&sid).await["answered_by"].is_null());
    let (answered_by, after_ms, asked_before) = detected(&simulator, &sid).await;
    assert_eq!((answered_by.as_str(), asked_before), ("machine_end_beep", 1));
    let got = app.next_to("/amd").await;
    assert!(got.signed);
    let wanted = [
        ("CallSid", sid.clone()),
        ("AccountSid", ACCOUNT.to_owned()),
        ("AnsweredBy", answered_by),
        ("MachineDetectionDuration", after_ms.to_string()),
    ];
    assert_eq!(got.params, wanted.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(client.call(&sid).await["answered_by"], "machine_end_beep");
    over(&simulator, &sid).await;
    assert!(app.rest().iter().all(|got| got.uri != "/amd"), "it was called back twice");
}

#[tokio::test]
async fn a_call_that_ends_first_was_answered_by_unknown() {
    let mut app = App::start("<Response><Pause/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, amd) = (app.url("/voice"), app.url("/amd"));
    let mut params = vec![("Url", &*voice), ("MachineDetection", "Enable")];
    params.extend([("AsyncAmd", "true"), ("AsyncAmdStatusCallback", &*amd)]);
    let sid = client.created(SILENT, &params).await;
    let got = app.next_to("/amd").await;
    assert_eq!(got.get("AnsweredBy"), Some("unknown"));
    assert_eq!(client.call(&sid).await["answered_by"], "unknown");

    // Hung up while TwiML waits for the verdict: there is no TwiML, and the last news says so.
    let status = app.url("/status");
    let params = [("Url", &*voice), ("StatusCallback", &status), ("MachineDetection", "Enable")];
    let sid = client.created(SILENT, &params).await;
    let mut feed = simulator.log().subscribe();
    let picked_up = |event: &Event| matches!(event, Event::Status { sid: of, status, .. } if *of == sid && status.is_live() && *status == gymcall_simulator::Status::InProgress);
    soon(feed.wait_for(picked_up)).await;
    client.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
    let last = app.next_to("/status").await;
    assert_eq!((last.status(), last.get("AnsweredBy")), ("completed", Some("unknown")));
    assert!(app.rest().iter().all(|got| !got.uri.starts_with("/voice")));
}

#[tokio::test]
async fn detection_is_off_with_send_digits() {
    let mut app = App::start("<Response><Hangup/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, amd) = (app.url("/voice"), app.url("/amd"));
    let mut params = vec![("Url", &*voice), ("MachineDetection", "Enable"), ("SendDigits", "1")];
    params.extend([("AsyncAmd", "true"), ("AsyncAmdStatusCallback", &*amd)]);
    let sid = client.created(GYM, &params).await;
    over(&simulator, &sid).await;
    assert_eq!(app.next().await.get("AnsweredBy"), None);
    assert!(client.call(&sid).await["answered_by"].is_null());
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn thresholds_of_the_order_are_kept() {
    let app = App::start("<Response><Hangup/></Response>").await;
    // It talks for somewhat more than a second: a person by Twilio's own threshold of 2400 ms, and a
    // machine by one of 1000 ms.
    let talker = r#"
        [[callee]]
        numbers = ["+14155550190"]
        greeting = "Good morning and thank you for calling the gym at the corner of the street, this is Sam, what can I do?"
    "#;
    let simulator = start(Settings { callees: Callees::from_toml(talker).unwrap(), ..settings() }).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let common = [("Url", &*voice), ("MachineDetection", "Enable")];
    let order = |more: &[(&'static str, &'static str)]| [common.as_slice(), more].concat();
    let quick = order(&[("MachineDetectionSpeechThreshold", "1000"), ("MachineDetectionSpeechEndThreshold", "500")]);
    let patient = order(&[("MachineDetectionSpeechEndThreshold", "500")]);
    let hasty = order(&[("MachineDetectionSilenceTimeout", "2000")]);
    for (to, params, answered_by) in [
        ("+14155550190", quick, "machine_start"),
        ("+14155550190", patient, "human"),
        ("+14155550113", hasty, "unknown"),
    ] {
        let simulator = if to == SILENT { &start(settings()).await } else { &simulator };
        let client = if to == SILENT { &Client::of(simulator) } else { &client };
        let sid = client.created(to, &params).await;
        let (found, after_ms, _) = detected(simulator, &sid).await;
        assert_eq!(found, answered_by, "{to} after {after_ms} ms");
        assert!(to != SILENT || after_ms == 2000, "{after_ms} ms");
    }
}
