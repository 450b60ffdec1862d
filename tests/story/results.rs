//! The main story: a CSV goes in, answers with their evidence come out.

use serde_json::{Value, json};

use super::desk::{BREAKS, BUSY, Desk, INVALID, Keeper, LEAVES, all_day, csv_of, id_of};

on_each_keeper! {
    long_lists_come_in_pages_that_leave_nothing_out,
    an_answer_that_was_heard_is_kept_however_the_call_ends,
}

const ROSTER: &str = "\
phone_number,gym_name,city,external_id
+14155550101,Iron Temple,Austin,=1+1
(415) 555-0102,=cmd(),Austin,-2
+14155550107,Busy Gym,Dallas,+3
+14155550110,Dead Gym,Dallas,@4
no number,Nowhere,Dallas,5
+1 415 555 0101,Iron Temple again,Austin,6
";

/// The cells of a sheet, by the names of its columns.
fn rows(csv: &str) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize::<std::collections::BTreeMap<String, String>>().map(|row| json!(row.unwrap())).collect()
}

fn assert_no_formula(csv: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "a formula: {cell}");
        }
    }
}

#[tokio::test]
async fn a_csv_goes_in_and_every_answer_comes_out_with_its_evidence() {
    let desk = Desk::open().await;
    let request = json!({
        "name": "Survey",
        "questions": [
            {"key": "price", "ask": "How much is a day pass in {{city}}?", "type": "money"},
            {"key": "classes", "ask": "Which classes do you offer?", "type": "list"},
        ],
        "policy": {"max_attempts": 1, "window": all_day()},
    });
    let campaign = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    assert_eq!(desk.status_of(&campaign).await, "draft");
    let report = desk.import(&campaign, ROSTER).await.expect(200);
    let counts = ["accepted", "corrected", "duplicates", "rejected"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts, [4, 1, 1, 1], "{report}");
    let bad: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| (&row["line"], &row["code"])).collect();
    assert_eq!(bad, [(&json!(6), &json!("invalid_phone")), (&json!(7), &json!("duplicate"))]);
    assert_eq!(desk.status_of(&campaign).await, "ready");

    // One row for each accepted gym, before anybody was called.
    let results = format!("/v1/campaigns/{campaign}/results");
    let before = desk.get(&results).await;
    assert_eq!(before["items"].as_array().unwrap().len(), 4);
    assert!(before["items"].as_array().unwrap().iter().all(|row| row["status"] == "waiting"));
    let sheet = desk.http.get(&format!("{results}.csv")).await;
    assert_eq!(rows(&sheet.body).len(), 4);

    desk.tell(&campaign, "start").await.expect(200);
    let jobs = desk.finished(&campaign).await;
    let words = |name: &str| jobs.iter().map(|job| job[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
    assert_eq!(words("status"), ["completed", "completed", "failed", "failed"]);
    assert_eq!(words("outcome"), ["answered", "answered", "gave_up", "gave_up"]);
    assert_eq!(words("ended_reason"), ["agent_hangup", "agent_hangup", "dial_busy", "invalid_destination"]);
    assert_eq!(words("answered_by")[0], "human");
    assert_eq!((desk.created(BUSY), desk.created(INVALID)), (1, 0));

    let after = desk.get(&results).await;
    let row = &after["items"][0];
    assert_eq!(row["disposition"], "answered_full");
    assert_eq!(row["answers"]["price"], json!({"amount": "15.00", "currency": "USD"}));
    assert_eq!(row["answers"]["classes"].as_array().unwrap().len(), 3, "{row}");
    assert_eq!(after["items"][2]["answers"]["price"], "not_asked");
    assert_evidence(row);
    assert_told_in_order(&desk, &id_of(row)).await;
    assert_sheet(&desk, &results, &after).await;
    // Somebody hears whom the call is for, and the column that the question names.
    let heard = desk.job(&id_of(row)).await["transcript"].to_string();
    assert!(heard.contains("Iron Temple") && heard.contains("in Austin"), "{heard}");
}

/// The words and the time of each answer, and both sides of the conversation.
fn assert_evidence(row: &Value) {
    let mut said_before = 0;
    for (evidence, quote) in row["evidence"].as_array().unwrap().iter().zip(["15 dollars", "boxing"]) {
        assert!(evidence["quote"].as_str().unwrap().contains(quote), "{evidence}");
        let [from, to] = ["from_ms", "to_ms"].map(|name| evidence[name].as_u64().unwrap());
        assert!(said_before < from && from < to, "{row}");
        said_before = to;
    }
}

async fn assert_told_in_order(desk: &Desk, id: &str) {
    let job = desk.job(id).await;
    let turns: Vec<_> =
        job["transcript"].as_array().unwrap().iter().map(|turn| turn["who"].as_str().unwrap()).collect();
    assert_eq!(turns, ["agent", "gym", "agent", "gym", "agent"], "{}", job["transcript"]);
    let attempt = &job["attempts"][0];
    assert_eq!(attempt["twilio_call_sid"], *desk.call_to("+14155550101").sid);
    assert_eq!(attempt["status"], "completed");
    assert!(attempt["duration_s"].is_u64() && attempt["ended_at"].is_string(), "{attempt}");

    let events = desk.events(id).await;
    let numbers: Vec<_> = events.iter().map(|event| event["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let at = |kind: &str| {
        let found = events.iter().position(|event| event["event"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {events:?}"))
    };
    let order =
        ["dial_begun", "voice_requested", "stream_opened", "agent_said", "gym_said", "answer_heard", "reported"];
    assert!(order.map(at).is_sorted(), "{events:?}");
    let text = serde_json::to_string(&events).unwrap();
    for call in desk.twilio.log().creates() {
        assert!(!text.contains(&super::desk::job_and_tag(&call).1), "the history tells an attempt's secret");
    }
}

async fn assert_sheet(desk: &Desk, results: &str, after: &Value) {
    let sheet = desk.http.get(&format!("{results}.csv")).await;
    assert_eq!(sheet.status, 200);
    assert!(sheet.header("content-type").starts_with("text/csv"));
    assert_no_formula(&sheet.body);
    let rows = rows(&sheet.body);
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["price"], "15.00 USD");
    assert_eq!(rows[0]["twilio_call_sid"], after["items"][0]["attempts"][0]["twilio_call_sid"]);
    assert_eq!((&rows[1]["gym_name"], &rows[0]["external_id"]), (&json!("'=cmd()"), &json!("'=1+1")));
    assert_eq!((&rows[2]["ended_reason"], &rows[2]["price"]), (&json!("dial_busy"), &json!("not_asked")));
    let ids: Vec<_> = rows.iter().map(|row| &row["id"]).collect();
    let expected: Vec<_> = after["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, expected);
}

async fn long_lists_come_in_pages_that_leave_nothing_out(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let numbers: Vec<String> = (100..130).map(|last| format!("+14155550{last}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let campaign = desk.campaign_of(&numbers, json!({})).await;
    for list in ["jobs", "results"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = desk.get(&format!("/v1/campaigns/{campaign}/{list}?limit=7{cursor}")).await;
            seen.extend(page["items"].as_array().unwrap().iter().map(|job| job["phone_number"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, numbers, "{list}");
    }
}

async fn an_answer_that_was_heard_is_kept_however_the_call_ends(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let request = json!({
        "name": "Survey",
        "questions": [
            {"key": "price", "ask": "How much is a day pass?", "type": "money"},
            {"key": "classes", "ask": "Which classes do you offer?", "type": "list"},
        ],
        "policy": {"max_attempts": 3, "redial_after_minutes": 0, "window": all_day()},
    });
    let campaign = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    desk.import(&campaign, &csv_of(&[BREAKS, LEAVES])).await.expect(200);
    desk.tell(&campaign, "start").await.expect(200);
    desk.finished(&campaign).await;
    let results = desk.get(&format!("/v1/campaigns/{campaign}/results")).await;
    for (row, reason) in results["items"].as_array().unwrap().iter().zip(["error_stream", "user_hangup"]) {
        assert_eq!((&row["outcome"], &row["disposition"]), (&json!("answered"), &json!("answered_partial")), "{row}");
        assert_eq!(row["ended_reason"], reason);
        assert_eq!(row["answers"], json!({"price": {"amount": "15.00", "currency": "USD"}, "classes": "not_asked"}));
        assert_eq!(row["tries"], 1, "somebody who answered is not called again");
    }
}
