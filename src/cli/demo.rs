//! `gymcall demo`: the whole story on this machine.
//!
//! Nothing here is a show: it starts the simulator and the server that the other commands start,
//! and then does over HTTP what a user would do.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gymcall_simulator::{Faults, Settings as TwilioSettings, Simulator};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::Client;
use super::serve::told_to_stop;
use super::status::is_over;
use super::table::{self, GREEN, RESET, YELLOW, text};
use super::{CliError, Done, import, print_json, start_log};
use crate::app::{self, Role, Running};
use crate::config::{Flags, Settings, Sources, missing_credentials};

/// The sample campaign, on this machine, without an account.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Another CSV than the sample
    #[arg(long, value_name = "FILE.csv")]
    gyms: Option<PathBuf>,
    /// What speaks and listens: modem sounds over a stream, or the local Twilio's own voice and recognition
    #[arg(long, value_name = "tones|twilio", default_value = "tones", value_parser = ["tones", "twilio"])]
    speech: String,
    /// Keep the server and the local Twilio running afterwards
    #[arg(long)]
    stay: bool,
}

/// The sample, so that the binary alone can give the demonstration.
const SAMPLE: &str = include_str!("../../sample_gyms.csv");
/// What the local Twilio does wrong in it.
const FAULTS: &str = include_str!("../../sample_faults.toml");
/// The caller's number: one that belongs to nobody.
const FROM: &str = "+12125550100";
const CALLS_PER_SECOND: f64 = 5.0;
const LINES: u32 = 20;
const REDIAL_AFTER_SECONDS: f64 = 2.0;
/// How often the demonstration looks.
const EVERY: Duration = Duration::from_millis(200);

impl Demo {
    pub(super) async fn run(self, json: bool) -> Result<Done, CliError> {
        let outer = Sources::read(Flags::default())?;
        start_log(outer.get("LOG_LEVEL").unwrap_or("warn"))?;
        let folder = data_folder(&outer)?;
        let twilio = local_twilio(&folder).await?;
        let server = server(&folder, &twilio, &self.speech).await?;
        let url = server.url().unwrap_or_default();
        let client = Client::new(&url, None)?;
        if !json {
            anstream::println!("A local Twilio listens on {}, gymcall on {url}.", twilio.url());
        }
        let (campaign, report) = self.prepare(&client, &folder, json).await?;
        let jobs = follow(&client, &campaign, json).await?;
        let results = folder.join("results.csv");
        write_results(&client, &campaign, &results).await?;
        if json {
            print_json(&json!({
                "campaign_id": campaign, "data_dir": folder, "results": results, "import": report, "jobs": jobs,
            }));
        } else {
            anstream::println!("{}", table::jobs(&jobs));
            anstream::println!("The answers are in {}", results.display());
        }
        if self.stay {
            anstream::eprintln!("Still running: export GYMCALL_URL={url}  (Ctrl-C ends it)");
            told_to_stop().await;
        }
        server.stop().await;
        twilio.shutdown().await;
        Ok(Done::Well)
    }

    /// Creates the campaign, imports the gyms and starts it; gives its id and the report of the import.
    async fn prepare(&self, client: &Client, folder: &Path, json: bool) -> Result<(String, Value), CliError> {
        // These gyms are on this machine: they are called whenever somebody wants to see it.
        let window = json!({"from": "00:00", "to": "24:00", "allow_outside_hours": true});
        let request = json!({
            "name": "Gym survey",
            "policy": {"max_attempts": 3, "redial_after_minutes": REDIAL_AFTER_SECONDS / 60.0, "window": window},
        });
        let campaign = text(&client.post("/v1/campaigns", &request).await?["id"]);
        let gyms = match &self.gyms {
            Some(file) => file.clone(),
            None => {
                let file = folder.join("sample_gyms.csv");
                std::fs::write(&file, SAMPLE).map_err(|error| CliError::File { path: file.clone(), error })?;
                file
            }
        };
        let report = import::upload(client, &campaign, &gyms).await?;
        if !json {
            import::print_report(&campaign, &report);
        }
        client.post(&format!("/v1/campaigns/{campaign}/start"), &json!({})).await?;
        Ok((campaign, report))
    }
}

