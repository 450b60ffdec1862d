//! How many calls there are at once, and how fast they begin.

use serde_json::json;

use super::desk::{CURT, CURT_TOO, Desk, Keeper, MORE_CURT, Plan};

on_each_keeper! {
    no_more_calls_are_live_than_the_account_has_lines,
    calls_begin_no_faster_than_the_account_allows,
}

const GYMS: [&str; 6] = [CURT, CURT_TOO, MORE_CURT[0], MORE_CURT[1], MORE_CURT[2], MORE_CURT[3]];

async fn no_more_calls_are_live_than_the_account_has_lines(keeper: Keeper) {
    let settings = vec![("GYMCALL_MAX_CONCURRENT_CALLS", "2")];
    let desk = Desk::of(Plan { settings, keeper, ..Plan::default() }).await;
    let policy = json!({"max_attempts": 1});
    // Two campaigns share the account.
    let (one, two) = tokio::join!(desk.calling(&GYMS[..3], policy.clone()), desk.calling(&GYMS[3..], policy));
    desk.finished(&one).await;
    desk.finished(&two).await;
    let tally = desk.twilio.log().tally();
    assert_eq!((tally.max_live, tally.created.len()), (2, 6));
}

async fn calls_begin_no_faster_than_the_account_allows(keeper: Keeper) {
    let settings = vec![("GYMCALL_CALLS_PER_SECOND", "5")];
    let desk = Desk::of(Plan { settings, keeper, ..Plan::default() }).await;
    let campaign = desk.calling(&GYMS, json!({"max_attempts": 1})).await;
    desk.finished(&campaign).await;
    let times: Vec<i64> = desk.twilio.log().creates().iter().map(|call| call.created_at_ms).collect();
    assert_eq!(times.len(), 6);
    // Five waits of 200 ms; what one request loses on its way, the next may make up for.
    assert!(times[5] - times[0] > 900, "{times:?}");
}
