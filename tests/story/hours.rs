//! Calling hours: a gym is called when its own clock allows it.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::desk::{ANSWERS, CURT, Desk, Keeper, id_of};

on_each_keeper! {
    a_gym_whose_hours_are_over_waits_for_its_own_morning,
}

/// From an hour ago to two hours from now, by the clock of Greenwich.
fn around(now: Timestamp) -> (Value, Timestamp) {
    let opens = Timestamp::from_second((now - 1.hour()).as_second() / 60 * 60).unwrap();
    let clock = |at: Timestamp| at.strftime("%H:%M").to_string();
    let window = json!({"from": clock(opens), "to": clock(opens + 3.hours()), "allow_outside_hours": true});
    (window, opens)
}

async fn a_gym_whose_hours_are_over_waits_for_its_own_morning(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let (window, opens) = around(Timestamp::now());
    let campaign = desk.campaign(json!({"window": window})).await;
    // Twelve hours behind Greenwich: its hours are eleven hours away.
    let csv = format!("phone,timezone\n{ANSWERS},Etc/GMT+12\n{CURT},Etc/UTC\n");
    desk.import(&campaign, &csv).await.expect(200);
    desk.tell(&campaign, "start").await.expect(200);

    // The other gym's call shows that the dialler is at work.
    let called =
        desk.until("its call", async || desk.jobs(&campaign).await.into_iter().find(|job| !job["outcome"].is_null()));
    assert_eq!(called.await["phone_number"], CURT);
    let jobs = desk.jobs(&campaign).await;
    let waiting = jobs.iter().find(|job| job["phone_number"] == ANSWERS).unwrap();
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(waiting["due_at"], json!(opens + 12.hours()));
    assert_eq!(waiting["timezone"], json!({"name": "Etc/GMT+12", "candidates": ["Etc/GMT+12"], "source": "csv"}));
    assert_eq!(desk.created(ANSWERS), 0);
    assert_eq!(desk.status_of(&campaign).await, "running");
}

#[tokio::test]
async fn a_gym_without_a_zone_has_that_of_its_address_or_of_its_number() {
    let desk = Desk::open().await;
    let campaign = desk.campaign(json!({"window": {"days": ["mon"], "from": "10:00", "to": "12:00"}})).await;
    let csv = "phone,state\n+14155550101,\n+14155550102,TX\n+18505550103,Florida\n";
    desk.import(&campaign, csv).await.expect(200);
    let zones: Vec<(Value, Value)> = desk
        .jobs(&campaign)
        .await
        .into_iter()
        .map(|job| (job["phone_number"].clone(), job["timezone"].clone()))
        .collect();
    let zone = |name: Option<&str>, candidates: &[&str], source: &str| json!({"name": name, "candidates": candidates, "source": source});
    for (number, wanted) in [
        ("+14155550101", zone(Some("America/Los_Angeles"), &["America/Los_Angeles"], "number")),
        ("+14155550102", zone(None, &["America/Chicago", "America/Denver"], "address")),
        ("+18505550103", zone(None, &["America/Chicago", "America/New_York"], "address")),
    ] {
        assert!(zones.contains(&(json!(number), wanted.clone())), "{number} {wanted}: {zones:?}");
    }
}

#[tokio::test]
async fn a_campaign_that_names_no_hours_keeps_the_usual_ones() {
    let desk = Desk::open().await;
    let every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    for request in [json!({"name": "A"}), json!({"name": "A", "policy": {"max_attempts": 1, "window": null}})] {
        let campaign = desk.http.post("/v1/campaigns", &request).await.expect(201);
        let usual = json!({"days": every_day, "from": "09:00", "to": "20:00"});
        assert_eq!(campaign["policy"]["window"], usual, "{request}");
        assert_eq!(desk.get(&format!("/v1/campaigns/{}", id_of(&campaign))).await["policy"]["window"], usual);
    }
}

#[tokio::test]
async fn a_campaign_shows_the_hours_it_keeps() {
    let desk = Desk::open().await;
    let policy = json!({"window": {"days": ["fri", "mon"], "to": "19:30", "holidays": ["2026-12-25"]}});
    let campaign = desk.campaign(policy).await;
    let shown = desk.get(&format!("/v1/campaigns/{campaign}")).await;
    let window = json!({"days": ["mon", "fri"], "from": "09:00", "to": "19:30", "holidays": ["2026-12-25"]});
    assert_eq!(shown["policy"]["window"], window);
}
