//! What is told of a file before its gyms are called.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::CampaignId;
use gymcall_jobs::store::{CampaignWrite, Stored, Write};
use serde_json::{Value, json};

use super::desk::{ANSWERS, Desk, Keeper, id_of};

on_each_keeper! {
    a_dry_run_reports_as_the_import_would_and_stores_nothing,
    a_file_that_replaces_takes_the_place_of_the_gyms_that_are_there,
}

/// Two rows of it are good, one is in the campaign already, one is not called and one is no number.
const MIXED: &str = "phone,name\n(415) 555-0101,Iron Temple\n+14155550102,Steel House\n+14155550103,Known\n\
                     +14155550104,Unwilling\n12345,Short\n4155550101,Iron Temple again\n";

fn counts(report: &Value) -> [u64; 5] {
    ["accepted", "corrected", "duplicates", "rejected", "suppressed"].map(|name| report[name].as_u64().unwrap())
}

async fn a_dry_run_reports_as_the_import_would_and_stores_nothing(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign_of(&["+14155550103"], json!({})).await;
    desk.http.post("/v1/suppressions", &json!({"phone_number": "+14155550104"})).await.expect(201);
    let path = format!("/v1/campaigns/{campaign}/gyms");
    // A dry run is no write: a key does not hold its reply.
    let key = [("idempotency-key", "one")];
    let rehearsed = desk.http.upload(&format!("{path}?dry_run=true"), MIXED, &key).await.expect(200);
    assert_eq!(counts(&rehearsed), [3, 1, 2, 1, 1]);
    let rows: Vec<(u64, &str)> = rehearsed["rows"].as_array().unwrap().iter().map(line_and_code).collect();
    assert_eq!(rows, [(4, "duplicate"), (6, "invalid_phone"), (7, "duplicate")]);
    assert_eq!(
        (&rehearsed["dry_run"], &rehearsed["mode"], &rehearsed["run_id"]),
        (&json!(true), &json!("add"), &Value::Null)
    );
    assert_eq!(desk.jobs(&campaign).await.len(), 1);

    let mut imported = desk.http.upload(&path, MIXED, &key).await.expect(200);
    assert_eq!(imported["run_id"], desk.get(&format!("/v1/campaigns/{campaign}")).await["run_id"]);
    assert_eq!(desk.jobs(&campaign).await.len(), 4);
    for (name, value) in [("dry_run", json!(true)), ("run_id", Value::Null)] {
        imported[name] = value;
    }
    assert_eq!(imported, rehearsed);
    desk.http.upload(&format!("{path}?dry_run=true"), "name\nIron\n", &[]).await.blames("/file");
}

fn line_and_code(row: &Value) -> (u64, &str) {
    (row["line"].as_u64().unwrap(), row["code"].as_str().unwrap())
}

#[tokio::test]
async fn an_upload_with_an_option_that_is_not_known_is_refused() {
    let desk = Desk::open().await;
    let campaign = desk.campaign(json!({})).await;
    for (query, pointer) in [("mode=merge", "/mode"), ("dry_run=yes", "/dry_run"), ("dryrun=true", "/dryrun")] {
        desk.http.upload(&format!("/v1/campaigns/{campaign}/gyms?{query}"), MIXED, &[]).await.blames(pointer);
    }
    assert_eq!(desk.jobs(&campaign).await.len(), 0);
}

/// A campaign that says columns in all of its texts.
async fn talkative(desk: &Desk) -> String {
    let request = json!({
        "name": "Day passes",
        "greeting": "We ask all gyms of {{Brand}} in {{city}}.",
        "questions": [
            {"key": "price", "ask": "How much is a day pass at {{gym}}?", "type": "money"},
            {"key": "tier", "ask": "Is {{brand}} {{Day-Pass Tier}} sold?", "type": "boolean"},
        ],
        "policy": {"voicemail": "leave_message", "voicemail_message": "Call {{owner}}."},
    });
    id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201))
}

#[tokio::test]
async fn a_template_names_the_columns_that_the_campaign_says_and_its_example_is_accepted() {
    let desk = Desk::open().await;
    let campaign = talkative(&desk).await;
    let path = format!("/v1/campaigns/{campaign}/gyms");
    let template = desk.http.get(&format!("{path}/template.csv")).await;
    assert_eq!((template.status, template.header("content-type")), (200, "text/csv; charset=utf-8"));
    let header = template.body.lines().next().unwrap();
    assert_eq!(
        header,
        "phone_number,gym_name,timezone,country,state,city,preferred_language,external_id,brand,day_pass_tier,owner"
    );
    assert!(template.body.lines().nth(1).unwrap().starts_with("(201) 555-0123,Iron Temple,America/New_York,US,NJ,"));
    let report = desk.import(&campaign, &template.body).await.expect(200);
    assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
    let job = &desk.jobs(&campaign).await[0];
    assert_eq!((&job["phone_number"], &job["timezone"]["source"]), (&json!("+12015550123"), &json!("csv")));
    desk.http.get("/v1/campaigns/camp_none/gyms/template.csv").await.problem(404);

    // A campaign that says no column has the known ones.
    let plain = desk.campaign(json!({})).await;
    let template = desk.http.get(&format!("/v1/campaigns/{plain}/gyms/template.csv")).await;
    assert!(template.body.lines().next().unwrap().ends_with(",external_id"));
}