/// A fresh folder, unless one is named.
fn data_folder(sources: &Sources) -> Result<PathBuf, CliError> {
    let folder = match sources.get("GYMCALL_DATA_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => {
            std::env::temp_dir().join(format!("gymcall-demo-{}-{}", Timestamp::now().as_second(), std::process::id()))
        }
    };
    std::fs::create_dir_all(&folder).map_err(|error| CliError::File { path: folder.clone(), error })?;
    Ok(folder)
}

async fn local_twilio(folder: &Path) -> Result<Simulator, CliError> {
    let settings = TwilioSettings {
        calls_per_second: CALLS_PER_SECOND,
        faults: Faults::from_toml(FAULTS).map_err(|error| CliError::Simulator(error.to_string()))?,
        log_path: Some(folder.join("twilio.jsonl")),
        ..TwilioSettings::default()
    };
    Simulator::start(settings).await.map_err(|error| CliError::Simulator(error.to_string()))
}

async fn server(folder: &Path, twilio: &Simulator, speech: &str) -> Result<Running, CliError> {
    let account = TwilioSettings::default();
    let sources = Sources::of([
        ("GYMCALL_BIND", "127.0.0.1:0".to_owned()),
        ("GYMCALL_DATA_DIR", folder.display().to_string()),
        ("TWILIO_API_BASE_URL", twilio.url()),
        ("TWILIO_ACCOUNT_SID", account.account_sid),
        ("TWILIO_AUTH_TOKEN", account.auth_token),
        ("TWILIO_FROM_NUMBER", FROM.to_owned()),
        ("GYMCALL_CALLS_PER_SECOND", CALLS_PER_SECOND.to_string()),
        ("GYMCALL_MAX_CONCURRENT_CALLS", LINES.to_string()),
        ("GYMCALL_LOOK_UP_WAITS", "1s,2s,4s,8s".to_owned()),
        ("GYMCALL_SPEECH", speech.to_owned()),
    ]);
    Ok(app::start(&Settings::from_sources(&sources)?, missing_credentials(&sources), Role::ServeAndDial).await?)
}

/// Shows every job as it ends, until all have.
async fn follow(client: &Client, campaign: &str, quiet: bool) -> Result<Vec<Value>, CliError> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} gyms, {msg}") {
        bar.set_style(style);
    }
    let mut told = HashSet::new();
    loop {
        // The campaign first: jobs that end between the two looks are then shown, not missed.
        let now = client.get(&format!("/v1/campaigns/{campaign}")).await?;
        let jobs = client.all(&format!("/v1/campaigns/{campaign}/jobs")).await?;
        let counters = &now["counters"];
        bar.set_length(counters["total"].as_u64().unwrap_or(0));
        bar.set_message(format!("{} on the phone, {} waiting", counters["live"], counters["waiting"]));
        for job in jobs.iter().filter(|job| is_over(job)) {
            if told.insert(text(&job["id"])) {
                bar.inc(1);
                if !quiet {
                    bar.suspend(|| print_end(job));
                }
            }
        }
        if now["status"] == "completed" {
            bar.finish_and_clear();
            return Ok(jobs);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn print_end(job: &Value) {
    let colour = if job["outcome"] == "answered" { GREEN } else { YELLOW };
    let how = if job["disposition"].is_null() { text(&job["status"]) } else { text(&job["disposition"]) };
    anstream::println!("{colour}{how:>18}{RESET}  {}", text(&job["gym_name"]));
}

async fn write_results(client: &Client, campaign: &str, path: &Path) -> Result<(), CliError> {
    let response = client.download(&format!("/v1/campaigns/{campaign}/results.csv")).await?;
    let bytes = response.bytes().await.map_err(|error| CliError::Other(error.to_string()))?;
    std::fs::write(path, bytes).map_err(|error| CliError::File { path: path.to_owned(), error })
}
