//! What a campaign will come to, before it starts.

use serde_json::json;

use super::desk::{ANSWERS, BUSY, CURT, Desk, Keeper, NOBODY};

on_each_keeper! {
    a_forecast_tells_who_is_called_when_for_how_much_and_who_is_not,
}

async fn a_forecast_tells_who_is_called_when_for_how_much_and_who_is_not(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let opens = json!({"days": ["mon"], "from": "10:00", "to": "12:00"});
    let campaign = desk.campaign(json!({"window": opens, "max_attempts": 1, "max_concurrent_calls": 1})).await;
    let forecast = format!("/v1/campaigns/{campaign}/forecast");
    let empty = desk.get(&forecast).await;
    assert_eq!((&empty["gyms"], &empty["calls"], &empty["cost"]), (&json!(0), &json!(0), &json!("0.00")), "{empty}");
    assert_eq!(
        (&empty["starts_at"], &empty["finish_at"], &empty["finish_range"]),
        (&json!(null), &json!(null), &json!(null))
    );

    let csv = format!(
        "phone,timezone\n{ANSWERS},America/New_York\n{BUSY},America/Denver\n{CURT},America/Denver\n{NOBODY},\n"
    );
    desk.import(&campaign, &csv).await.expect(200);
    desk.http.post("/v1/suppressions", &json!({"phone_number": NOBODY})).await;
    let told = desk.get(&forecast).await;
    assert_eq!(
        (&told["campaign_id"], &told["gyms"], &told["calls"]),
        (&json!(campaign), &json!(3), &json!(3)),
        "{told}"
    );
    assert_eq!(told["skipped"], json!({"suppressed": 1}));
    let zones: Vec<_> =
        told["by_zone"].as_array().unwrap().iter().map(|zone| (&zone["timezone"], &zone["gyms"])).collect();
    assert_eq!(zones, [(&json!("America/New_York"), &json!(1)), (&json!("America/Denver"), &json!(2))]);
    let [starts, second, finish] = [&told["starts_at"], &told["by_zone"][1]["starts_at"], &told["finish_at"]]
        .map(|at| at.as_str().unwrap().to_owned());
    assert!(starts < second && second < finish, "Denver has its Monday morning after New York: {told}");
    assert_eq!((&told["stops"], &told["assumptions"]["calls_seen"]), (&json!(null), &json!(0)));
    desk.http.get("/v1/campaigns/camp_nobody/forecast").await.problem(404);
}
