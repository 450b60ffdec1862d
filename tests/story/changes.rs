//! What changed since the last run, and the results of each run.

use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::{CampaignId, JobId, RunId};
use gymcall_jobs::job::{CallJob, Membership};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::run::{Cause, Run};
use gymcall_jobs::store::{CampaignWrite, JobWrite, Write};
use serde_json::{Value, json};

use super::desk::{Desk, Keeper, Plan, id_of};

on_each_keeper! {
    what_a_gym_told_is_compared_with_the_last_time_that_it_told_it,
}

const IRON: &str = "+14155550101";
const NEW: &str = "+14155550102";
const SAME: &str = "+14155550103";
const GONE: &str = "+14155550104";
const SILENT: &str = "+14155550105";
const ANOTHER: &str = "+14155550106";

fn price(amount: &str) -> Value {
    json!({"type": "money", "value": {"amount": amount, "currency": "USD"}})
}

fn list(items: &[&str]) -> Value {
    json!({"type": "list", "value": items})
}

/// Nights that are over: jobs as calls leave them behind.
struct Nights<'a> {
    desk: &'a Desk,
    campaign: CampaignId,
    written: u128,
}

impl Nights<'_> {
    fn run(&self, night: u8) -> RunId {
        RunId::new(format!("2026-11-0{night}T03:00:00Z").parse().unwrap(), 1)
    }

    /// Begins the run of a night.
    async fn begin(&self, night: u8) {
        let store = self.desk.store();
        let stored = store.campaign(&self.campaign).await.unwrap().unwrap();
        let run = Run {
            id: self.run(night),
            campaign: self.campaign.clone(),
            number: night.into(),
            cause: Cause::Schedule,
            due_at: None,
            started_at: "2026-11-01T03:00:00Z".parse().unwrap(),
            ended_at: None,
        };
        let campaign = CampaignWrite { campaign: stored.record, from: Some(stored.version), begins: Some(run) };
        store.commit(Write { campaign: Some(campaign), ..Write::default() }).await.unwrap();
    }

    /// Writes a gym of one night: with answers, or not reached without any.
    async fn gym(&mut self, night: u8, phone: &str, answers: &[(&str, Value)]) {
        self.written += 1;
        let now = "2026-11-01T03:00:00Z".parse().unwrap();
        let membership = Membership { campaign: self.campaign.clone(), run: self.run(night) };
        let mut gym = Gym::new(PhoneNumber::try_from(phone.to_owned()).unwrap());
        gym.name = format!("=gym {phone}");
        let job = CallJob::new(JobId::new(now, self.written), Some(membership), gym, now, now);
        let mut record = serde_json::to_value(&job).unwrap();
        let ended = |disposition: &str| json!({"disposition": disposition, "ended_reason": "agent_hangup", "answered_by": "human"});
        let outcome = if answers.is_empty() {
            json!({"gave_up": ended("no_contact")})
        } else {
            json!({"answered": ended("answered_full")})
        };
        record["phase"] = json!({"phase": "done", "outcome": outcome});
        let answer = |(key, value): &(&str, Value)| json!({"key": key, "value": value, "quote": "as heard", "from_ms": 1, "to_ms": 2});
        record["answers"] = answers.iter().map(answer).collect();
        let job: CallJob = serde_json::from_value(record).unwrap();
        self.desk.store().commit(Write { job: Some(JobWrite::new(job)), ..Write::default() }).await.unwrap();
    }
}