#[tokio::test]
async fn a_file_without_a_column_that_is_said_is_refused_and_told_where() {
    let desk = Desk::open().await;
    let campaign = talkative(&desk).await;
    let row = "+14155550101,Austin,Iron,full\n";
    let refused = desk.import(&campaign, &format!("phone,city,gym,day pass tier\n{row}")).await;
    let problem = refused.problem(422);
    let errors = problem["errors"].as_array().unwrap();
    let detail = |at: usize| errors[at]["detail"].as_str().unwrap();
    assert_eq!(errors.len(), 3, "{problem}");
    assert!(errors.iter().all(|error| error["code"] == "missing_column" && error["pointer"] == "/file"), "{problem}");
    assert!(detail(0).starts_with("/greeting says {{Brand}}"), "{problem}");
    assert!(detail(1).starts_with("/questions/1/ask says {{brand}}"), "{problem}");
    assert!(detail(2).starts_with("/policy/voicemail_message says {{owner}}"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().ends_with("\"brand\", \"owner\""), "{problem}");
    assert_eq!(desk.status_of(&campaign).await, "draft");

    // An empty cell in a column that is there costs its row.
    let file = "phone,city,gym,day pass tier,brand,owner\n+14155550101,Austin,Iron,full,Strong,Jo\n\
                +14155550102,,Steel,full,Strong,Jo\n+14155550103,Austin,,full,Strong,Jo\n";
    let report = desk.import(&campaign, file).await.expect(200);
    let rows: Vec<(u64, &str)> = report["rows"].as_array().unwrap().iter().map(line_and_code).collect();
    assert_eq!((counts(&report), rows), ([1, 0, 0, 2, 0], vec![(3, "missing_variable"), (4, "missing_variable")]));
}

async fn a_file_that_replaces_takes_the_place_of_the_gyms_that_are_there(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign_of(&["+14155550101", "+14155550102"], json!({})).await;
    let path = format!("/v1/campaigns/{campaign}");
    let before = desk.get(&path).await["run_id"].clone();
    let file = "phone,name\n+14155550102,Steel House\n+14155550103,New\n+14155550103,Twice\n";
    let rehearsed = desk.http.upload(&format!("{path}/gyms?mode=replace&dry_run=true"), file, &[]).await.expect(200);
    assert_eq!(counts(&rehearsed), [2, 0, 1, 0, 0]);
    assert_eq!(desk.get(&path).await["run_id"], before);

    let key = [("idempotency-key", "one")];
    let sent = desk.http.upload(&format!("{path}/gyms?mode=replace"), file, &key).await;
    let report = sent.expect(200);
    assert_eq!((counts(&report), &report["mode"]), ([2, 0, 1, 0, 0], &json!("replace")));
    let shown = desk.get(&path).await;
    assert_eq!((&shown["run_id"], &shown["counters"]["total"]), (&report["run_id"], &json!(2)));
    assert_ne!(shown["run_id"], before);
    let results = desk.get(&format!("{path}/results")).await;
    let names: Vec<&Value> = results["items"].as_array().unwrap().iter().map(|job| &job["gym_name"]).collect();
    assert_eq!(names, ["Steel House", "New"]);
    // Sent again it replaces nothing again, and is another request than one that adds.
    let again = desk.http.upload(&format!("{path}/gyms?mode=replace"), file, &key).await;
    assert_eq!((again.status, &again.body), (200, &sent.body));
    assert_eq!(desk.get(&path).await["run_id"], report["run_id"]);
    desk.http.upload(&format!("{path}/gyms"), file, &key).await.problem(422);
    // A file that is refused replaces nothing.
    desk.http.upload(&format!("{path}/gyms?mode=replace"), "name\nIron\n", &[]).await.blames("/file");
    assert_eq!(desk.get(&path).await["run_id"], report["run_id"]);
}

#[tokio::test]
async fn a_campaign_that_says_a_column_which_a_gym_lacks_does_not_start() {
    let desk = Desk::open().await;
    let campaign = desk.campaign(json!({})).await;
    desk.import(&campaign, &format!("phone,brand\n+14155550102,Strong\n{ANSWERS},\n")).await.expect(200);
    // As if its words were changed after the import.
    let id: CampaignId = campaign.parse().unwrap();
    let say = async |greeting: &str| {
        let Stored { record, version } = desk.store().campaign(&id).await.unwrap().unwrap();
        let campaign = Campaign { greeting: Some(greeting.to_owned()), ..record };
        let campaign = Some(CampaignWrite { campaign, from: Some(version), begins: None });
        desk.store().commit(Write { campaign, ..Write::default() }).await.unwrap();
    };
    say("We ask all gyms of {{brand}}.").await;
    let refused = desk.tell(&campaign, "start").await.problem(409);
    let error = &refused["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/greeting"), &json!("missing_variable")), "{refused}");
    assert!(error["detail"].as_str().unwrap().contains(ANSWERS), "{refused}");
    assert_eq!((desk.status_of(&campaign).await, desk.created("+14155550102")), (json!("ready"), 0));
    say("We ask {{phone}}.").await;
    desk.tell(&campaign, "start").await.expect(200);
}
