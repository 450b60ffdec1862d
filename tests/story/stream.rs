//! Sockets for sound that are not what they should be.

use std::time::Duration;

use futures_util::SinkExt as _;
use gymcall_simulator::Event;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::desk::{ANSWERS, CURT, Desk, Keeper, TOKEN, job_and_tag};
use super::signed::{FOREIGN, STREAM, begin, closed, open_signed_stream, open_stream, sign};

on_each_keeper! {
    a_socket_of_no_open_attempt_is_closed_and_changes_nothing,
}

/// The close code for what breaks the rules.
const POLICY: Option<u16> = Some(1008);

#[tokio::test]
async fn a_socket_that_twilio_did_not_sign_is_not_opened() {
    let desk = Desk::open().await;
    let url = desk.public_url(STREAM).replacen("http", "ws", 1);
    let forged = [sign("another token", &url, &[]), sign(TOKEN, &url.replacen("ws", "http", 1), &[])];
    for signature in [None, Some(""), Some("nonsense"), Some(&forged[0]), Some(&forged[1])] {
        match open_stream(&desk, signature).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{signature:?}"),
            other => panic!("{signature:?}: {other:?}"),
        }
    }
}

/// Opens a signed socket, says this at its start, and tells how it is closed.
async fn closed_after(desk: &Desk, call: &str, parameters: Value) -> Option<u16> {
    let mut socket = open_signed_stream(desk).await;
    begin(&mut socket, call, parameters).await;
    closed(&mut socket).await
}

async fn a_socket_of_no_open_attempt_is_closed_and_changes_nothing(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let over = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    desk.finished(&over).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    let mut streams = 0;
    desk.until_logged("the sound of the second call is here", |event| {
        streams += usize::from(matches!(event, Event::StreamOpened { .. }));
        streams == 2
    })
    .await;
    let (live, ended) = (desk.call_to(ANSWERS), desk.call_to(CURT));
    let ((job, tag), (old_job, old_tag)) = (job_and_tag(&live), job_and_tag(&ended));
    desk.until("the stream is on record", async || {
        desk.events(&job).await.iter().any(|event| event["event"] == "stream_opened").then_some(())
    })
    .await;
    let before = [desk.version(&job).await, desk.version(&old_job).await];

    let foreign = "0".repeat(32);
    for (sid, parameters) in [
        (&live.sid, json!({})),
        (&live.sid, json!({"job": job})),
        (&live.sid, json!({"job": "job_1", "tag": tag})),
        (&live.sid, json!({"job": job, "tag": foreign})),
        (&live.sid, json!({"job": old_job, "tag": tag})),
        // The open attempt's own, while its sound is on another socket.
        (&live.sid, json!({"job": job, "tag": tag})),
        (&ended.sid, json!({"job": old_job, "tag": old_tag})),
    ] {
        assert_eq!(closed_after(&desk, sid, parameters.clone()).await, POLICY, "{parameters}");
    }
    assert_eq!([desk.version(&job).await, desk.version(&old_job).await], before);
    let jobs = desk.finished(&campaign).await;
    assert_eq!(jobs[0]["disposition"], "answered_full", "the call was disturbed");
    // Its secret is spent with it, whoever comes with which call.
    for sid in [&live.sid, FOREIGN] {
        assert_eq!(closed_after(&desk, sid, json!({"job": job, "tag": tag})).await, POLICY);
    }
}

#[tokio::test]
async fn a_socket_that_says_too_much_or_nonsense_or_nothing_is_closed() {
    let desk = Desk::open().await;
    let (mut huge, mut nonsense, mut silent) =
        tokio::join!(open_signed_stream(&desk), open_signed_stream(&desk), open_signed_stream(&desk));
    let opened = Instant::now();
    // The server may close while this is still being sent.
    let _ = huge.send(Message::text("x".repeat(100_000))).await;
    closed(&mut huge).await;
    nonsense.send(Message::text("{\"event\": 7")).await.unwrap();
    assert_eq!(closed(&mut nonsense).await, POLICY);
    // Both at once, not for want of a start.
    assert!(opened.elapsed() < Duration::from_secs(4), "{:?}", opened.elapsed());
    assert_eq!(closed(&mut silent).await, POLICY);
    let waited = opened.elapsed();
    assert!(Duration::from_millis(4_900) < waited && waited < Duration::from_secs(8), "{waited:?}");
}
