//! Taking back a job, and taking back a campaign.

use gymcall_simulator::Status;
use serde_json::json;

use super::desk::{ANSWERS, ANSWERS_AS_WELL, ANSWERS_TOO, CURT, Desk, Keeper, RINGS, THINKS, id_of};

on_each_keeper! {
    a_job_cancelled_during_its_call_is_cancelled_once_twilio_says_that_the_call_is_over,
    a_job_cancelled_while_it_rings_rings_no_more,
    a_waiting_job_is_cancelled_at_once_and_never_dialled,
    a_cancelled_campaign_lets_the_live_call_finish_and_calls_nobody_else,
}

async fn cancel(desk: &Desk, job: &str) -> serde_json::Value {
    desk.http.post(&format!("/v1/jobs/{job}/cancel"), &json!({})).await.expect(200)
}

async fn a_job_cancelled_during_its_call_is_cancelled_once_twilio_says_that_the_call_is_over(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[THINKS], json!({"max_attempts": 3})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_job(&job, "in_progress").await;
    let told = cancel(&desk, &job).await;
    assert_eq!((&told["status"], &told["cancel_requested"]), (&json!("in_progress"), &json!(true)));
    let over = desk.until_job(&job, "cancelled").await;
    let call = desk.call_to(THINKS);
    assert_eq!(desk.statuses(&call.sid).last(), Some(&Status::Completed), "cancelled before the call was over");
    assert_eq!((&over["outcome"], &over["attempts"][0]["status"]), (&json!("cancelled"), &json!("completed")));
    // Nothing is over at the cancel itself: the end comes with Twilio's word.
    let events = desk.events(&job).await;
    let asked = events.iter().position(|event| event["event"] == "cancel").unwrap();
    let ended = events.iter().rposition(|event| {
        event["event"] == "call_news" && event["detail"]["status"] == "completed" && event["ignored"].is_null()
    });
    assert!(asked < ended.unwrap(), "{events:?}");
    assert_eq!(desk.finished(&campaign).await.len(), 1);
    assert_eq!(desk.created(THINKS), 1);
}

async fn a_job_cancelled_while_it_rings_rings_no_more(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({"max_attempts": 3, "redial_after_minutes": 0})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    assert_eq!(cancel(&desk, &job).await["status"], "placed");
    let over = desk.until_job(&job, "cancelled").await;
    assert_eq!(over["attempts"][0]["status"], "canceled");
    assert_eq!(desk.statuses(&desk.call_to(RINGS).sid).last(), Some(&Status::Canceled));
    assert_eq!(desk.created(RINGS), 1);
}

async fn a_waiting_job_is_cancelled_at_once_and_never_dialled(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign_of(&[ANSWERS, CURT], json!({})).await;
    let job = id_of(&desk.jobs(&campaign).await[0]);
    assert_eq!(cancel(&desk, &job).await["status"], "cancelled");
    // Whoever asks twice gets what they asked for.
    assert_eq!(cancel(&desk, &job).await["status"], "cancelled");
    desk.tell(&campaign, "start").await.expect(200);
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["status"], &jobs[1]["tries"]), (&json!("cancelled"), &json!(1)));
    assert_eq!((desk.created(ANSWERS), desk.created(CURT)), (0, 1));
    let over = id_of(&jobs[1]);
    desk.http.post(&format!("/v1/jobs/{over}/cancel"), &json!({})).await.problem(409);
}

async fn a_cancelled_campaign_lets_the_live_call_finish_and_calls_nobody_else(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let gyms = [ANSWERS, ANSWERS_TOO, ANSWERS_AS_WELL];
    let campaign = desk.calling(&gyms, json!({"max_concurrent_calls": 1})).await;
    // Due at the same moment, any of them may come first.
    let first = desk.until_somebody_talks(&campaign).await;
    assert_eq!(desk.tell(&campaign, "cancel").await.expect(200)["status"], "cancelled");
    let over = desk.until_job(&first, "completed").await;
    assert_eq!(over["outcome"], "answered");
    for job in desk.jobs(&campaign).await.iter().filter(|job| job["id"] != *first) {
        assert_eq!(desk.until_job(&id_of(job), "cancelled").await["attempts"], json!([]));
    }
    assert_eq!(desk.twilio.log().creates().len(), 1);
    for verb in ["start", "pause", "resume"] {
        desk.tell(&campaign, verb).await.problem(409);
    }
    desk.import(&campaign, "phone_number\n+14155550177\n").await.problem(409);
}
