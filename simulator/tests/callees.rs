//! Callees of every kind, called for real.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{happened, over, settings, start};
use gymcall_simulator::{Callees, Event, Simulator, Status};

/// What the callee of the call `sid` has said so far.
fn said(simulator: &Simulator, sid: &str) -> Vec<String> {
    let entries = simulator.log().entries();
    let of_call = entries.iter().filter(|entry| entry.what.sid() == Some(sid));
    let said = of_call.filter_map(|entry| match &entry.what {
        Event::Said { text, .. } => Some(text.clone()),
        _ => None,
    });
    said.collect()
}

#[tokio::test]
async fn send_digits_walk_a_menu_after_the_pick_up() {
    let mut app = App::start("<Response><Pause length=\"2\"/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    // Half a second for the greeting, prices, and from there the day pass.
    let params = [("Url", &*app.url("/voice")), ("SendDigits", "W2W1")];
    let sid = client.created("+14155550133", &params).await;
    let statuses = over(&simulator, &sid).await;
    assert_eq!(statuses.last(), Some(&Status::Completed));
    let said = said(&simulator, &sid);
    assert!(said[1].starts_with("For day passes press 1"), "{said:?}");
    assert_eq!(said[2], "A day pass is 15 dollars. Thank you for calling");
    let entries = simulator.log().entries();
    let at = |wanted: &dyn Fn(&Event) -> bool| entries.iter().position(|entry| wanted(&entry.what)).unwrap();
    let keys: Vec<char> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            Event::Key { key, by_callee: false, .. } => Some(*key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ['2', '1']);
    // TwiML is asked for when all keys have been pressed.
    assert!(
        at(&|event| matches!(event, Event::Key { key: '1', .. })) < at(&|event| matches!(event, Event::Webhook { .. }))
    );
    assert_eq!(app.next().await.uri, "/voice");
}

#[tokio::test]
async fn a_menu_understands_words_and_an_operator_answers() {
    let app = App::start(
        "<Response><Pause length=\"2\"/><Say>Front desk, please</Say><Pause length=\"3\"/>\
         <Say>What are your opening hours?</Say><Pause length=\"2\"/></Response>",
    )
    .await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550133", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    let said = said(&simulator, &sid);
    assert_eq!(said[1..], ["Front desk, this is Sam", "We are open from 6 am to 10 pm every day"]);
}

#[tokio::test]
async fn a_message_is_left_after_the_beep_that_detection_waited_for() {
    let mut app =
        App::start("<Response><Say>Please call us back about your opening hours</Say><Pause/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let params = [("Url", &*voice), ("MachineDetection", "DetectMessageEnd")];
    let sid = client.created("+14155550130", &params).await;
    assert_eq!(app.next_to("/voice").await.get("AnsweredBy"), Some("machine_end_beep"));
    let message = happened(&simulator, &sid, |event| match event {
        Event::Message { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(message.await, "Please call us back about your opening hours");
}

#[tokio::test]
async fn each_kind_of_machine_is_found_out() {
    let app = App::start("<Response><Hangup/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let mut calls = Vec::new();
    for (number, mode, timeout, answered_by) in [
        ("+14155550101", "DetectMessageEnd", "30", "human"),
        ("+14155550130", "Enable", "30", "machine_start"),
        ("+14155550131", "DetectMessageEnd", "30", "machine_end_silence"),
        ("+14155550134", "Enable", "30", "machine_start"),
        ("+14155550135", "Enable", "30", "fax"),
        ("+14155550135", "DetectMessageEnd", "30", "fax"),
        ("+14155550141", "DetectMessageEnd", "5", "machine_end_other"),
        ("+14155550138", "Enable", "3", "human"),
    ] {
        let params = [("Url", &*voice), ("MachineDetection", mode), ("MachineDetectionTimeout", timeout)];
        calls.push((client.created(number, &params).await, number, answered_by));
    }
    for (sid, number, answered_by) in calls {
        over(&simulator, &sid).await;
        assert_eq!(client.call(&sid).await["answered_by"], answered_by, "{number}");
    }
}

#[tokio::test]
async fn early_media_is_heard_before_the_answer_and_not_paid_for() {
    let app = App::start("<Response><Hangup/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550137", &[("Url", &app.url("/voice"))]).await;
    let statuses = over(&simulator, &sid).await;
    assert_eq!(statuses, [Status::Initiated, Status::Ringing, Status::NoAnswer]);
    assert_eq!(said(&simulator, &sid), ["The person you are calling cannot be reached"]);
    let call = client.call(&sid).await;
    assert!(call["duration"].is_null() && call["price"].is_null(), "{call}");

    // Ringing goes on while it sounds; the one who answers then greets on a line of his own.
    let params = [("Twiml", "<Response><Pause length=\"2\"/></Response>"), ("Record", "true")];
    let sid = client.created("+14155550136", &params).await;
    over(&simulator, &sid).await;
    let entries = simulator.log().entries();
    let of_call: Vec<&Event> =
        entries.iter().map(|entry| &entry.what).filter(|what| what.sid() == Some(&*sid)).collect();
    let at = |wanted: &dyn Fn(&Event) -> bool| of_call.iter().position(|event| wanted(event)).unwrap();
    let status = |wanted: Status| at(&|event| matches!(event, Event::Status { status, .. } if *status == wanted));
    let early =
        at(&|event| matches!(event, Event::Said { text, .. } if text == "Please wait while we connect your call"));
    let hello = at(&|event| matches!(event, Event::Said { text, .. } if text == "Hello?"));
    assert!(status(Status::Ringing) < early && early < status(Status::InProgress));
    assert!(status(Status::InProgress) < hello);
    assert_eq!(client.call(&sid).await["duration"], "2");
}

#[tokio::test]
async fn keys_of_a_callee_are_gathered() {
    let ask = "<Response><Gather input=\"dtmf\" numDigits=\"5\" timeout=\"10\" action=\"/digits\">\
               <Say>What is your zip code?</Say></Gather></Response>";
    let mut app = App::start(ask).await;
    app.page("/digits", "<Response><Hangup/></Response>");
    let simulator = start(settings()).await;
    Client::of(&simulator).created("+14155550139", &[("Url", &app.url("/voice"))]).await;
    assert_eq!(app.next_to("/digits").await.get("Digits"), Some("94103"));
}

#[tokio::test]
async fn without_a_stream_the_line_breaks_and_the_call_has_failed() {
    let question = "<Response><Gather input=\"speech\" action=\"/voice\" timeout=\"10\">\
                    <Say>What are your opening hours?</Say></Gather></Response>";
    let mut app = App::start(question).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    let sid = client.created("+14155550117", &[("Url", &*voice), ("StatusCallback", &status)]).await;
    let statuses = over(&simulator, &sid).await;
    assert_eq!(statuses.last(), Some(&Status::Failed));
    let replies = said(&simulator, &sid).iter().filter(|said| said.starts_with("We are open")).count();
    assert_eq!(replies, 2);
    let last = app.next_to("/status").await;
    assert_eq!((last.status(), last.get("SipResponseCode")), ("failed", Some("503")));
    assert_eq!(client.call(&sid).await["status"], "failed");
}

#[tokio::test]
async fn a_callee_that_hangs_up_in_the_middle_ends_the_call() {
    let app = App::start(
        "<Response><Pause length=\"2\"/><Say>Your opening hours?</Say><Pause length=\"2\"/><Say>And classes?</Say>\
         <Pause length=\"30\"/></Response>",
    )
    .await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550140", &[("Url", &app.url("/voice"))]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert!(said(&simulator, &sid)[2].starts_with("That I will have to look up"));
}

#[tokio::test]
async fn every_scenario_file_can_be_read_and_is_described_on_the_page() {
    let page = include_str!("../../docs/simulator.md");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        Callees::from_toml(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
        files += 1;
    }
    assert!(files >= 4, "{files} files");
}

#[tokio::test]
async fn scenarios_do_what_they_say() {
    let app = App::start(
        "<Response><Pause length=\"2\"/><Say>Opening hours, please, on behalf of a friend</Say><Pause length=\"7\"/></Response>",
    )
    .await;
    let voice = app.url("/voice");
    let expected = [
        (include_str!("../scenarios/voicemail_day.toml"), "+14155550299", "", "You have reached the gym"),
        (include_str!("../scenarios/phone_menus.toml"), "+14155550212", "W2w4w5", "Membership office, hello?"),
        (include_str!("../scenarios/phone_menus.toml"), "+14155550213", "", "We are open from 6 am"),
        (include_str!("../scenarios/screeners.toml"), "+14155550222", "W7", "We open at six"),
        (include_str!("../scenarios/screeners.toml"), "+14155550223", "", "We do not accept this call"),
        (include_str!("../scenarios/screeners.toml"), "+14155550224", "", "This is the manager"),
        (include_str!("../scenarios/bad_lines.toml"), "+14155550231", "", "We open at six"),
    ];
    let mut calls = Vec::new();
    for (toml, number, digits, said) in expected {
        let simulator = start(crate::support::callees(toml)).await;
        let sid = Client::of(&simulator).created(number, &[("Url", &voice), ("SendDigits", digits)]).await;
        calls.push((simulator, sid, number, said));
    }
    for (simulator, sid, number, wanted) in calls {
        let statuses = over(&simulator, &sid).await;
        let all = said(&simulator, &sid);
        assert!(all.iter().any(|said| said.starts_with(wanted)), "{number}: {all:?}");
        let is_broken = number == "+14155550231";
        assert_eq!(statuses.last() == Some(&Status::Failed), is_broken, "{number}");
    }
}
