//! The whole way of a campaign by commands, as docs/campaigns.md tells it: a list goes in, it calls at night, and in
//! the morning answers and changes come out.

use std::path::Path;

use serde_json::{Value, json};

use super::local_twilio::LocalTwilio;
use super::program::{Ended, Program, gymcall, run};
use super::server::{Server, port_to_keep, serve};

const NIGHTLY: &str = include_str!("../../examples/nightly.toml");

/// Gyms in four zones, and rows that cannot be called.
const GYMS: &str = "\
phone,gym,city,state
+12125550101,East Gym,New York,NY
(312) 555-0102,Lake Gym,Chicago,IL
+14155550107,Busy Gym,San Francisco,CA
+18085550104,=Island(),Honolulu,HI
call us!,Nowhere,Austin,TX
+1 212 555 0101,East Gym again,New York,NY
";

/// Everybody answers, one is busy.
fn callees(price: u32, busy: &str) -> String {
    format!(
        "[default]\nthink_ms = 20\ncalls = [{{ end = \"answer\", after_ms = 20 }}]\n\
         [[default.rule]]\nhears = [\"opening hours\"]\nsays = \"6 am to 10 pm every day\"\n\
         [[default.rule]]\nhears = [\"day pass\"]\nsays = \"It is {price} dollars\"\n\
         [[callee]]\nnumbers = [\"{busy}\"]\ncalls = [{{ end = \"busy\", after_ms = 20 }}]\n"
    )
}

/// The example, made fit for a test that cannot wait for a gym's morning.
fn at_once() -> String {
    [
        ("days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]", "allow_outside_hours = true"),
        ("from = \"09:00\"", "from = \"00:00\""),
        ("to = \"20:00\"", "to = \"24:00\""),
        ("holidays = ", "# holidays = "),
        ("max_attempts = 3", "max_attempts = 1"),
        ("calls_per_second = 0.5", "calls_per_second = 10"),
        ("max_concurrent_calls = 5", "max_concurrent_calls = 2"),
        // After a moment, in which it is started.
        (
            "cron = \"0 6 * * mon-sat\"",
            &format!("at = {}", jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1)),
        ),
        ("timezone = ", "# timezone = "),
        // It is heard in the test call, and takes a second of every call.
        ("greeting = ", "# greeting = "),
    ]
    .into_iter()
    .fold(NIGHTLY.to_owned(), |file, (was, is)| {
        assert!(file.contains(was), "the example has no {was}");
        file.replacen(was, is, 1)
    })
}

/// A desk with a shell, a server, and a Twilio on a port of its own.
struct Shell {
    server: Server,
    folder: tempfile::TempDir,
}

impl Shell {
    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn begin(&self, line: &str) -> Program {
        let mut command = gymcall(self.folder.path(), line.split(' '));
        command.env("GYMCALL_URL", self.server.api.url());
        Program::start(command)
    }

    async fn run(&self, line: &str) -> Ended {
        let mut command = gymcall(self.folder.path(), line.split(' '));
        command.env("GYMCALL_URL", self.server.api.url());
        run(command).await.plain()
    }

    /// The JSON that a command prints.
    async fn json(&self, line: &str) -> Value {
        self.run(&format!("{line} --json")).await.expect(0).json()
    }
}

