//! A dial that begins, and whose dialler does not hear of it.

use std::time::Duration;

use super::crowd;
use super::judge::judge;
use super::keeper::Keeper;
use super::server::Server;
use super::site::Site;

const GYMS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_dial_whose_beginning_nobody_heard_of_is_given_back_and_needs_no_person() {
    let numbers = crowd::numbers(GYMS);
    let site = Site::start(Keeper::Embedded, &crowd::quick_callees(&numbers), "", 20, GYMS as u32).await;
    let mut command = site.serve();
    command.env("GYMCALL_FAILPOINT", "W3:error@4");
    let server = Server::start(command).await;
    let api = &server.api;
    let campaign = api.post("/v1/campaigns", crowd::survey()).await["id"].as_str().unwrap().to_owned();
    api.upload(&campaign, &crowd::roster(&numbers), Duration::ZERO).await.expect("the roster is taken");
    api.start(&campaign).await;
    api.completed(&campaign, Duration::from_secs(90)).await;

    let jobs = api.jobs(&campaign).await;
    let asked_again = jobs.iter().filter(|job| job["attempts"].to_string().contains("not sent")).count();
    let verdict = judge(&site.twilio.log(), &numbers, &jobs);
    assert!(verdict.doubled.is_empty() && verdict.lost.is_empty(), "{verdict:?}");
    assert!(verdict.quarantined.is_empty(), "{:?}", verdict.quarantined);
    let called: std::collections::BTreeSet<_> = verdict.calls.iter().map(|call| &call.to).collect();
    assert_eq!(called.len(), GYMS, "every gym is called all the same ({asked_again} were asked for again)");
}
