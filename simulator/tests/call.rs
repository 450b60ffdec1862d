//! Whole calls, from the order to the last callback.

use crate::support::app::{App, sign};
use crate::support::desk::Door;
use crate::support::rest::Client;
use crate::support::{ACCOUNT, FROM, over, settings, soon, start, warnings};
use gymcall_simulator::{Event, Status};

const ALL_EVENTS: [(&str, &str); 4] = [
    ("StatusCallbackEvent", "initiated"),
    ("StatusCallbackEvent", "ringing"),
    ("StatusCallbackEvent", "answered"),
    ("StatusCallbackEvent", "completed"),
];

fn with_all_events<'a>(voice: &'a str, status: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut params = vec![("Url", voice), ("StatusCallback", status)];
    params.extend(ALL_EVENTS);
    params
}

#[tokio::test]
async fn a_conversation_from_order_to_completed() {
    let door = Door::open().await;
    let mut app = App::start(&door.twiml("<Hangup/>")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice?tag=a%2Fb%20c#rc=2&rp=5xx");
    let status = app.url("/status?tag=1#rc=2");
    let to = "+14155550101";
    let reply = client.create(to, &with_all_events(&voice, &status)).await;
    assert_eq!(reply.status, 201);
    assert!(reply.head.contains("\r\ndate: "));
    assert_eq!(reply.json["status"], "queued");
    assert_eq!(reply.json["to_formatted"], "(415) 555-0101");
    assert!(reply.json["start_time"].is_null());
    assert!(reply.json["queue_time"].is_string());
    let sid = reply.json["sid"].as_str().unwrap().to_owned();

    let mut desk = door.accept().await;
    let headers = desk.request.headers();
    assert_eq!(headers["user-agent"], "Twilio.TmeWs/1.0");
    assert_eq!(headers["x-twilio-signature"], sign(&door.url(), &[]));
    assert_eq!(desk.request.uri(), "/media");
    assert_eq!(desk.messages[0]["event"], "connected");
    assert_eq!(desk.start["start"]["callSid"], sid);
    assert_eq!(desk.start["start"]["accountSid"], ACCOUNT);
    assert_eq!(desk.start["start"]["customParameters"]["tag"], "t-1");
    assert_eq!(desk.start["sequenceNumber"], "1");

    let (greeting, clear) = desk.hear().await;
    assert_eq!((greeting.as_str(), clear), ("Hello, thank you for calling the gym", true));
    desk.say("Hello, this is an automated call on behalf of a friend. What are your opening hours?").await;
    desk.mark("asked").await;
    assert_eq!(desk.until("mark").await["mark"]["name"], "asked");
    assert_eq!(desk.hear().await.0, "We are open from 6 am to 10 pm every day");
    assert_eq!(client.call(&sid).await["status"], "in-progress");
    desk.close().await;

    assert_eq!(
        over(&simulator, &sid).await,
        [Status::Initiated, Status::Ringing, Status::InProgress, Status::Completed]
    );
    for (n, status) in ["initiated", "ringing", "in-progress", "completed"].iter().enumerate() {
        let got = app.next_to("/status").await;
        assert!(got.signed, "{got:?}");
        assert_eq!(got.uri, "/status?tag=1");
        assert_eq!(got.status(), *status);
        assert_eq!(got.get("SequenceNumber"), Some(n.to_string().as_str()));
        assert_eq!(got.get("CallbackSource"), Some("call-progress-events"));
        assert_eq!(got.get("AccountSid"), Some(ACCOUNT));
        assert_eq!((got.get("Caller"), got.get("Called")), (Some(FROM), Some(to)));
        assert_eq!(got.get("CalledZip"), Some(""));
        assert!(got.get("Timestamp").unwrap().ends_with(" +0000"));
        assert_eq!(got.header("user-agent"), "TwilioProxy/1.1");
        assert_eq!(got.header("i-twilio-idempotency-token").len(), 36);
        assert_eq!(got.get("CallDuration").is_some(), *status == "completed");
        if *status == "completed" {
            assert_eq!(got.get("Duration"), Some("1"));
            assert_eq!(got.get("SipResponseCode"), Some("200"));
        }
    }
    let call = client.call(&sid).await;
    assert_eq!(call["status"], "completed");
    assert!(call["duration"].as_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(call["price"], "-0.01400");
    let events = client.get(&format!("/Calls/{sid}/Events.json")).await.json;
    let requests = events["events"].as_array().unwrap();
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().any(|event| {
        event["request"]["url"] == app.url("/voice?tag=a%2Fb%20c")
            && event["request"]["parameters"]["CallSid"] == sid
            && event["response"]["response_code"] == 200
    }));
    let tally = simulator.log().tally();
    assert_eq!(tally.max_live, 1);
    assert_eq!(tally.created[0].url, voice);
    simulator.shutdown().await;
}

#[tokio::test]
async fn media_comes_every_20_ms_whatever_the_app_does() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    client.created("+14155550113", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    let entries = simulator.log().entries();
    let at = |event: fn(&Event) -> bool| entries.iter().find(|entry| event(&entry.what)).unwrap().at_ms;
    let picked_up = at(|event| matches!(event, Event::Status { status: Status::InProgress, .. }));
    let opened = at(|event| matches!(event, Event::StreamOpened { .. }));
    // None may come early, by the clock that began at the pick-up. A machine with other work may bring
    // some late; a clock that is kept makes up for that, and one that is too slow never does.
    soon(async {
        loop {
            let due = 20 * desk.media.len() as i64;
            desk.take().await;
            let now = jiff::Timestamp::now().as_millisecond();
            assert!(now - picked_up >= due, "the frame of {due} ms came after {} ms", now - picked_up);
            if due >= 1000 && now - opened <= due + 100 {
                return;
            }
        }
    })
    .await;
    for (n, message) in desk.media.iter().enumerate() {
        assert_eq!(message["media"]["chunk"], (n + 1).to_string());
        assert_eq!(message["sequenceNumber"], (n + 2).to_string());
        assert_eq!(message["media"]["track"], "inbound");
        assert_eq!(message["media"]["payload"].as_str().unwrap().len(), 216);
    }
    assert!(desk.sound.iter().all(|byte| *byte == 0xFF));
}

#[tokio::test]
async fn clear_cuts_what_the_callee_hears_and_gives_the_marks_back() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    desk.mark("empty").await;
    assert_eq!(desk.until("mark").await["mark"]["name"], "empty");
    desk.hear().await;
    desk.say(&"How much is a day pass? ".repeat(40)).await;
    desk.mark("one").await;
    desk.mark("two").await;
    let from = desk.media.len();
    while desk.media.len() < from + 5 {
        desk.take().await;
    }
    desk.clear().await;
    assert_eq!(desk.until("mark").await["mark"]["name"], "one");
    assert_eq!(desk.until("mark").await["mark"]["name"], "two");
    let gone = desk.media.len() - from;
    // What was said is more than 500 frames long.
    assert!(gone < 250, "the marks came after {gone} frames");
    desk.say("Which classes do you offer?").await;
    assert_eq!(desk.hear().await.0, "We have yoga, spin and boxing");
}