async fn twilio(folder: &Path, port: u16, callees: &str) -> LocalTwilio {
    LocalTwilio::start_at(folder, &format!("127.0.0.1:{port}"), callees, "", 20).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_campaigns_can_be_followed_by_commands_from_the_list_to_the_second_morning() {
    let folder = tempfile::tempdir().unwrap();
    let port = port_to_keep();
    let first_night_twilio = twilio(folder.path(), port, &callees(15, "+14155550107")).await;
    let server = Server::start(serve(folder.path(), &first_night_twilio.url)).await;
    let shell = Shell { server, folder };

    // The example is taken as it is. Its copy calls at any hour.
    shell.write("nightly.toml", NIGHTLY);
    let example = shell.json("campaign create --file nightly.toml").await;
    assert_eq!((&example["schedule"]["timezone"], &example["status"]), (&json!("America/New_York"), &json!("draft")));
    assert_eq!(example["policy"]["window"]["to"], "20:00");
    let id = example["id"].as_str().unwrap();

    // The list, and what is wrong with it.
    shell.run(&format!("template {id} -o empty.csv")).await.expect(0);
    assert!(shell.read("empty.csv").starts_with("phone_number") && shell.read("empty.csv").contains("city"));
    shell.write("gyms.csv", GYMS);
    let tried = shell.run(&format!("import gyms.csv --campaign {id} --dry-run")).await.expect(4);
    assert!(tried.out.contains("4 accepted"), "{}", tried.out);
    assert_eq!(shell.json(&format!("campaign show {id}")).await["status"], "draft");
    shell.run(&format!("import gyms.csv --campaign {id}")).await.expect(4);

    // A call to a phone of mine, and while it goes on what the night will be like.
    let test_call = shell.begin(&format!("campaign test {id} +14155550199 --set city=Boston"));
    let forecast = shell.json(&format!("campaign forecast {id}")).await;
    assert_eq!((&forecast["gyms"], forecast["finish_at"].is_string()), (&json!(4), true), "{forecast:#}");
    let told = shell.run(&format!("campaign forecast {id}")).await.expect(0).out;
    assert!(told.starts_with("4 gyms will be called\ncalls:   about "), "{told}");

    // Every night.
    let scheduled = shell.run(&format!("campaign start {id}")).await.expect(0);
    assert!(scheduled.out.contains("scheduled") && scheduled.out.contains("next fire 20"), "{}", scheduled.out);

    // Nobody wants to wait for that here: the same, in a moment and at any hour.
    shell.write("mine.toml", &at_once());
    let report = shell.run("import gyms.csv --campaign mine.toml --json").await.expect(4).json();
    let id = report["campaign_id"].as_str().unwrap();
    shell.run(&format!("campaign start {id}")).await.expect(0);
    first_night(&shell, id).await;
    let heard = test_call.ended().await.expect(0).plain();
    for words in ["Trial Pass", "day passes in Boston", "a day pass at East Gym", "It is 15 dollars"] {
        assert!(heard.out.contains(words), "{words}: {}", heard.out);
    }
    // The night after: another list, other prices, and nobody is busy.
    drop(first_night_twilio);
    let _twilio = twilio(shell.folder.path(), port, &callees(20, "+19995550107")).await;
    second_night(&shell, id).await;
}

/// How many calls are under way, as a line of the table of campaigns says.
fn live(line: &str) -> Option<u64> {
    // Behind it: completed, failed, other, and the table's border.
    line.contains("Nightly").then(|| line.split_whitespace().rev().nth(4)?.parse().ok()).flatten()
}

/// Paused at its first call, which goes on to its end; then the rest.
async fn first_night(shell: &Shell, id: &str) {
    let mut watch = shell.begin(&format!("status {id} --watch"));
    watch.out.until("a call", |line| live(line).filter(|live| *live > 0)).await;
    let paused = shell.json(&format!("campaign pause {id}")).await;
    assert_eq!(paused["paused_reason"], "manual");
    watch.out.until("the pause", |line| line.contains("paused (manual)").then_some(())).await;
    let waiting = shell.json(&format!("status {id}")).await["counters"]["waiting"].as_u64().unwrap();
    assert!(waiting >= 1, "{waiting} were not called yet");
    // With a line for each, what is left of the nights is over sooner.
    shell.write("faster.toml", "[policy]\nmax_concurrent_calls = 4\n");
    let faster = shell.json(&format!("campaign edit {id} faster.toml")).await;
    assert_eq!(faster["policy"]["max_concurrent_calls"], 4);
    shell.run(&format!("campaign resume {id}")).await.expect(0);
    let watched = watch.ended().await.expect(0).plain();
    let last = &watched.out[watched.out.rfind("Nightly day passes").unwrap()..];
    assert!(last.contains("completed") && last.contains("pick-up rate 75 %"), "{last}");
    shell.run(&format!("results {id} -o answers.csv")).await.expect(0);
    assert_eq!(shell.read("answers.csv").matches("15.00 USD").count(), 3, "{}", shell.read("answers.csv"));
}

async fn second_night(shell: &Shell, id: &str) {
    shell.write("gyms.csv", &GYMS.replace("(312) 555-0102,Lake Gym", "+13125550199,River Gym"));
    shell.run(&format!("import gyms.csv --campaign {id} --replace")).await.expect(4);
    let watched = shell.run(&format!("status {id} --watch --jobs 0")).await.expect(0);
    assert!(watched.out.contains("completed"), "{}", watched.out);
    let runs = shell.json(&format!("campaign runs {id}")).await;
    let numbers: Vec<&Value> = runs.as_array().unwrap().iter().map(|run| &run["number"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    shell.run(&format!("results {id} --changes -o changes.csv")).await.expect(0);
    let changes = shell.read("changes.csv");
    for (words, count) in [
        // Two gyms told another price; one that was busy and one that is new had told nothing before; one is gone.
        (",day_pass,changed,15.00 USD,20.00 USD,", 2),
        (",day_pass,new,,20.00 USD,", 2),
        (",day_pass,gone,15.00 USD,,", 1),
        (",opening_hours,changed,", 0),
    ] {
        assert_eq!(changes.matches(words).count(), count, "{words}: {changes}");
    }
    let first = runs[1]["id"].as_str().unwrap();
    let before = shell.json(&format!("results {id} --run {first}")).await;
    assert_eq!(before.as_array().unwrap().len(), 4);
    let none = shell.run(&format!("campaign redial {id} --failed")).await.expect(4);
    assert!(none.out.starts_with("0 gyms"), "{}", none.out);
    let again = shell.run(&format!("campaign redial {id} --disposition answered_full")).await.expect(0);
    assert!(again.out.starts_with("4 gyms"), "{}", again.out);
    let cancelled = shell.run(&format!("campaign cancel {id}")).await.expect(0);
    assert!(cancelled.out.contains("cancelled"), "{}", cancelled.out);
}
