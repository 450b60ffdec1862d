//! `<Gather>` over real sockets: what the callee says or presses, and what the app is told of it.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{callees, over, start, warnings};
use gymcall_simulator::Event;

const SPEAKER: &str = r#"
[default]

[[callee]]
numbers = ["+14155550101"]
greeting = "Hello, this is the gym"
greet_after_ms = 40
think_ms = 40
breath_ms = 200

[[callee.rule]]
hears = ["opening hours"]
says = ["We are open from 6 am", "to 10 pm"]

[[callee]]
numbers = ["+14155550102"]
think_ms = 40
mumbles_first = true

[[callee.rule]]
hears = ["day pass"]
says = "A day pass is 15 dollars"

[[callee]]
numbers = ["+14155550103"]
interrupts = { after_ms = 200, says = "We are closed" }

[[callee]]
numbers = ["+14155550104"]
hangs_up_after_ms = 300
"#;

fn gather(attributes: &str, inside: &str, rest: &str) -> String {
    format!("<Response><Gather {attributes}>{inside}</Gather>{rest}</Response>")
}

const SPEECH: &str = "input='speech' speechTimeout='auto' action='/heard?n=1'";

#[tokio::test]
async fn what_is_said_goes_to_the_action_and_its_document_follows() {
    let mut app = App::start(&gather(SPEECH, "", "<Redirect>/never</Redirect>")).await;
    app.page("/heard", &gather(SPEECH, "<Say>What are your opening hours?</Say>", ""));
    let simulator = start(callees(SPEAKER)).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550101", &[("Url", &app.url("/voice?x=1"))]).await;
    assert_eq!(app.next().await.uri, "/voice?x=1");
    let greeting = app.next().await;
    assert_eq!((greeting.method.as_str(), greeting.uri.as_str()), ("POST", "/heard?n=1"));
    assert!(greeting.signed);
    assert_eq!(greeting.get("SpeechResult"), Some("Hello, this is the gym"));
    assert!(greeting.get("Confidence").unwrap().parse::<f64>().unwrap() >= 0.9);
    assert_eq!((greeting.status(), greeting.get("CallSid")), ("in-progress", Some(sid.as_str())));
    assert_eq!(greeting.get("Digits"), None);
    let hours = app.next().await;
    assert_eq!(hours.get("SpeechResult"), Some("We are open from 6 am to 10 pm"), "two breaths are one result");
    app.page("/heard", "<Response/>");
    over(&simulator, &sid).await;
    assert!(app.rest().iter().all(|got| got.uri == "/heard?n=1"), "the rest of the document is unreachable");
}

#[tokio::test]
async fn mumbled_words_are_garbled_and_said_to_be_unsure() {
    let mut app = App::start(&gather(SPEECH, "<Say>How much is a day pass?</Say>", "")).await;
    app.page("/heard", &gather(SPEECH, "<Say>How much is a day pass?</Say>", ""));
    let simulator = start(callees(SPEAKER)).await;
    Client::of(&simulator).created("+14155550102", &[("Url", &app.url("/voice"))]).await;
    let mumbled = app.next_to("/heard").await;
    assert!(mumbled.get("Confidence").unwrap().parse::<f64>().unwrap() < 0.5);
    assert!(!mumbled.get("SpeechResult").unwrap().contains("15"), "{mumbled:?}");
    let clear = app.next_to("/heard").await;
    assert_eq!(clear.get("SpeechResult"), Some("A day pass is 15 dollars"));
}

#[tokio::test]
async fn without_input_the_next_verb_follows_or_the_action_is_asked() {
    for (empty, path) in [("false", "/next"), ("true", "/heard")] {
        let attributes = format!("{SPEECH} timeout='1' actionOnEmptyResult='{empty}'");
        let mut app = App::start(&gather(&attributes, "", "<Redirect>/next</Redirect>")).await;
        app.page("/next", "<Response/>");
        app.page("/heard", "<Response/>");
        let simulator = start(callees(SPEAKER)).await;
        Client::of(&simulator).created("+14155550199", &[("Url", &app.url("/voice"))]).await;
        app.next_to("/voice").await;
        let got = app.next().await;
        assert!(got.uri.starts_with(path), "{got:?}");
        assert_eq!(got.get("SpeechResult"), (empty == "true").then_some(""));
    }
}

#[tokio::test]
async fn speech_stops_the_prompts_unless_it_may_not() {
    let long = "and the words of this announcement go on and on ".repeat(5);
    for (barge_in, heard_all) in [("true", false), ("false", true)] {
        let attributes = format!("{SPEECH} bargeIn='{barge_in}'");
        let mut app = App::start(&gather(&attributes, &format!("<Say>{long}</Say>"), "")).await;
        app.page("/heard", "<Response><Pause length='1'/></Response>");
        let simulator = start(callees(SPEAKER)).await;
        let client = Client::of(&simulator);
        let sid = client.created("+14155550103", &[("Url", &app.url("/voice"))]).await;
        let got = app.next_to("/heard").await;
        assert_eq!(got.get("SpeechResult"), Some("We are closed"));
        over(&simulator, &sid).await;
        let all = simulator.log().entries().iter().any(|entry| match &entry.what {
            Event::Heard { text, .. } => text.trim() == long.trim(),
            _ => false,
        });
        assert_eq!(all, heard_all, "bargeIn={barge_in}");
    }
}