#[tokio::test]
async fn messages_that_are_not_exactly_right_are_noted_and_ignored() {
    use tokio_tungstenite::tungstenite::Message;
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    desk.raw(Message::binary(vec![1, 2, 3])).await;
    desk.send(serde_json::json!({"event": "clear", "streamSid": "MZother"})).await;
    desk.mark("still here").await;
    desk.until("mark").await;
    let codes = warnings(&simulator);
    assert!(codes.contains(&31950) && codes.contains(&31951), "{codes:?}");
}

#[tokio::test]
async fn the_callee_hangs_up_then_stop_close_and_completed() {
    let door = Door::open().await;
    let mut app = App::start(&door.twiml("<Say>never said</Say>")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550111", &with_all_events(&app.url("/voice"), &app.url("/status"))).await;
    let mut desk = door.accept().await;
    desk.hear().await;
    for question in ["What are your opening hours?", "How much is a day pass?"] {
        desk.say(question).await;
        desk.hear().await;
    }
    let stop = desk.until("stop").await;
    assert_eq!(stop["stop"]["callSid"], sid);
    desk.until_end().await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    while app.next_to("/status").await.status() != "completed" {}
}

#[tokio::test]
async fn a_broken_stream_goes_on_with_the_next_verb() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("<Say>Goodbye</Say>")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550117", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    desk.hear().await;
    for question in ["What are your opening hours?", "How much is a day pass?"] {
        desk.say(question).await;
        desk.hear().await;
    }
    desk.until_end().await;
    assert!(desk.messages.iter().all(|message| message["event"] != "stop"));
    over(&simulator, &sid).await;
    let entries = simulator.log().entries();
    assert!(entries.iter().any(|entry| matches!(&entry.what,
        Event::StreamClosed { why, .. } if why.starts_with("broken"))));
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_goes_on_with_the_next_verb() {
    let app = App::start(
        "<Response><Connect><Stream url='ws://127.0.0.1:9/x'/></Connect><Dance/>\
         <Pause length='1'/></Response>",
    )
    .await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    // The whole document is looked through before any of it is carried out.
    assert_eq!(warnings(&simulator), [12200, 31902]);
    let call = client.call(&sid).await;
    assert!(call["duration"].as_str().unwrap().parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn a_redirect_stops_the_stream_and_switches_documents() {
    let door = Door::open().await;
    let mut app = App::start(&door.twiml("<Redirect>/never</Redirect>")).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    let twiml = [("Twiml", "<Response><Hop/></Response>")];
    let reply = client.post(&format!("/Calls/{sid}.json"), &twiml).await;
    assert_eq!(reply.status, 200);
    desk.until("stop").await;
    desk.until_end().await;
    over(&simulator, &sid).await;
    assert_eq!(warnings(&simulator), [12200], "the new document was carried out");
    assert_eq!(app.rest().len(), 1, "and the old one no further");
    let reply = client.post(&format!("/Calls/{sid}.json"), &twiml).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(21220)));
}

#[tokio::test]
async fn calls_that_nobody_picks_up() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    for (to, end, sip) in
        [("+14155550107", "busy", "486"), ("+14155550116", "failed", "404"), ("+14155550109", "no-answer", "487")]
    {
        let params = [("Url", voice.as_str()), ("StatusCallback", status.as_str())];
        let sid = client.created(to, &params).await;
        let got = app.next().await;
        assert_eq!((got.uri.as_str(), got.status()), ("/status", end));
        assert_eq!(got.get("SequenceNumber"), Some("0"));
        assert_eq!(got.get("SipResponseCode"), Some(sip));
        assert_eq!(got.get("CallDuration"), Some("0"));
        let call = client.call(&sid).await;
        assert_eq!(call["status"], end);
        assert!(call["duration"].is_null() && call["price"].is_null());
    }
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn the_second_call_to_a_number_may_go_differently() {
    let app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    for end in [Status::Busy, Status::Completed] {
        let sid = client.created("+14155550108", &[("Url", &voice)]).await;
        assert_eq!(over(&simulator, &sid).await.last(), Some(&end));
    }
}

#[tokio::test]
async fn timeout_and_time_limit_are_honoured() {
    let app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let ringing = client.created("+14155550109", &[("Url", &voice), ("Timeout", "1")]).await;
    let talking = client.created("+14155550101", &[("Url", &voice), ("TimeLimit", "1")]).await;
    assert_eq!(over(&simulator, &ringing).await.last(), Some(&Status::NoAnswer));
    assert_eq!(over(&simulator, &talking).await.last(), Some(&Status::Completed));
    let entries = simulator.log().entries();
    let at = |sid: &str, wanted: Status| {
        entries
            .iter()
            .find(|entry| {
                matches!(&entry.what, Event::Status { sid: of, status, .. }
                    if of == sid && *status == wanted)
            })
            .unwrap()
            .at_ms
    };
    let rang = at(&ringing, Status::NoAnswer) - at(&ringing, Status::Ringing);
    // Without them it is 60 s and 4 h.
    assert!((950..20_000).contains(&rang), "{rang}");
    let talked = at(&talking, Status::Completed) - at(&talking, Status::InProgress);
    assert!((950..20_000).contains(&talked), "{talked}");
}

#[tokio::test]
async fn no_request_leaves_this_machine() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550101", &[("Url", "http://192.0.2.1/voice")]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    let entries = simulator.log().entries();
    assert!(entries.iter().any(|entry| matches!(&entry.what,
        Event::Webhook { error: Some(error), .. } if error.contains("not on this machine"))));
}
