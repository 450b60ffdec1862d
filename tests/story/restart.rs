//! A server that stops in the middle, and starts again on the same records.

use serde_json::json;

use super::desk::{ANSWERS, CURT, CURT_TOO, Desk, Keeper, NOBODY, RINGS};

on_each_keeper! {
    a_restart_in_the_middle_loses_nothing_and_calls_nobody_twice,
    a_crash_in_the_middle_calls_nobody_twice,
    a_call_that_rings_through_a_crash_is_still_the_jobs_call,
}

async fn a_restart_in_the_middle_loses_nothing_and_calls_nobody_twice(keeper: Keeper) {
    let mut desk = Desk::on(keeper).await;
    let fresh: Vec<String> = (140..150).map(|last| format!("+14155550{last}")).collect();
    let mut numbers = vec![ANSWERS, CURT, NOBODY, CURT_TOO];
    numbers.extend(fresh.iter().map(String::as_str));
    let policy = json!({"max_attempts": 2, "redial_after_minutes": 0.2 / 60.0, "calls_per_second": 10});
    let campaign = desk.calling(&numbers, policy).await;
    // Some talk, some ring, and some wait.
    desk.until_created(7).await;
    desk.stop().await;
    let created = desk.twilio.log().creates().len();
    assert!(created < numbers.len(), "everything was dialled before the restart");
    desk.start_again(&[]).await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!(jobs.len(), numbers.len());
    for (job, number) in jobs.iter().zip(&numbers) {
        assert_eq!(job["phone_number"], *number);
        assert_eq!(desk.created(number) as u64, job["tries"].as_u64().unwrap(), "{job}");
        let answered = ![CURT, CURT_TOO, NOBODY].contains(number);
        assert_eq!(job["outcome"], if answered { "answered" } else { "gave_up" }, "{job}");
        assert_eq!(job["attempts"].as_array().unwrap().len(), if *number == NOBODY { 2 } else { 1 }, "{job}");
    }
    desk.assert_no_attempt_was_dialled_twice();
}

async fn a_crash_in_the_middle_calls_nobody_twice(keeper: Keeper) {
    let mut desk = Desk::on(keeper).await;
    let numbers: Vec<String> = (140..160).map(|last| format!("+14155550{last}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let campaign = desk.calling(&numbers, json!({"max_attempts": 2, "redial_after_minutes": 0})).await;
    desk.until_created(8).await;
    desk.crash().await;
    desk.start_again(&[]).await;
    // What was being said is lost, and those who were spoken to are left in peace: only who was not
    // reached at all is called. A request that was under way may stay a matter for a person.
    for job in desk.finished(&campaign).await {
        let number = job["phone_number"].as_str().unwrap();
        assert!(desk.created(number) <= 1, "{job}");
        assert!(desk.created(number) == 1 || job["status"] == "quarantined", "{job}");
    }
    desk.assert_no_attempt_was_dialled_twice();
}

async fn a_call_that_rings_through_a_crash_is_still_the_jobs_call(keeper: Keeper) {
    let mut desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({"max_attempts": 3})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let before = desk.version(&job).await;
    desk.crash().await;
    desk.start_again(&[]).await;
    let shown = desk.job(&job).await;
    assert_eq!((&shown["status"], desk.version(&job).await >= before), (&json!("placed"), true));
    desk.http.post(&format!("/v1/jobs/{job}/cancel"), &json!({})).await.expect(200);
    assert_eq!(desk.until_job(&job, "cancelled").await["attempts"][0]["status"], "canceled");
    assert_eq!(desk.created(RINGS), 1);
}

#[tokio::test]
async fn a_call_that_ended_while_the_server_was_away_is_found_out_at_the_start() {
    let mut desk = Desk::open().await;
    let campaign = desk.calling(&[RINGS], json!({"max_attempts": 1})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let call = desk.call_to(RINGS);
    desk.crash().await;
    // Twilio ends it and tells nobody: the callbacks go to a server that is not there.
    let account = gymcall_simulator::Settings::default().account_sid;
    let url = format!("{}/2010-04-01/Accounts/{account}/Calls/{}.json", desk.twilio.url(), call.sid);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [("Status", "canceled"), ("StatusCallback", "http://localhost:9/gone")];
    let request = client.post(url).basic_auth(&account, Some(super::desk::TOKEN)).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
    desk.start_again(&[]).await;
    // Nobody's phone was the reason, so it is no try, and the gym waits for its call.
    let shown = desk.until_job(&job, "waiting").await;
    assert_eq!((&shown["attempts"][0]["status"], &shown["tries"]), (&json!("canceled"), &json!(0)));
    assert_eq!(desk.created(RINGS), 1);
}
