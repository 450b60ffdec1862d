//! Media streams that only listen, and what may go wrong with any of them.

use crate::support::app::App;
use crate::support::desk::{Desk, Door};
use crate::support::rest::Client;
use crate::support::{logged_at, over, settings, soon, start, tone, warnings};
use gymcall_simulator::{Callees, Event, Settings, Simulator, Status};
use serde_json::json;
use tokio::net::TcpListener;

/// Sound of one track, in order.
fn sound(desk: &Desk, track: &str) -> Vec<u8> {
    use base64::Engine as _;
    let of_track = desk.media.iter().filter(|message| message["media"]["track"] == track);
    of_track
        .flat_map(|message| {
            let payload = message["media"]["payload"].as_str().unwrap();
            base64::engine::general_purpose::STANDARD.decode(payload).unwrap()
        })
        .collect()
}

/// The codes of all warnings, once there is one of `code`.
async fn warned(simulator: &Simulator, code: u32) -> Vec<u32> {
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| matches!(event, Event::Warning { code: of, .. } if *of == code))).await;
    warnings(simulator)
}

#[tokio::test]
async fn a_one_way_stream_hears_both_sides_and_does_not_hold_the_call_up() {
    let door = Door::open().await;
    let mut app = App::start(&format!(
        "<Response><Start><Stream name='ears' url='{}' track='both_tracks' statusCallback='/stream'>\
         <Parameter name='tag' value='t-1'/></Stream></Start>\
         <Say>What are your opening hours?</Say><Pause length='3'/></Response>",
        door.url()
    ))
    .await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    assert_eq!(desk.start["start"]["tracks"], json!(["inbound", "outbound"]));
    assert_eq!(desk.start["start"]["customParameters"], json!({"tag": "t-1"}));
    // It may not speak, and is told so once.
    desk.say("Goodbye").await;
    desk.clear().await;
    let stop = desk.until("stop").await;
    assert_eq!(stop["stop"]["callSid"], sid);
    desk.until_end().await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert_eq!(warnings(&simulator), [31951]);

    let said: String = tone::hear(&sound(&desk, "outbound")).into_iter().map(|(text, _)| text).collect();
    assert_eq!(said, "What are your opening hours?");
    let heard: Vec<_> = tone::hear(&sound(&desk, "inbound")).into_iter().map(|(text, _)| text).collect();
    assert!(heard.contains(&"We are open from 6 am to 10 pm every day".to_owned()), "{heard:?}");
    for track in ["inbound", "outbound"] {
        let of_track = desk.media.iter().filter(|message| message["media"]["track"] == track);
        for (n, message) in of_track.enumerate() {
            assert_eq!(message["media"]["chunk"], (n + 1).to_string());
            assert_eq!(message["media"]["timestamp"], (20 * n + 5).to_string());
        }
    }
    for event in ["stream-started", "stream-stopped"] {
        let got = app.next_to("/stream").await;
        assert!(got.signed);
        assert_eq!((got.get("StreamEvent"), got.get("StreamName")), (Some(event), Some("ears")));
        assert_eq!((got.get("CallSid"), got.get("CallStatus")), (Some(sid.as_str()), None));
        assert!(got.get("Timestamp").unwrap().ends_with('Z'));
    }
}

#[tokio::test]
async fn stop_ends_the_stream_of_that_name_and_the_call_goes_on() {
    let door = Door::open().await;
    let app = App::start(&format!(
        "<Response><Start><Stream name='ears' url='{}' track='outbound_track'/></Start><Pause length='60'/></Response>",
        door.url()
    ))
    .await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550113", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    assert_eq!(desk.start["start"]["tracks"], json!(["outbound"]));
    // Only now: a stream that is still being opened would be given up without a word.
    while desk.media.is_empty() {
        desk.take().await;
    }
    let client = Client::of(&simulator);
    let stop = "<Response><Stop><Stream name='ears'/></Stop><Stop><Stream name='nobody'/></Stop><Pause length='60'/></Response>";
    client.post(&format!("/Calls/{sid}.json"), &[("Twiml", stop)]).await;
    desk.until("stop").await;
    desk.until_end().await;
    assert_eq!(warned(&simulator, 0).await, [0], "nobody's stream cannot be stopped");
    assert_eq!(client.call(&sid).await["status"], "in-progress");
    client.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
    over(&simulator, &sid).await;
}

