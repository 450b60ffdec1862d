//! Calls that nobody told of, found in Twilio's records: by their own requests to us, not by their looks.

use futures_util::future::join_all;
use gymcall_simulator::{Event, Status};
use serde_json::{Value, json};

use super::desk::{Desk, FROM, Keeper, Plan, RINGS, TOKEN};
use super::unclear::requests;

on_each_keeper! {
    a_call_whose_callbacks_are_lost_is_found_in_twilios_list,
    a_strangers_call_to_the_gym_at_that_moment_is_not_taken_for_ours,
}

/// Somebody else with the same account calls the gym, from the same number. Returns the call.
async fn foreign_call(desk: &Desk, status_callback: Option<&str>) -> String {
    let account = gymcall_simulator::Settings::default().account_sid;
    let url = format!("{}/2010-04-01/Accounts/{account}/Calls.json", desk.twilio.url());
    let mut form = vec![("To", RINGS), ("From", FROM), ("Url", "http://localhost:9/another-app")];
    if let Some(to) = status_callback {
        form.extend([("StatusCallback", to), ("StatusCallbackEvent", "initiated")]);
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(url).basic_auth(&account, Some(TOKEN)).form(&form);
    let reply: Value = request.send().await.unwrap().json().await.unwrap();
    reply["sid"].as_str().unwrap().to_owned()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

/// The job of a campaign with one gym, once its call was found in the list, and its history.
async fn found(desk: &Desk) -> (String, Vec<Value>) {
    let campaign = desk.calling(&[RINGS], json!({"max_attempts": 3})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_job(&job, "placed").await;
    let events = desk.events(&job).await;
    let at = |name: &str| names(&events).iter().position(|event| *event == name);
    let (look_up, news) = (at("found").unwrap(), at("call_news").unwrap());
    assert!(look_up < news, "{events:?}");
    assert_eq!(requests(desk, RINGS), 1);
    (job, events)
}

async fn found_in_the_list(faults: &'static str, keeper: Keeper) {
    let settings = vec![("GYMCALL_DIAL_DEADLINE", "1s")];
    let desk = Desk::of(Plan { keeper, faults, settings, ..Plan::default() }).await;
    let (job, _) = found(&desk).await;
    let sid = desk.call_to(RINGS).sid;
    assert_eq!(desk.job(&job).await["attempts"][0]["twilio_call_sid"], *sid, "{faults}");
    // It is the job's call like any other: it can be taken back.
    desk.http.post(&format!("/v1/jobs/{job}/cancel"), &json!({})).await.expect(200);
    assert_eq!(desk.until_job(&job, "cancelled").await["attempts"][0]["status"], "canceled", "{faults}");
    assert_eq!(desk.statuses(&sid).last(), Some(&Status::Canceled), "{faults}");
}

async fn a_call_whose_callbacks_are_lost_is_found_in_twilios_list(keeper: Keeper) {
    let faults = [
        "[[fault]]\ncallbacks = \"none\"\nerror_after_create = true",
        "[[fault]]\ncallbacks = \"none\"\nreset_after_create = true",
        "[[fault]]\ncallbacks = \"none\"\nsilence_after_create = true",
        "[[fault]]\ncallbacks = \"none\"\ncut_reply = true",
        "[[fault]]\ncallbacks = \"none\"\ncreate_delay_ms = 30000",
    ];
    join_all(faults.map(|faults| found_in_the_list(faults, keeper))).await;
}

async fn found_late(faults: &'static str) {
    let settings = vec![("GYMCALL_LOOK_UP_WAITS", "200ms,400ms,3s,6s,9s")];
    let desk = Desk::of(Plan { faults, settings, ..Plan::default() }).await;
    let (_, events) = found(&desk).await;
    let not_found = events.iter().filter(|event| event["event"] == "not_found");
    // Two look-ups came before the records had caught up; one, where a busy machine missed the first's time.
    assert!((1..=3).contains(&not_found.clone().count()), "{faults}: {events:?}");
    assert!(not_found.clone().all(|event| event["ignored"] == "too early"), "{faults}: {events:?}");
}

#[tokio::test]
async fn a_call_that_twilios_records_show_late_is_found_late() {
    let faults = [
        "[[fault]]\ncallbacks = \"none\"\nreset_after_create = true\nlist_lag_ms = 2000",
        "[[fault]]\ncallbacks = \"none\"\nreset_after_create = true\nevents_lag_ms = 2000",
    ];
    join_all(faults.map(found_late)).await;
}

#[tokio::test]
async fn of_several_calls_to_a_number_the_one_with_our_tag_is_taken() {
    let faults = "[[fault]]\ntimes = 1\ncallbacks = \"none\"\nreset_after_create = true";
    let settings = vec![("GYMCALL_LOOK_UP_WAITS", "2s,4s")];
    let desk = Desk::of(Plan { faults, settings, ..Plan::default() }).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    desk.until_created(1).await;
    let own = desk.call_to(RINGS).sid;
    let foreign = [foreign_call(&desk, Some("http://localhost:9/told")).await, foreign_call(&desk, None).await];
    let job = desk.only_job(&campaign).await;
    let placed = desk.until_job(&job, "placed").await;
    let attempt = &placed["attempts"][0];
    assert_eq!((&attempt["twilio_call_sid"], &attempt["conflicts"]), (&json!(own), &json!([])));
    for call in foreign {
        assert!(!desk.statuses(&call).iter().any(|status| status.is_final()), "{call} was ended");
    }
}

async fn a_strangers_call_to_the_gym_at_that_moment_is_not_taken_for_ours(keeper: Keeper) {
    let faults = "[[fault]]\ntimes = 1\nreset_before_create = true";
    let settings = vec![("GYMCALL_LOOK_UP_WAITS", "2s,3s")];
    let desk = Desk::of(Plan { keeper, faults, settings, ..Plan::default() }).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    desk.until_logged("the request", |event| matches!(event, Event::Create { .. })).await;
    // From our number, at the same time, and with nothing that Twilio would have asked for it yet.
    let foreign = foreign_call(&desk, None).await;
    let job = desk.only_job(&campaign).await;
    let shown = desk.until_job(&job, "quarantined").await;
    assert!(shown["attempts"][0]["twilio_call_sid"].is_null(), "{shown}");
    // A person who looks into it is told where to look first.
    let looked = shown["evidence"]["look_ups"].as_array().unwrap();
    assert!(looked.last().unwrap()["detail"].as_str().unwrap().contains(&foreign), "{shown}");
    assert!(!desk.statuses(&foreign).iter().any(|status| status.is_final()), "the stranger's call was ended");
    desk.http.post(&format!("/v1/jobs/{job}/resolve"), &json!({"fate": "called"})).await.expect(200);
    assert!(!desk.statuses(&foreign).iter().any(|status| status.is_final()), "the stranger's call was ended");
}