async fn what_a_gym_told_is_compared_with_the_last_time_that_it_told_it(keeper: Keeper) {
    let desk = Desk::of(Plan { keeper, no_worker: true, ..Plan::default() }).await;
    let request = json!({"name": "Nightly", "questions": [
        {"key": "price", "ask": "How much is a day pass?", "type": "money"},
        {"key": "classes", "ask": "Which classes do you offer?", "type": "list"},
    ]});
    let campaign = id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    let mut nights = Nights { desk: &desk, campaign: campaign.parse().unwrap(), written: 0 };
    let not_known = || json!({"type": "not_known"});
    for night in 1..=3 {
        nights.begin(night).await;
    }
    nights.gym(1, IRON, &[("price", price("15.00")), ("classes", list(&["Yoga", "Spin"]))]).await;
    nights.gym(1, SAME, &[("price", price("10.00"))]).await;
    nights.gym(1, SILENT, &[("price", price("9.00"))]).await;
    // The night after, two of them were not reached.
    nights.gym(2, IRON, &[]).await;
    nights.gym(2, SAME, &[("price", price("10.00"))]).await;
    nights.gym(2, GONE, &[("price", price("5.00"))]).await;
    nights.gym(2, SILENT, &[]).await;
    // And the night that is asked about. One was called twice: its latest word counts.
    nights.gym(3, IRON, &[("price", price("20.00")), ("classes", list(&["spin", "yoga"]))]).await;
    nights.gym(3, NEW, &[("price", price("12.00"))]).await;
    nights.gym(3, NEW, &[("price", price("13.00")), ("classes", not_known())]).await;
    nights.gym(3, SAME, &[("price", price("10.00")), ("classes", not_known())]).await;
    nights.gym(3, SILENT, &[]).await;
    let [first, second, third] = [1, 2, 3].map(|night| nights.run(night));

    let told = |item: &Value| {
        let words = ["phone_number", "key", "change"].map(|name| item[name].as_str().unwrap().to_owned());
        (words.join(" "), item["before"]["amount"].clone(), item["after"]["amount"].clone())
    };
    let changes = desk.get(&format!("/v1/campaigns/{campaign}/changes?run={third}")).await;
    let found: Vec<_> = changes["items"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        (format!("{IRON} price changed"), json!("15.00"), json!("20.00")),
        (format!("{NEW} price new"), Value::Null, json!("13.00")),
        (format!("{GONE} price gone"), json!("5.00"), Value::Null),
    ];
    assert_eq!(found, expected, "{changes:#}");
    let iron = &changes["items"][0];
    assert_eq!((&iron["gym_name"], &iron["before_run_id"]), (&json!(format!("=gym {IRON}")), &json!(first)));
    assert_eq!(desk.job(iron["job_id"].as_str().unwrap()).await["run_id"], json!(third));

    // Page by page the same, and as a table without a formula.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/v1/campaigns/{campaign}/changes?run={third}&limit=2{cursor}")).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(paged), changes["items"]);
    let sheet = desk.http.get(&format!("/v1/campaigns/{campaign}/changes.csv?run={third}")).await;
    assert!(sheet.header("content-disposition").contains("changes.csv"));
    let lines: Vec<&str> = sheet.body.lines().collect();
    assert!(lines[0].starts_with("phone_number,gym_name,external_id,key,change,before,after"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("'+14155550101,'=gym +14155550101,,price,changed,15.00 USD,20.00 USD,job_"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 4);

    // Each run has its own results, and the first one is compared with nothing.
    let answers = |results: &Value| {
        results["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["answers"]["price"]["amount"].clone())
            .collect::<Vec<_>>()
    };
    let results = desk.get(&format!("/v1/campaigns/{campaign}/results?run={second}")).await;
    assert_eq!(answers(&results), [Value::Null, json!("10.00"), json!("5.00"), Value::Null]);
    let sheet = desk.http.get(&format!("/v1/campaigns/{campaign}/results.csv?run={first}")).await;
    assert_eq!((sheet.status, sheet.body.lines().count()), (200, 4));
    // The words that back the answers up stand behind all answers.
    let quoted = desk.http.get(&format!("/v1/campaigns/{campaign}/results.csv?run={first}&quotes=true")).await;
    let lines: Vec<&str> = quoted.body.lines().collect();
    assert!(lines[0].ends_with(",price,classes,price_quote,classes_quote"), "{}", lines[0]);
    assert!(lines[1].ends_with(",15.00 USD,Yoga; Spin,as heard,as heard"), "{}", lines[1]);
    let changes = desk.get(&format!("/v1/campaigns/{campaign}/changes?run={first}")).await;
    assert!(changes["items"].as_array().unwrap().iter().all(|item| item["change"] == "new"), "{changes:#}");
    for list in ["results", "results.csv", "changes", "changes.csv"] {
        let unknown = RunId::new(jiff::Timestamp::UNIX_EPOCH, 9);
        desk.http.get(&format!("/v1/campaigns/{campaign}/{list}?run={unknown}")).await.problem(404);
    }
    for cursor in ["nonsense", "1-0-14155550101", "1-1-1-1", "2000000-1-1-1", "1-0-1-1-1"] {
        desk.http.get(&format!("/v1/campaigns/{campaign}/changes?cursor={cursor}")).await.blames("/cursor");
    }

    // Who goes on reads on in what was compared for the first page; who begins anew sees what was told since.
    let path = format!("/v1/campaigns/{campaign}/changes?run={third}&limit=1");
    let begun = desk.get(&path).await;
    nights.gym(3, ANOTHER, &[("price", price("7.00"))]).await;
    let rest = format!("{path}00&cursor={}", begun["next_cursor"].as_str().unwrap());
    assert_eq!(desk.get(&rest).await["items"].as_array().unwrap().len(), 2);
    assert_eq!(desk.get(&format!("{path}00")).await["items"].as_array().unwrap().len(), 4);
}
