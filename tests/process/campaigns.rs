//! `gymcall campaign`, `import`, `status` and `results`

use serde_json::{Deserializer, Value, json};

use super::stand::Stand;

const SURVEY: &str = r#"
name = "Survey"
on_behalf_of = "the test"

[[questions]]
key = "hours"
ask = "What are your opening hours?"
type = "hours"

[policy]
max_attempts = 2
redial_after_minutes = 0.01

[policy.window]
from = "00:00"
to = "24:00"
allow_outside_hours = true
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_goes_from_its_file_to_its_results() {
    let stand = Stand::start().await;
    stand.write("survey.toml", SURVEY);
    stand.write("gyms.csv", "gym,phone\nIron Temple,(415) 555-0101\nBusy Bodies,+14155550107\n");
    let report = stand.gymcall(["import", "gyms.csv", "--campaign", "survey.toml", "--json"]).await.expect(0).json();
    assert_eq!((&report["accepted"], &report["corrected"], &report["rows"]), (&json!(2), &json!(1), &json!([])));
    let id = report["campaign_id"].as_str().unwrap();

    // Watched from before its start to its end; its last words are those of a completed campaign.
    let mut watch = stand.begin(["status", id, "--watch"]);
    watch.out.until("the campaign that is ready", |line| line.contains("ready").then_some(())).await;
    let mut watch_json = stand.begin(["status", id, "--watch", "--json"]);
    watch_json.out.until("the campaign as JSON", |line| line.contains("ready").then_some(())).await;
    let started = stand.gymcall(["campaign", "start", id]).await.expect(0);
    assert!(started.out.contains("Survey") && started.out.contains("running"), "{}", started.out);
    let watched = watch.ended().await.expect(0).plain();
    let last = &watched.out[watched.out.rfind("Survey").unwrap()..];
    assert!(last.contains("completed") && last.contains("Iron Temple"), "{last}");
    assert!(watched.out.contains("running"), "{}", watched.out);
    let watched = watch_json.ended().await.expect(0).plain();
    let shown: Vec<Value> = Deserializer::from_str(&watched.out).into_iter().collect::<Result<_, _>>().unwrap();
    assert!(shown.len() >= 3);
    assert_eq!((&shown[0]["status"], &shown[shown.len() - 1]["status"]), (&json!("ready"), &json!("completed")));

    let status = stand.gymcall(["status", id, "--json"]).await.expect(0).json();
    let job = status["jobs"].as_array().unwrap().iter().find(|job| job["outcome"] == "answered").unwrap();
    let job = job["id"].as_str().unwrap();
    let shown = stand.gymcall(["status", job]).await.expect(0);
    for words in ["attempt 1: completed CA", "agent: Hello, this is an automated call", "gym: We are open", "hours = "]
    {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let shown = stand.gymcall(["status", job, "--watch", "--json"]).await.expect(0).json();
    assert_eq!(shown["answers"][0]["key"], "hours");

    results(&stand, id).await;
    one_job(&stand, id, job).await;
}

async fn one_job(stand: &Stand, id: &str, job: &str) {
    let first = stand.gymcall(["status", id, "--jobs", "1"]).await.expect(0);
    assert!(first.out.contains(&format!("and 1 more: gymcall results {id}")), "{}", first.out);
    assert!(stand.gymcall(["job", "show", job]).await.expect(0).out.contains("hours = "));
    for arguments in [&["job", "cancel", job][..], &["job", "resolve", job, "called"]] {
        let refused = stand.gymcall(arguments.iter().copied()).await.expect(1);
        assert!(refused.err.contains("409"), "{}", refused.err);
    }
    let again = stand.gymcall(["job", "redial", job, "--json"]).await.expect(0).json();
    assert_eq!((&again["campaign_id"], again["id"] == job), (&json!(id), false), "{again:#}");
    let over = stand.gymcall(["campaign", "redial", id, "--job", job, "--json"]).await.expect(4).json();
    assert!(["open", "redialled"].contains(&over["skipped"][0]["why"].as_str().unwrap()), "{over:#}");
}

async fn results(stand: &Stand, id: &str) {
    stand.gymcall(["results", id, "-o", "out.csv"]).await.expect(0);
    let file = std::fs::read_to_string(stand.folder().join("out.csv")).unwrap();
    assert_eq!(stand.gymcall(["results", id, "--format", "csv"]).await.expect(0).out, file);
    let mut sheet = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(sheet.headers().unwrap().iter().next_back(), Some("hours"));
    let rows: Vec<csv::StringRecord> = sheet.records().collect::<Result<_, _>>().unwrap();
    let hours: Vec<&str> = rows.iter().map(|row| row.iter().next_back().unwrap()).collect();
    assert_eq!(hours, ["mon tue wed thu fri sat sun 06:00-22:00", "not_asked"]);

    let json = stand.gymcall(["results", id, "--json"]).await.expect(0).json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(stand.gymcall(["results", id, "--format", "json"]).await.expect(0).json(), json);
    stand.gymcall(["results", id, "--format", "json", "--output", "out.json"]).await.expect(0);
    let file: Value = serde_json::from_slice(&std::fs::read(stand.folder().join("out.json")).unwrap()).unwrap();
    assert_eq!(file, json);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_shown_and_the_exit_code_says_that_there_are_some() {
    let stand = Stand::start().await;
    let created = stand.gymcall(["campaign", "create", "Bad rows", "--json"]).await.expect(0).json();
    let id = created["id"].as_str().unwrap();
    stand.write("gyms.csv", "gym,phone\nA,415 555 0101\nB,call us!\nC,+14155550101\nD,\nE,+19005550123\n");
    let report = stand.gymcall(["import", "gyms.csv", "--campaign", id]).await.expect(4);
    assert!(report.out.contains("1 accepted (1 corrected), 1 duplicates, 3 rejected"), "{}", report.out);
    let rows: Vec<Vec<&str>> = report.out.lines().map(|line| line.split_whitespace().collect()).collect();
    for (line, code) in [("3", "invalid_phone"), ("4", "duplicate"), ("5", "missing_phone"), ("6", "premium")] {
        assert!(rows.iter().any(|row| row.windows(2).any(|pair| pair == [line, code])), "{line}: {}", report.out);
    }

    // A duplicate is not refused: it is there already.
    stand.write("again.csv", "phone\n415-555-0101\n");
    let again = stand.gymcall(["import", "again.csv", "--campaign", id, "--json"]).await.expect(0).json();
    assert_eq!((&again["accepted"], &again["duplicates"], &again["campaign_id"]), (&json!(0), &json!(1), &json!(id)));
    let bad = stand.gymcall(["--json", "import", "gyms.csv", "--campaign", id]).await.expect(4).json();
    assert_eq!(bad["rejected"], 3);

    for (arguments, words) in [
        (["import", "nowhere.csv", "--campaign", id], "nowhere.csv"),
        (["import", "gyms.csv", "--campaign", "nowhere.toml"], "nowhere.toml"),
        (["import", "gyms.csv", "--campaign", "camp_nobody"], "404"),
    ] {
        let refused = stand.gymcall(arguments).await.expect(1);
        assert!(refused.err.starts_with("error: ") && refused.err.contains(words), "{}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_created_listed_started_paused_resumed_and_cancelled() {
    let stand = Stand::start().await;
    let created = stand.gymcall(["campaign", "create", "By hand", "--on-behalf-of", "the test"]).await.expect(0);
    assert!(created.out.contains("By hand") && created.out.contains("draft"), "{}", created.out);
    let list = stand.gymcall(["campaign", "list", "--json"]).await.expect(0).json();
    let id = list[0]["id"].as_str().unwrap();
    assert_eq!(list[0]["on_behalf_of"], "the test");

    let empty = stand.gymcall(["campaign", "start", id, "--json"]).await.expect(1);
    assert!(empty.err.contains("409") && empty.err.contains("no gyms"), "{}", empty.err);
    assert_eq!(empty.out, "");

    stand.write("gyms.csv", "phone\n+14155550101\n+14155550102\n");
    stand.gymcall(["import", "gyms.csv", "--campaign", id]).await.expect(0);
    for (verb, status) in [
        ("show", ["ready"].as_slice()),
        ("start", &["running"]),
        ("pause", &["pausing", "paused"]),
        ("show", &["pausing", "paused"]),
        ("resume", &["running"]),
        ("cancel", &["cancelled"]),
        ("show", &["cancelled"]),
    ] {
        let campaign = stand.gymcall(["campaign", verb, id, "--json"]).await.expect(0).json();
        assert!(status.contains(&campaign["status"].as_str().unwrap()), "{verb}: {campaign:#}");
    }
    let shown = stand.gymcall(["campaign", "show", id]).await.expect(0);
    assert!(shown.out.contains("cancelled"), "{}", shown.out);
    let refused = stand.gymcall(["campaign", "start", id]).await.expect(1);
    assert!(refused.err.contains("a campaign that is cancelled cannot start"), "{}", refused.err);
    assert!(stand.gymcall(["status"]).await.expect(0).out.contains("By hand"));
    assert_eq!(stand.gymcall(["status", "--json"]).await.expect(0).json()[0]["id"], id);
    for unknown in ["camp_nobody", "job_nobody"] {
        let refused = stand.gymcall(["status", unknown]).await.expect(1);
        assert!(refused.err.contains("404"), "{}", refused.err);
    }
}
