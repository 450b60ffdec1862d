//! What a call cost is known some time after its end, and is written down then.

use gymcall_simulator::Account;
use serde_json::{Value, json};

use super::desk::{ANSWERS, BUSY, CURT, CURT_TOO, Desk, Keeper, Plan};

on_each_keeper! {
    the_price_of_a_call_is_read_when_twilio_names_it,
    a_price_is_read_by_whoever_is_there_when_its_time_comes,
}

/// Much shorter than the usual ones, and the first two come before Twilio knows.
const WAITS: (&str, &str) = ("GYMCALL_PRICE_WAITS", "100ms,300ms,900ms,1500ms,3s,6s,12s,24s");

fn priced_after(seconds: f64) -> Account {
    Account { price_after_s: seconds, ..Account::default() }
}

async fn until_priced(desk: &Desk, campaign: &str) -> Vec<Value> {
    desk.until("every call of the campaign that was picked up has its price", async || {
        let jobs = desk.jobs(campaign).await;
        let open = |attempt: &Value| attempt["status"] == "completed" && attempt["cost"].is_null();
        let calls = |job: &Value| job["attempts"].as_array().unwrap().clone();
        (!jobs.iter().flat_map(calls).any(|attempt| open(&attempt))).then_some(jobs)
    })
    .await
}

async fn the_price_of_a_call_is_read_when_twilio_names_it(keeper: Keeper) {
    let plan = Plan { keeper, account: priced_after(0.6), settings: vec![WAITS], ..Plan::default() };
    let desk = Desk::of(plan).await;
    let campaign = desk.calling(&[ANSWERS, CURT, CURT_TOO, BUSY], json!({"max_attempts": 1})).await;
    let over = desk.finished(&campaign).await;
    let jobs = until_priced(&desk, &campaign).await;
    for (job, then) in jobs.iter().zip(&over) {
        let cost = if job["phone_number"] == BUSY { json!(null) } else { json!("0.01400") };
        assert_eq!(job["attempts"][0]["cost"], cost, "{job}");
        for kept in ["status", "outcome", "disposition", "answers", "tries"] {
            assert_eq!(job[kept], then[kept], "a price changes nothing else");
        }
    }
    let csv = desk.http.get(&format!("/v1/campaigns/{campaign}/results.csv")).await.body;
    assert_eq!(csv.matches(",0.01400,").count(), 3, "{csv}");
}

async fn a_price_is_read_by_whoever_is_there_when_its_time_comes(keeper: Keeper) {
    let waits = ("GYMCALL_PRICE_WAITS", "3s,6s,12s,24s");
    let mut desk = Desk::of(Plan { keeper, settings: vec![waits], ..Plan::default() }).await;
    let campaign = desk.calling(&[CURT], json!({})).await;
    desk.finished(&campaign).await;
    // Its time is stored with the job: whoever starts later finds it there.
    desk.crash().await;
    desk.start_again(&[]).await;
    let jobs = until_priced(&desk, &campaign).await;
    assert_eq!(jobs[0]["attempts"][0]["cost"], "0.01400");
}
