//! Several processes on one Redis.

use std::time::{Duration, Instant};

use gymcall::app::Role;
use gymcall_simulator::Event;
use serde_json::json;

use super::balancer::Balancer;
use super::desk::{
    ANSWERS, CURT, CURT_AS_WELL, CURT_TOO, Desk, Keeper, MORE_CURT, NOBODY, Plan, RINGS, THINKS, id_of, job_and_tag,
};
use super::signed::{begin, closed, open_signed_stream_at};

const GYMS: [&str; 6] = [ANSWERS, CURT, CURT_TOO, CURT_AS_WELL, MORE_CURT[0], NOBODY];

/// A server that leaves the dialling to others.
async fn server_alone() -> Desk {
    Desk::of(Plan { keeper: Keeper::Redis, no_worker: true, ..Plan::default() }).await
}

#[tokio::test]
async fn workers_dial_and_the_server_talks() {
    let desk = server_alone().await;
    let _workers = [desk.beside(Role::Dial, &[]).await, desk.beside(Role::Dial, &[]).await];
    let campaign = desk.calling(&GYMS, json!({"max_attempts": 1})).await;
    for job in desk.finished(&campaign).await {
        let answered = job["phone_number"] == ANSWERS;
        assert_eq!(job["outcome"], if answered { "answered" } else { "gave_up" }, "{job}");
        assert_eq!(desk.created(job["phone_number"].as_str().unwrap()), 1, "{job}");
    }
    desk.assert_no_attempt_was_dialled_twice();
}

#[tokio::test]
async fn a_single_call_waits_for_another_process_to_place_it() {
    let desk = server_alone().await;
    let _worker = desk.beside(Role::Dial, &[]).await;
    let asked = Instant::now();
    let reply = desk.http.post("/v1/calls", &json!({"phone_number": CURT})).await.expect(201);
    assert_eq!(reply["twilio_call_sid"], *desk.call_to(CURT).sid);
    // By the news of it, not because the time was up.
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_webhook_and_a_stream_may_reach_any_server() {
    let balancer = Balancer::bind().await;
    let url: &'static str = balancer.url().to_owned().leak();
    let settings = vec![("PUBLIC_BASE_URL", url)];
    let desk = Desk::of(Plan { keeper: Keeper::Redis, settings, ..Plan::default() }).await;
    let other = desk.beside(Role::ServeAndDial, &[]).await;
    let _balancing = balancer.serve(vec![desk.http.base().to_owned(), other.http().base().to_owned()]);
    let campaign = desk.calling(&GYMS, json!({"max_attempts": 1})).await;
    let jobs = desk.finished(&campaign).await;
    let answered = jobs.iter().find(|job| job["phone_number"] == ANSWERS).unwrap();
    assert_eq!((&answered["outcome"], &answered["disposition"]), (&json!("answered"), &json!("answered_full")));
    assert!(jobs.iter().all(|job| job["tries"] == 1), "{jobs:?}");
    // Both tell the same of it.
    let campaign = format!("/v1/campaigns/{campaign}");
    assert_eq!(other.http().get(&campaign).await.expect(200), desk.get(&campaign).await);
    desk.assert_no_attempt_was_dialled_twice();
}

#[tokio::test]
async fn one_attempt_has_one_socket_whichever_server_a_second_one_reaches() {
    let desk = Desk::on(Keeper::Redis).await;
    let other = desk.beside(Role::Serve, &[]).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    desk.until_logged("the sound is here", |event| matches!(event, Event::StreamOpened { .. })).await;
    let call = desk.call_to(ANSWERS);
    let (job, tag) = job_and_tag(&call);
    desk.until("the stream is on record", async || {
        desk.events(&job).await.iter().any(|event| event["event"] == "stream_opened").then_some(())
    })
    .await;
    let mut second = open_signed_stream_at(&desk, other.http().base()).await;
    begin(&mut second, &call.sid, json!({"job": job, "tag": tag})).await;
    assert_eq!(closed(&mut second).await, Some(1008));
    assert_eq!(desk.finished(&campaign).await[0]["disposition"], "answered_full", "the call was disturbed");
}

#[tokio::test]
async fn a_key_that_was_used_at_one_server_is_known_at_the_other() {
    let desk = Desk::on(Keeper::Redis).await;
    let other = desk.beside(Role::ServeAndDial, &[]).await;
    let body = json!({"phone_number": CURT});
    let (one, two) =
        tokio::join!(desk.http.post_keyed("/v1/calls", "k", &body), other.http().post_keyed("/v1/calls", "k", &body));
    for reply in [&one, &two] {
        assert!([201, 409].contains(&reply.status), "{}", reply.body);
    }
    let first = if one.status == 201 { one } else { two };
    for server in [&desk.http, other.http()] {
        let replay = server.post_keyed("/v1/calls", "k", &body).await;
        assert_eq!((replay.status, &replay.body), (201, &first.body));
        assert_eq!(replay.header("idempotency-replayed"), "true");
    }
    assert_eq!(desk.created(CURT), 1);
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_the_calls_of_the_others() {
    let desk = Desk::on(Keeper::Redis).await;
    let other = desk.beside(Role::ServeAndDial, &[]).await;
    let campaign = desk.calling(&[THINKS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_job(&job, "in_progress").await;
    let told = Instant::now();
    other.stop().await;
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    assert_eq!(desk.job(&job).await["status"], "in_progress");
}

#[tokio::test]
async fn a_worker_that_stops_waits_for_its_request_and_hands_nothing_back() {
    let plan = Plan {
        keeper: Keeper::Redis,
        no_worker: true,
        faults: "[[fault]]\ncreate_delay_ms = 1500\n",
        // News that comes before the reply would settle it.
        settings: vec![("PUBLIC_BASE_URL", "http://localhost:9"), ("GYMCALL_MAX_CONCURRENT_CALLS", "1")],
        ..Plan::default()
    };
    let desk = Desk::of(plan).await;
    let worker = desk.beside(Role::Dial, &[]).await;
    let campaign = desk.calling(&[NOBODY, RINGS], json!({})).await;
    desk.until_created(1).await;
    worker.stop().await;
    let jobs = desk.jobs(&campaign).await;
    let with = |status: &str| jobs.iter().filter(|job| job["status"] == status).collect::<Vec<_>>();
    assert_eq!((with("placed").len(), with("waiting").len()), (1, 1), "{jobs:?}");
    let events = desk.events(&id_of(with("placed")[0])).await;
    assert!(events.iter().any(|event| event["event"] == "created"), "{events:?}");
    assert_eq!(desk.twilio.log().creates().len(), 1);
}

#[tokio::test]
async fn an_unclear_call_is_looked_up_by_one_of_many_and_quarantined_once() {
    let faults = "[[fault]]\nerror_before_create = true";
    let desk = Desk::of(Plan { keeper: Keeper::Redis, faults, ..Plan::default() }).await;
    let _others = [desk.beside(Role::ServeAndDial, &[]).await, desk.beside(Role::Dial, &[]).await];
    let campaign = desk.calling(&[ANSWERS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_job(&job, "quarantined").await;
    let events = desk.events(&job).await;
    let number_of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert!((1..=2).contains(&number_of("not_found")), "{events:?}");
    assert_eq!(number_of("dial_begun"), 1);
}
