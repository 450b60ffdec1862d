//! The sound of a call: recorded by Twilio where somebody wanted it, announced first, and passed on.

use gymcall_simulator::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, Desk, all_day, id_of};

/// A WAV file's frames: two channels of 16 bits, 8,000 a second.
async fn frames(desk: &Desk, path: &str) -> usize {
    let reply = desk.http.request(Method::GET, path).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "audio/wav");
    let sound = reply.bytes().await.unwrap();
    let at = |from: usize| u32::from_le_bytes(sound[from..from + 4].try_into().unwrap());
    assert_eq!((&sound[..4], &sound[8..16], at(24)), (&b"RIFF"[..], &b"WAVEfmt "[..], 8_000));
    let data = sound.windows(4).position(|word| word == b"data").unwrap();
    usize::try_from(at(data + 4)).unwrap() / 4
}

#[tokio::test]
async fn a_recorded_call_says_so_first_and_each_answer_can_be_listened_to() {
    let desk = Desk::open().await;
    let policy = json!({"max_attempts": 1, "window": all_day(), "recording": "announce_always"});
    let campaign = desk.calling(&[ANSWERS], policy).await;
    let jobs = desk.finished(&campaign).await;
    let job = desk.job(&id_of(&jobs[0])).await;
    let turns: &Vec<Value> = job["transcript"].as_array().unwrap();
    let first = turns.iter().find(|turn| turn["who"] == "agent").unwrap()["text"].as_str().unwrap();
    assert!(first.contains("This call is recorded."), "{first}");

    desk.until_logged(
        "the recording is ready",
        |event| matches!(event, Event::Recording { status, .. } if status == "completed"),
    )
    .await;
    let path = format!("/v1/calls/{}/recording.wav", id_of(&jobs[0]));
    let whole = frames(&desk, &path).await;
    let answer = &job["answers"][0];
    let (from, to) = (answer["from_ms"].as_u64().unwrap(), answer["to_ms"].as_u64().unwrap());
    let part = frames(&desk, &format!("{path}?from={from}&to={to}")).await;
    assert_eq!(part as u64, (to - from) * 8, "from {from} to {to} of {whole}");
    assert!(whole > part);
    desk.http.get(&format!("{path}?from=2&to=1")).await.blames("/to");
}

#[tokio::test]
async fn a_call_that_nobody_wanted_recorded_says_that_it_is_not_and_has_no_sound() {
    let desk = Desk::open().await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1, "window": all_day()})).await;
    let id = id_of(&desk.finished(&campaign).await[0]);
    let said = desk.job(&id).await["transcript"].to_string();
    assert!(said.contains("This call is not recorded."), "{said}");
    desk.http.get(&format!("/v1/calls/{id}/recording.wav")).await.problem(404);
    desk.http.get("/v1/calls/job_none/recording.wav").await.problem(404);
}