#[tokio::test]
async fn a_call_has_four_tracks_for_one_way_streams_and_names_are_its_own() {
    let door = Door::open().await;
    let stream = |name: &str, track: &str| {
        format!("<Start><Stream name='{name}' url='{}' track='{track}'/></Start>", door.url())
    };
    let streams = [
        stream("a", "both_tracks"),
        stream("a", "inbound_track"),
        stream("b", "both_tracks"),
        stream("c", "inbound_track"),
        stream("d", "sideways_track"),
    ];
    let app = App::start(&format!("<Response>{}<Pause length='1'/></Response>", streams.concat())).await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550113", &[("Url", &app.url("/voice"))]).await;
    let mut names = Vec::new();
    for _ in 0..2 {
        names.push(door.accept().await.stream_sid);
    }
    over(&simulator, &sid).await;
    let messages: Vec<String> = simulator
        .log()
        .entries()
        .iter()
        .filter_map(|entry| match &entry.what {
            Event::Warning { code: 0, message, .. } => Some(message.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("named a") && messages[1].contains("4 tracks"), "{messages:?}");
    assert!(warnings(&simulator).contains(&31941));
}

#[tokio::test]
async fn an_app_that_does_not_read_loses_audio_and_is_told_once() {
    let door = Door::open_with_receive_buffer(2048).await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(Settings { largest_stream_lag: 0, ..settings() }).await;
    Client::of(&simulator).created("+14155550113", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    assert_eq!(warned(&simulator, 31930).await, [31930]);
    let before = desk.media.len();
    // What was lost is missing: the times jump, the numbers do not.
    loop {
        desk.take().await;
        let media = &desk.media;
        if media.len() > before + 1 {
            let time = |at: usize| media[at]["media"]["timestamp"].as_str().unwrap().parse::<u64>().unwrap();
            if time(media.len() - 1) > time(media.len() - 2) + 20 {
                break;
            }
        }
    }
    for (n, message) in desk.media.iter().enumerate() {
        assert_eq!(message["media"]["chunk"], (n + 1).to_string());
        assert_eq!(message["sequenceNumber"], (n + 2).to_string());
    }
}

#[tokio::test]
async fn more_than_ten_minutes_of_audio_are_thrown_away() {
    use base64::Engine as _;
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(settings()).await;
    Client::of(&simulator).created("+14155550113", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    let minute = base64::engine::general_purpose::STANDARD.encode(vec![0xFF; 60 * 8000]);
    for _ in 0..11 {
        let sid = &desk.stream_sid;
        let media = json!({"event": "media", "streamSid": sid, "media": {"payload": minute}});
        desk.send(media).await;
    }
    assert_eq!(warned(&simulator, 31931).await, [31931]);
}

/// A simulator whose default callee has this line.
async fn with_line(line: &str) -> Simulator {
    let callees = Callees::from_toml(&format!("[default]\nline = {line}")).unwrap();
    start(Settings { callees, ..settings() }).await
}

async fn stream_on(line: &str) -> (Simulator, Desk, App, String) {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = with_line(line).await;
    let sid = Client::of(&simulator).created("+19995550000", &[("Url", &app.url("/voice"))]).await;
    let desk = door.accept().await;
    (simulator, desk, app, sid)
}

fn number(message: &serde_json::Value, key: &str) -> u64 {
    message["media"][key].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_lossy_line_loses_its_share_of_frames_the_same_ones_for_one_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (_simulator, mut desk, _app, _) = stream_on("{ loss = 0.3 }").await;
        while desk.media.len() < 150 {
            desk.take().await;
        }
        let times: Vec<u64> = desk.media.iter().map(|message| number(message, "timestamp")).collect();
        let frames = (times[149] - times[0]) / 20 + 1;
        assert!(frames >= 180, "{frames} frames for 150 that came");
        let gaps: Vec<u64> = times.windows(2).map(|pair| (pair[1] - pair[0]) / 20).collect();
        runs.push(gaps);
    }
    // The two streams were opened at other frames of their calls, and the clock of a machine that stood still
    // leaves some out: a good piece of one run is in the other.
    let (a, b) = (&runs[0], &runs[1]);
    let again = a.windows(30).any(|piece| b.windows(30).any(|other| piece == other));
    assert!(again, "{a:?} {b:?}");
}

/// When each of the first `count` frames came, in milliseconds since the pick-up. A stream begins later,
/// and a busy machine makes frames late: only what comes too early says something.
async fn arrivals(simulator: &Simulator, desk: &mut Desk, count: usize) -> Vec<i64> {
    let is_pick_up = |event: &Event| matches!(event, Event::Status { status: Status::InProgress, .. });
    let picked_up = logged_at(simulator, is_pick_up);
    let mut at = Vec::new();
    while at.len() < count {
        desk.take().await;
        at.resize(desk.media.len(), jiff::Timestamp::now().as_millisecond() - picked_up);
    }
    at
}

#[tokio::test]
async fn a_line_with_bursts_brings_frames_in_heaps() {
    let (simulator, mut desk, _app, _) = stream_on("{ burst_ms = 200 }").await;
    // Ten frames wait for the end of their 200 ms.
    for (n, at) in arrivals(&simulator, &mut desk, 45).await.into_iter().enumerate() {
        let heap_ends = 200 * (number(&desk.media[n], "timestamp") as i64 / 200 + 1);
        assert!(at >= heap_ends - 5, "frame {n} came after {at} ms");
        assert_eq!(number(&desk.media[n], "chunk"), n as u64 + 1);
    }
}

#[tokio::test]
async fn a_line_that_reorders_swaps_neighbours_and_loses_nothing() {
    let (_simulator, mut desk, _app, _) = stream_on("{ reorder = 0.5 }").await;
    while desk.media.len() < 60 {
        desk.take().await;
    }
    let chunks: Vec<u64> = desk.media.iter().map(|message| number(message, "chunk")).collect();
    assert!(chunks.windows(2).filter(|pair| pair[0] > pair[1]).count() > 5, "{chunks:?}");
    let mut sorted = chunks.clone();
    sorted.sort_unstable();
    assert!(sorted[..50].iter().enumerate().all(|(n, chunk)| *chunk == n as u64 + 1), "{chunks:?}");
}

#[tokio::test]
async fn a_stall_holds_frames_back_and_then_brings_them_all() {
    let (simulator, mut desk, _app, _) = stream_on("{ stall = { after_ms = 200, for_ms = 1600 } }").await;
    for (n, at) in arrivals(&simulator, &mut desk, 100).await.into_iter().enumerate() {
        let is_before = number(&desk.media[n], "timestamp") < 200;
        assert!(is_before || at >= 1795, "frame {n} came after {at} ms");
        assert_eq!(number(&desk.media[n], "chunk"), n as u64 + 1);
    }
}

#[tokio::test]
async fn a_half_open_connection_says_nothing_and_does_not_end() {
    let (simulator, mut desk, _app, sid) = stream_on("{ half_open_after_ms = 200 }").await;
    soon(desk.until_silence()).await;
    assert!((1..=10).contains(&desk.media.len()), "200 ms of the stream's own time");
    let reply = Client::of(&simulator).post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    // The call has ended, and the app knows nothing of it.
    desk.mark("anybody").await;
    desk.until_silence().await;
    assert!(desk.messages.iter().all(|message| message["event"] != "stop"));
}

#[tokio::test]
async fn a_stream_may_be_closed_with_a_code_or_die() {
    for (line, code) in [("{ close = { after_ms = 100, code = 1011 } }", 31921), ("{ dies_after_ms = 100 }", 31903)] {
        let (simulator, mut desk, _app, sid) = stream_on(line).await;
        soon(desk.until_end()).await;
        assert_eq!(desk.close_code, (code == 31921).then_some(1011));
        over(&simulator, &sid).await;
        assert_eq!(warnings(&simulator), [code]);
    }
}

#[tokio::test]
async fn a_line_may_refuse_every_stream() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = with_line("{ refuse = true }").await;
    let sid = Client::of(&simulator).created("+19995550000", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    assert_eq!(warnings(&simulator), [31902]);
}

#[tokio::test]
async fn an_echo_brings_back_what_was_said() {
    let (_simulator, mut desk, _app, _) = stream_on("{ echo_ms = 100 }").await;
    desk.say("Is there an echo?").await;
    let spoken = tone::speak("Is there an echo?").iter().filter(|byte| **byte != 0xFF).count();
    let mut echoed: Vec<u8> = Vec::new();
    soon(async {
        while echoed.len() < spoken {
            assert!(desk.take().await);
            echoed.extend(desk.sound.drain(..).filter(|byte| *byte != 0xFF));
        }
    })
    .await;
    // 12 dB quieter: in mu-law that is two segments lower.
    assert!(echoed.iter().all(|byte| !byte >> 4 & 7 <= 4), "{:x}", echoed[0]);
}

#[tokio::test]
async fn keys_come_as_dtmf_messages() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(settings()).await;
    Client::of(&simulator).created("+14155550138", &[("Url", &app.url("/voice"))]).await;
    let mut desk = door.accept().await;
    for digit in ["1", "2", "#"] {
        let message = soon(desk.until("dtmf")).await;
        assert_eq!(message["dtmf"], json!({"track": "inbound_track", "digit": digit}));
        assert_eq!(message["streamSid"], desk.stream_sid);
        assert!(message["sequenceNumber"].is_string());
    }
}

#[tokio::test]
async fn what_goes_wrong_with_the_socket_has_its_code_and_is_told() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for (reply, code) in
        [("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 31920), ("this is no HTTP\r\n\r\n", 31924)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/media", listener.local_addr().unwrap());
        let mut app = App::start(&format!(
            "<Response><Connect><Stream url='{url}' statusCallback='/stream'/></Connect></Response>"
        ))
        .await;
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            socket.write_all(reply.as_bytes()).await.unwrap();
        });
        let simulator = start(settings()).await;
        let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        over(&simulator, &sid).await;
        assert_eq!(warnings(&simulator), [code]);
        let got = app.next_to("/stream").await;
        assert_eq!(got.get("StreamEvent"), Some("stream-error"));
        assert!(!got.get("StreamError").unwrap().is_empty());
        assert_eq!(got.get("StreamName"), got.get("StreamSid"));
    }
}

