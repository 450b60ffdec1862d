//! SIGTERM: what was begun is finished, and nothing new begins.

use std::time::Duration;

use gymcall_simulator::{Event, Status};
use serde_json::json;

use super::api::all_day;
use super::local_twilio::LocalTwilio;
use super::server::{Server, serve};

/// Answers every question.
const TALKER: &str = "+14155550101";
/// Waits for the line.
const NEXT: &str = "+14155550118";

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_the_conversation_and_dials_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let twilio = LocalTwilio::start(folder.path(), "", "", 10).await;
    let mut command = serve(folder.path(), &twilio.url);
    command.env("GYMCALL_MAX_CONCURRENT_CALLS", "1");
    let server = Server::start(command).await;
    let roster = format!("name,phone\nTalker,{TALKER}\nNext,{NEXT}\n");
    let campaign = server.api.campaign(json!({"name": "Stopped", "policy": {"window": all_day()}}), roster).await;
    server.api.start(&campaign).await;
    let mut log = twilio.follow();
    // The first question has been answered: the conversation is in its middle.
    log.until("an answer", |event| matches!(event, Event::Said { text, .. } if text.contains("6 am"))).await;
    server.terminate();
    server.ended().await.expect(0);

    let entries = twilio.log();
    let heard = |words: &str| {
        entries.iter().any(|entry| matches!(&entry.what, Event::Heard { text, .. } if text.contains(words)))
    };
    assert!(heard("drop-in policy"), "the last question was asked");
    let made = entries.iter().filter(|entry| matches!(entry.what, Event::Create { .. })).count();
    assert_eq!(made, 1, "nobody else was called");
    let over = |event: &Event| matches!(event, Event::Status { status: Status::Completed, .. });
    assert!(entries.iter().any(|entry| over(&entry.what)), "the call is not left open at Twilio's");

    // Nothing was lost: the next server knows the answers, and calls the one who waited.
    let server = Server::start(serve(folder.path(), &twilio.url)).await;
    server.api.completed(&campaign, Duration::from_secs(30)).await;
    let jobs = server.api.jobs(&campaign).await;
    let of = |number: &str| jobs.iter().find(|job| job["phone_number"] == number).unwrap();
    assert_eq!(of(TALKER)["disposition"], "answered_full", "{:#}", of(TALKER));
    assert_eq!(of(TALKER)["ended_reason"], "agent_hangup");
    let talk = server.api.get(&format!("/v1/jobs/{}", of(TALKER)["id"].as_str().unwrap())).await;
    let last = talk["transcript"].as_array().unwrap().last().unwrap();
    assert!(last["text"].as_str().unwrap().contains("Goodbye"), "the agent took its leave: {last}");
    assert_eq!(of(NEXT)["disposition"], "refused");
    assert_eq!((&of(TALKER)["tries"], &of(NEXT)["tries"]), (&json!(1), &json!(1)));
}
