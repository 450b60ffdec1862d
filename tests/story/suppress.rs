//! Lists of numbers that are never called.

use serde_json::{Value, json};

use super::desk::{CURT, Desk, Keeper, RINGS};

on_each_keeper! {
    a_list_is_suppressed_at_once_and_a_live_call_to_one_of_it_is_hung_up,
}

async fn a_list_is_suppressed_at_once_and_a_live_call_to_one_of_it_is_hung_up(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let later = desk.campaign_of(&[CURT], json!({})).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let national = format!("({}) {}-{}", &RINGS[2..5], &RINGS[5..8], &RINGS[8..]);
    let list = format!(
        "Phone,Country,Reason,Name\n{national},,asked by mail,Ring\n{CURT},,,\n020 7946 0018,UK,,London\n12,,,\n{CURT},,again,\n"
    );
    let key = [("idempotency-key", "one")];
    let added = desk.http.upload("/v1/suppressions", &list, &key).await;
    let report = added.expect(200);
    let counts = ["accepted", "corrected", "duplicates", "rejected"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 1, 1], "{report}");
    let rows: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| (&row["line"], &row["code"])).collect();
    assert_eq!(rows, [(&json!(5), &json!("invalid_phone")), (&json!(6), &json!("duplicate"))]);
    desk.until_job(&job, "cancelled").await;
    assert_eq!(desk.statuses(&desk.call_to(RINGS).sid).last(), Some(&gymcall_simulator::Status::Canceled));
    desk.tell(&later, "start").await.expect(200);
    assert_eq!(desk.finished(&later).await[0]["skip_reason"], "suppressed");

    let replay = desk.http.upload("/v1/suppressions", &list, &key).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (200, &added.body, "true"));
    let items = desk.get("/v1/suppressions").await["items"].as_array().unwrap().clone();
    let entries: Vec<(&Value, &Value)> = items.iter().map(|entry| (&entry["phone_number"], &entry["reason"])).collect();
    assert_eq!(
        entries,
        [
            (&json!(RINGS), &json!("asked by mail")),
            (&json!(CURT), &json!("from a list")),
            (&json!("+442079460018"), &json!("from a list")),
        ]
    );
}

#[tokio::test]
async fn an_exported_list_is_safe_in_a_spreadsheet_and_is_read_back() {
    let desk = Desk::open().await;
    for (phone, reason) in [("+14155550101", "=HYPERLINK(\"x\")"), ("+14155550102", "said \"no\", twice")] {
        desk.http.post("/v1/suppressions", &json!({"phone_number": phone, "reason": reason})).await.expect(201);
    }
    let exported = desk.http.get("/v1/suppressions.csv").await;
    assert_eq!((exported.status, exported.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = exported.body.lines().collect();
    assert_eq!(lines[0], "phone_number,since,reason");
    assert!(
        lines[1].starts_with("'+14155550101,") && lines[1].ends_with(",\"'=HYPERLINK(\"\"x\"\")\""),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 3);
    // What is there already is told as such, and keeps its first entry.
    let again = desk.http.upload("/v1/suppressions", &exported.body, &[]).await.expect(200);
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(2)));
    let other = Desk::open().await;
    let read = other.http.upload("/v1/suppressions", &exported.body, &[]).await.expect(200);
    assert_eq!((&read["accepted"], &read["corrected"], &read["rejected"]), (&json!(2), &json!(2), &json!(0)));

    desk.http.upload("/v1/suppressions", "name\nIron\n", &[]).await.blames("/file");
    desk.http.upload("/v1/suppressions", "", &[]).await.blames("/file");
    desk.http.post("/v1/suppressions", &json!({"phone_number": "+14155550103", "reason": ""})).await.blames("/reason");
}
