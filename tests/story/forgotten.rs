//! A Redis that forgot what it had confirmed: its log is cut behind everybody's back.

use std::path::PathBuf;

use gymcall::app::Role;
use gymcall_simulator::{Event, Status};
use serde_json::{Value, json};

use super::desk::{ANSWERS, BUSY, CURT, Desk, Keeper, NOBODY, Plan, RINGS};

/// A server alone on a Redis, and the gyms in a campaign that runs. No request takes longer than a second.
async fn about_to_dial(gyms: &[&str], faults: &'static str, settings: &[(&'static str, &'static str)]) -> Desk {
    let mut all = vec![("GYMCALL_DIAL_DEADLINE", "1s")];
    all.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
    all.extend(settings);
    let plan = Plan { keeper: Keeper::Redis, no_worker: true, faults, settings: all, ..Plan::default() };
    let desk = Desk::of(plan).await;
    desk.calling(gyms, json!({"max_attempts": 1})).await;
    desk
}

/// The log that Redis writes, and how long it is.
fn log_of(desk: &Desk) -> (PathBuf, u64) {
    let folder = desk.redis.as_ref().unwrap().append_only_folder();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let log = files.into_iter().find(|path| path.to_string_lossy().ends_with(".incr.aof")).unwrap();
    let length = std::fs::metadata(&log).unwrap().len();
    (log, length)
}

/// A power cut, after which everything past this length is gone.
fn cut(desk: &mut Desk, (log, length): &(PathBuf, u64)) {
    let redis = desk.redis.as_mut().unwrap();
    redis.kill();
    let file = std::fs::OpenOptions::new().write(true).open(log).unwrap();
    assert!(file.metadata().unwrap().len() > *length, "nothing is forgotten");
    file.set_len(*length).unwrap();
    redis.restart();
}

async fn job_of(desk: &Desk, number: &str) -> Value {
    let campaigns = desk.get("/v1/campaigns").await;
    let campaign = campaigns["items"][0]["id"].as_str().unwrap().to_owned();
    desk.jobs(&campaign).await.into_iter().find(|job| job["phone_number"] == number).unwrap()
}

async fn until_dialling_goes_on(desk: &Desk) {
    let mut doubts = desk.store().doubts();
    super::desk::within("the doubt arises", doubts.wait_for(|doubt| doubt.is_some())).await.unwrap();
    super::desk::within("the doubt is dispelled", doubts.wait_for(|doubt| doubt.is_none())).await.unwrap();
}

/// Waits until this gym's call rings at Twilio.
async fn until_it_rings(desk: &Desk, number: &str) {
    let mut ringing = Vec::new();
    desk.until_logged("it rings", |event| {
        if let Event::Status { sid, status: Status::Ringing, .. } = event {
            ringing.push(sid.clone());
        }
        desk.twilio.log().creates().iter().any(|call| call.to == number && ringing.contains(&call.sid))
    })
    .await;
}

#[tokio::test]
async fn calls_that_redis_forgot_are_written_back_before_anybody_is_dialled() {
    let gyms = [RINGS, BUSY, NOBODY];
    let mut desk = about_to_dial(&gyms, "", &[]).await;
    let before = log_of(&desk);
    let worker = desk.beside(Role::Dial, &[]).await;
    desk.until_created(3).await;
    until_it_rings(&desk, RINGS).await;
    // With the worker goes the memory of what it had asked for; nobody can put it on record again but Twilio.
    worker.crash().await;
    cut(&mut desk, &before);
    let next = desk.beside(Role::Dial, &[]).await;
    until_dialling_goes_on(&desk).await;
    let ringing = job_of(&desk, RINGS).await;
    assert_eq!(ringing["status"], "placed", "{ringing}");
    assert_eq!(ringing["attempts"][0]["twilio_call_sid"], *desk.call_to(RINGS).sid);
    let busy = job_of(&desk, BUSY).await;
    assert_eq!(
        (&busy["status"], &busy["ended_reason"], &busy["tries"]),
        (&json!("failed"), &json!("dial_busy"), &json!(1))
    );
    // Dialling does go on, and calls nobody a second time.
    let other = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    desk.finished(&other).await;
    for number in gyms {
        assert_eq!(desk.created(number), 1, "{number}");
    }
    desk.assert_no_attempt_was_dialled_twice();
    next.stop().await;
}

#[tokio::test]
async fn where_everybody_died_with_redis_twilio_is_asked_before_anybody_is_dialled() {
    let mut desk = about_to_dial(&[RINGS], "", &[]).await;
    let before = log_of(&desk);
    let worker = desk.beside(Role::Dial, &[]).await;
    desk.until_created(1).await;
    until_it_rings(&desk, RINGS).await;
    worker.crash().await;
    desk.crash().await;
    cut(&mut desk, &before);
    desk.start_again(&[]).await;
    let _worker = desk.beside(Role::Dial, &[]).await;
    until_dialling_goes_on(&desk).await;
    assert_eq!(job_of(&desk, RINGS).await["status"], "placed");
    assert_eq!(desk.created(RINGS), 1);
}

#[tokio::test]
async fn a_dialler_whose_intent_was_forgotten_puts_it_on_record_with_its_call() {
    // Nobody calls back, and the reply comes after the cut.
    let settings = [("PUBLIC_BASE_URL", "http://localhost:9"), ("GYMCALL_DIAL_DEADLINE", "10s")];
    let mut desk = about_to_dial(&[NOBODY], "[[fault]]\ncreate_delay_ms = 4000", &settings).await;
    let before = log_of(&desk);
    let _worker = desk.beside(Role::Dial, &[]).await;
    desk.until_created(1).await;
    cut(&mut desk, &before);
    let job = job_of(&desk, NOBODY).await;
    assert_eq!(job["status"], "waiting", "the intent was not forgotten: {job}");
    let placed = desk.until_job(job["id"].as_str().unwrap(), "placed").await;
    assert_eq!(placed["attempts"][0]["twilio_call_sid"], *desk.call_to(NOBODY).sid);
    // Before Twilio was asked for anything: the doubt stands.
    assert!(desk.store().doubts().borrow().is_some());
    assert_eq!(desk.created(NOBODY), 1);
}

#[tokio::test]
async fn a_signed_callback_puts_a_forgotten_dial_on_record() {
    let mut desk = about_to_dial(&[ANSWERS], "[[fault]]\nlate_ms = 1500", &[("GYMCALL_DIAL_DEADLINE", "10s")]).await;
    let before = log_of(&desk);
    let worker = desk.beside(Role::Dial, &[]).await;
    desk.until_created(1).await;
    worker.crash().await;
    cut(&mut desk, &before);
    let id = job_of(&desk, ANSWERS).await["id"].as_str().unwrap().to_owned();
    desk.until("Twilio's news is on record", async || {
        let job = desk.job(&id).await;
        (job["attempts"][0]["twilio_call_sid"] == *desk.call_to(ANSWERS).sid).then_some(())
    })
    .await;
    // It was Twilio's news that brought it back, not a question.
    let events = desk.events(&id).await;
    let begun = events.iter().position(|event| event["event"] == "dial_begun").unwrap();
    assert_eq!(events[begun - 1]["ignored"], "no secret of an open attempt", "{events:?}");
    assert_eq!(desk.until_job(&id, "completed").await["outcome"], "answered");
    assert_eq!(desk.created(ANSWERS), 1);
}