#[tokio::test]
async fn partial_results_are_told_breath_by_breath() {
    let attributes = format!("{SPEECH} partialResultCallback='/partial'");
    let mut app = App::start(&gather(&attributes, "<Say>What are your opening hours?</Say>", "")).await;
    app.page("/heard", &gather(&attributes, "<Say>What are your opening hours?</Say>", ""));
    let simulator = start(callees(SPEAKER)).await;
    Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    app.next_to("/heard").await;
    // Requests that do not wait for each other. The greeting has one, too.
    let mut partials = Vec::new();
    while partials.len() < 2 {
        let got = app.next_to("/partial").await;
        if got.get("UnstableSpeechResult") != Some("Hello, this is the gym") {
            partials.push(got);
        }
    }
    partials.sort_by_key(|got| got.get("SequenceNumber").map(str::to_owned));
    let (first, second) = (&partials[0], &partials[1]);
    assert_eq!(first.get("SequenceNumber"), Some("0"));
    assert_eq!(first.get("UnstableSpeechResult"), Some("We are open from 6 am"));
    assert_eq!(first.get("StableSpeechResult"), Some(""));
    assert_eq!(second.get("SequenceNumber"), Some("1"));
    assert_eq!(second.get("StableSpeechResult"), Some("We are open from 6 am"));
    assert_eq!(second.get("UnstableSpeechResult"), Some("to 10 pm"));
    assert!(second.signed);
}

#[tokio::test]
async fn whoever_hangs_up_meanwhile_is_asked_nothing_more() {
    let attributes = "input='speech' timeout='30' actionOnEmptyResult='true' action='/heard'";
    let mut app = App::start(&gather(attributes, "", "<Redirect>/never</Redirect>")).await;
    let simulator = start(callees(SPEAKER)).await;
    let sid = Client::of(&simulator).created("+14155550104", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    assert_eq!(app.next().await.uri, "/voice");
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn another_document_for_the_call_ends_the_waiting() {
    let mut app =
        App::start(&gather("input='speech' timeout='30'", "<Say>Hello?</Say>", "<Redirect>/never</Redirect>")).await;
    app.page("/other", "<Response/>");
    let simulator = start(callees(SPEAKER)).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550199", &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    client.post(&format!("/Calls/{sid}.json"), &[("Url", &app.url("/other"))]).await;
    assert_eq!(app.next().await.uri, "/other");
    over(&simulator, &sid).await;
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn an_inline_document_has_no_url_to_report_to() {
    let simulator = start(callees(SPEAKER)).await;
    let client = Client::of(&simulator);
    for action in ["", "action='/heard'"] {
        let twiml = gather(&format!("input='speech' speechTimeout='auto' {action}"), "", "<Pause length='30'/>");
        let sid = client.created("+14155550101", &[("Twiml", &twiml)]).await;
        over(&simulator, &sid).await;
    }
    assert_eq!(warnings(&simulator), [11100, 11100]);
}

const PRESSER: &str = r#"
[default]

[[callee]]
numbers = ["+14155550101"]
think_ms = 40

[[callee.rule]]
hears = ["zip code"]
presses = "941#"

[[callee.rule]]
hears = ["extension"]
presses = "42"
"#;

#[tokio::test]
async fn keys_go_to_the_action_when_the_last_one_is_pressed_or_enough_are() {
    let ask = |attributes: &str, what: &str| {
        let attributes = format!("{attributes} timeout='2' action='/keys' method='GET'");
        gather(&attributes, &format!("<Say>Your {what}?</Say>"), "<Redirect>/never</Redirect>")
    };
    for (document, digits, finished_on) in [
        (ask("", "zip code"), "941", "#"),
        (ask("numDigits='2'", "zip code"), "94", ""),
        (ask("finishOnKey=''", "zip code"), "941#", ""),
        (ask("input='dtmf speech'", "extension"), "42", ""),
    ] {
        let mut app = App::start(&document).await;
        app.page("/keys", "<Response/>");
        let simulator = start(callees(PRESSER)).await;
        let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        let got = app.next_to("/keys").await;
        assert_eq!(got.method, "GET");
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(got.uri.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
        let told = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!((told("Digits"), told("FinishedOnKey")), (Some(digits), Some(finished_on)), "{document}");
        assert_eq!(told("SpeechResult"), None);
        over(&simulator, &sid).await;
        assert!(app.rest().iter().all(|got| !got.uri.starts_with("/never")));
    }
}