#[tokio::test]
async fn an_app_that_closes_with_a_code_or_just_goes_breaks_the_stream() {
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    for code in [31921, 31903] {
        let door = Door::open().await;
        let app = App::start(&door.twiml("")).await;
        let simulator = start(settings()).await;
        let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        let mut desk = door.accept().await;
        if code == 31921 {
            let frame = CloseFrame { code: 1011.into(), reason: "".into() };
            desk.raw(Message::Close(Some(frame))).await;
        }
        drop(desk);
        over(&simulator, &sid).await;
        assert_eq!(warnings(&simulator), [code]);
    }
}

#[tokio::test]
async fn a_hang_up_does_not_wait_for_a_stream_that_is_being_opened() {
    for verb in ["Connect", "Start"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/media", listener.local_addr().unwrap());
        let twiml = format!("<Response><{verb}><Stream url='{url}'/></{verb}><Pause length='60'/></Response>");
        let app = App::start(&twiml).await;
        let simulator = start(settings()).await;
        let client = Client::of(&simulator);
        let sid = client.created("+14155550113", &[("Url", &app.url("/voice"))]).await;
        // It is taken, and never answered.
        let (_silent, _) = soon(listener.accept()).await.unwrap();
        let reply = client.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
        assert_eq!(reply.json["status"], "completed", "{verb}");
        assert!(warnings(&simulator).is_empty());
    }
}
