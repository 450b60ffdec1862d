//! `<Play>` over real sockets.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{callees, happened, heard_until, over, settings, start, tone, warnings};
use axum::http::header::CONTENT_TYPE;
use gymcall_simulator::Event;

const QUIET: &str = "+14155550113";

/// A WAV file: one channel, samples of so many bytes.
fn wav(tag: u16, rate: u32, bytes: u16, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend([tag.to_le_bytes(), 1u16.to_le_bytes()].concat());
    file.extend([rate.to_le_bytes(), (rate * u32::from(bytes)).to_le_bytes()].concat());
    file.extend([bytes.to_le_bytes(), (bytes * 8).to_le_bytes()].concat());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[tokio::test]
async fn a_file_is_played_as_often_as_it_is_to_be() {
    let app =
        App::start("<Response><Play loop='2'>sounds/hello.wav</Play><Say>the end</Say><Pause length='3'/></Response>")
            .await;
    let file = wav(7, 8000, 1, &tone::speak("Hello from a file"));
    app.serve("/sounds/hello.wav", 200, &[(CONTENT_TYPE, "audio/wav")], &file);
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/voice"))]).await;
    let heard = heard_until(&simulator, &sid, "the end").await;
    assert_eq!(heard.concat(), "Hello from a fileHello from a filethe end");
    assert!(warnings(&simulator).is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_silence_of_its_length_and_what_cannot_be_had_is_left_out() {
    let mut app = App::start(
        "<Response><Play>/16k.wav</Play><Play>/page</Play><Play>/gone</Play><Redirect>/next</Redirect></Response>",
    )
    .await;
    let file = wav(1, 16_000, 2, &[0; 48_000]);
    app.serve("/16k.wav", 200, &[(CONTENT_TYPE, "audio/x-wav")], &file);
    app.page("/page", "<Response/>");
    app.serve("/gone", 404, &[], b"");
    app.page("/next", "<Response/>");
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created(QUIET, &[("Url", &app.url("/voice"))]).await;
    app.next_to("/next").await;
    over(&simulator, &sid).await;
    assert_eq!(warnings(&simulator), [0, 13420, 11200]);
    let duration = client.call(&sid).await["duration"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(duration >= 2, "{duration} s with 1.5 s of silence in them");
}

#[tokio::test]
async fn keys_are_heard_by_the_callees_menu() {
    let menu = r#"
        [default]
        [[callee]]
        numbers = ["+14155550101"]
        greeting = "Press one"
        choice = [{ press = "*", goes = "wrong" }, { press = "7", goes = "right" }]
        [[callee.stage]]
        name = "wrong"
        greeting = "You pressed the star"
        [[callee.stage]]
        name = "right"
        greeting = "You pressed seven"
    "#;
    let app = App::start("<Response><Pause length='1'/><Play digits='w7'/><Pause length='5'/></Response>").await;
    let simulator = start(callees(menu)).await;
    let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let said = happened(&simulator, &sid, |event| match event {
        Event::Said { text, .. } if text.starts_with("You") => Some(text.clone()),
        _ => None,
    });
    assert_eq!(said.await, "You pressed seven");
}
