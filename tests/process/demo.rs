//! `gymcall demo` does what `docs/callees.md` says, whatever the environment holds.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::api::Api;
use super::callee_table::{self, Callee};
use super::program::{Program, gymcall, run, url_in};

/// What a visitor may have to wait.
const WITHIN: Duration = Duration::from_secs(60);
/// Who says "Please don't call us again".
const NO_MORE_CALLS: &str = "+14155550112";

#[test]
fn the_table_of_callees_has_a_row_for_every_row_of_the_sample() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_gyms.csv");
    let mut sample = csv::Reader::from_path(sample).unwrap();
    let gyms: Vec<String> = sample.records().map(|row| row.unwrap()[0].to_owned()).collect();
    let table: Vec<String> = callee_table::read().into_iter().map(|callee| callee.gym).collect();
    assert_eq!(table, gyms);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_gym_of_the_demonstration_ends_as_the_table_says() {
    ends_as_the_table_says("tones").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_gym_ends_the_same_where_twilio_speaks_and_listens_itself() {
    ends_as_the_table_says("twilio").await;
}

async fn ends_as_the_table_says(speech: &str) {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut demo = Program::start(in_folder(folder.path(), ["demo", "--json", "--stay", "--speech", speech]));
    let url = demo.err.until("the address that it stays at", url_in).await;
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    // The last line of the JSON is on its way or here: it was printed before.
    demo.out.until("the end of the JSON", |line| (line == "}\n").then_some(())).await;
    let shown: Value = serde_json::from_str(&demo.out.so_far()).unwrap();
    let table = callee_table::read();
    let jobs = shown["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), table.iter().filter(|callee| callee.is_accepted()).count());
    for callee in table.iter().filter(|callee| callee.is_accepted()) {
        let job = jobs.iter().find(|job| job["phone_number"] == callee.number.as_str()).expect(&callee.gym);
        assert_eq!(job["gym_name"], callee.gym.as_str());
        let ended = ["status", "outcome", "disposition", "ended_reason", "tries"].map(|field| word(&job[field]));
        let promised = [&callee.status, &callee.outcome, &callee.disposition, &callee.ended_reason, &callee.tries]
            .map(Clone::clone);
        assert_eq!(ended, promised, "{}: {job:#}", callee.gym);
    }
    as_the_table(&folder.path().join("data/results.csv"), &table);
    let api = Api::new(&url);
    suppressed_at_once(&api, jobs).await;
    spoken_as_asked(&api, jobs, speech).await;
    demo.terminate();
    demo.ended().await.expect(0).plain();
}

/// Settings of a real account, of a server on the net and plain nonsense: none of them is the demonstration's.
const HOSTILE: [(&str, &str); 21] = [
    ("TWILIO_ACCOUNT_SID", "ACffffffffffffffffffffffffffffffff"),
    ("TWILIO_AUTH_TOKEN", "a-real-token"),
    ("TWILIO_FROM_NUMBER", "+19005550199"),
    ("TWILIO_API_BASE_URL", "https://api.twilio.com"),
    ("TWILIO_VALIDATE_SIGNATURE", "maybe"),
    ("REDIS_URL", "redis://redis.invalid:6379"),
    ("PUBLIC_BASE_URL", "https://gyms.invalid"),
    ("GYMCALL_BIND", "0.0.0.0:1"),
    ("GYMCALL_URL", "http://127.0.0.1:1"),
    ("GYMCALL_API_KEY", "key"),
    ("GYMCALL_CALLS_PER_SECOND", "0"),
    ("GYMCALL_MAX_CONCURRENT_CALLS", "0"),
    ("GYMCALL_ALLOWED_REGIONS", "DE"),
    ("GYMCALL_LOOK_UP_WAITS", "never"),
    ("GYMCALL_DIAL_DEADLINE", "1ms"),
    ("VOICE_AGENT", "somebody else"),
    ("GYMCALL_SPEECH", "shouts"),
    ("GYMCALL_VOICE", "<none>"),
    ("GYMCALL_LANGUAGE", "English"),
    ("GYMCALL_MACHINE_DETECTION", "maybe"),
    ("HTTP_PROXY", "http://127.0.0.1:1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_real_account_do_not_reach_the_demonstration() {
    let folder = tempfile::tempdir().unwrap();
    // One half as variables, the other as the file that is read where a variable is unset.
    let (variables, file) = HOSTILE.split_at(HOSTILE.len() / 2);
    let file: String = file.iter().map(|(name, value)| format!("{name}={value:?}\n")).collect();
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let mut command = in_folder(folder.path(), ["demo"]);
    command.envs(variables.iter().copied()).env("HTTP_PROXY", "http://127.0.0.1:1");
    let begun = Instant::now();
    let demo = run(command).await.expect(0).plain();
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    let table = callee_table::read();
    as_the_table(&folder.path().join("data/results.csv"), &table);
    // Only the report for people tells of the rows that were not taken.
    for (nth, callee) in table.iter().enumerate().filter(|(_, callee)| !callee.is_accepted()) {
        let line = (nth + 2).to_string();
        let told = demo.out.lines().any(|row| {
            let mut words = row.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
            words.next() == Some(&line) && words.next() == Some(&callee.import)
        });
        assert!(told, "line {line}, {}: {}", callee.import, demo.out);
    }
}

/// Every call that was picked up was held over a stream, or in turns: in none of them the other way was mixed in.
async fn spoken_as_asked(api: &Api, jobs: &[Value], speech: &str) {
    let (there, not_there) =
        if speech == "twilio" { ("speech_begun", "stream_opened") } else { ("stream_opened", "speech_begun") };
    for job in jobs {
        let events = api.events(job["id"].as_str().unwrap()).await;
        let has = |name: &str| events.iter().any(|event| event["event"] == name);
        assert!(!has(not_there), "{job:#}");
        assert_eq!(has(there), has("voice_requested"), "{job:#}");
    }
}

fn in_folder<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = gymcall(folder, arguments);
    command.env("GYMCALL_DATA_DIR", folder.join("data"));
    command
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The results have one row for every accepted gym, in the words of the table, and a column for every answer.
fn as_the_table(results: &Path, table: &[Callee]) {
    let mut results = csv::Reader::from_path(results).unwrap();
    let columns = results.headers().unwrap().clone();
    for column in ["id", "gym_name", "opening_hours", "day_pass_price", "classes", "drop_in_policy"] {
        assert!(columns.iter().any(|there| there == column), "{column} in {columns:?}");
    }
    let rows: Vec<csv::StringRecord> = results.records().collect::<Result<_, _>>().unwrap();
    let accepted: Vec<&Callee> = table.iter().filter(|callee| callee.is_accepted()).collect();
    assert_eq!(rows.len(), accepted.len());
    let cell = |row: &csv::StringRecord, column: &str| {
        let at = columns.iter().position(|there| there == column).unwrap();
        row[at].to_owned()
    };
    for callee in accepted {
        let row = rows.iter().find(|row| cell(row, "gym_name") == callee.gym).expect(&callee.gym);
        // A number begins like a formula, so the sheet has it as text.
        assert_eq!(cell(row, "phone_number"), format!("'{}", callee.number));
        for (column, promised) in [
            ("status", &callee.status),
            ("outcome", &callee.outcome),
            ("disposition", &callee.disposition),
            ("ended_reason", &callee.ended_reason),
            ("tries", &callee.tries),
        ] {
            assert_eq!(cell(row, column), *promised, "{column} of {}", callee.gym);
        }
        if callee.disposition == "answered_full" {
            assert_eq!(cell(row, "day_pass_price"), "15.00 USD", "{}", callee.gym);
            assert_eq!(cell(row, "classes"), "yoga; spin; boxing", "{}", callee.gym);
        }
    }
}

/// The number is on the list as soon as the words were heard, while the call still goes on.
async fn suppressed_at_once(api: &Api, jobs: &[Value]) {
    let job = jobs.iter().find(|job| job["phone_number"] == NO_MORE_CALLS).unwrap();
    let list = api.get("/v1/suppressions").await;
    let listed = list["items"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{list:#}");
    assert_eq!(listed[0]["phone_number"], NO_MORE_CALLS);
    let events = api.events(job["id"].as_str().unwrap()).await;
    let at = |event: &Value| -> Timestamp { event["at"].as_str().unwrap().parse().unwrap() };
    let heard = events.iter().find(|event| event["event"] == "do_not_call_heard").expect("the words as an event");
    let over = events.iter().find(|event| event["event"] == "reported").unwrap();
    let since: Timestamp = listed[0]["since"].as_str().unwrap().parse().unwrap();
    assert!(since.duration_since(at(heard)).abs() < SignedDuration::from_millis(100), "{since} {heard}");
    assert!(since <= at(over), "{since} {over}");
}
