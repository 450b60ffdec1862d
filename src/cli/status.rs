//! `gymcall status`

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::table::{RESET, YELLOW, jobs, text};
use super::{CliError, Done, campaign, print_json};

/// How everything, a campaign or a job stands.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// A campaign's or a job's id; without one, all campaigns
    id: Option<String>,
    /// Say only whether the server can work, as a health check
    #[arg(long, conflicts_with_all = ["id", "watch"])]
    ready: bool,
    /// Show it again whenever it changes, until it is over
    #[arg(long)]
    watch: bool,
    /// How many of a campaign's jobs to show
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    jobs: u32,
}

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_millis(500);

impl Status {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        if self.ready {
            let ready = client.get("/readyz").await?;
            if json {
                print_json(&ready);
            } else {
                anstream::println!("{}", text(&ready["status"]));
            }
            return Ok(Done::Well);
        }
        let mut shown = Value::Null;
        loop {
            let (now, over) = self.look(client).await?;
            if now != shown {
                self.show(&now, json);
                shown = now;
            }
            if over || !self.watch {
                return Ok(Done::Well);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// What there is to show, and whether it will change no more.
    async fn look(&self, client: &Client) -> Result<(Value, bool), CliError> {
        match self.id.as_deref() {
            None => Ok((client.all("/v1/campaigns").await?.into(), false)),
            Some(id) if id.starts_with("job_") => {
                let job = client.get(&format!("/v1/jobs/{id}")).await?;
                let over = is_over(&job);
                Ok((job, over))
            }
            Some(id) => {
                let mut campaign = client.get(&format!("/v1/campaigns/{id}")).await?;
                let jobs = match self.jobs {
                    0 => Value::Array(Vec::new()),
                    jobs => client.get(&format!("/v1/campaigns/{id}/jobs?limit={jobs}")).await?["items"].take(),
                };
                campaign["jobs"] = jobs;
                if campaign["counters"]["quarantined"].as_u64().is_some_and(|unclear| unclear > 0) {
                    let unclear = client.get(&format!("/v1/campaigns/{id}/jobs?status=quarantined")).await?;
                    campaign["quarantined"] = unclear["items"].clone();
                }
                let over = matches!(campaign["status"].as_str(), Some("completed" | "cancelled" | "failed"));
                Ok((campaign, over))
            }
        }
    }

    fn show(&self, shown: &Value, json: bool) {
        if json {
            return print_json(shown);
        }
        match shown {
            Value::Array(campaigns) => campaign::print_list(campaigns, false),
            job if job["phone_number"].is_string() => print_job(job),
            one => {
                campaign::print_one(one);
                let shown = one["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
                if !shown.is_empty() {
                    anstream::println!("{}", jobs(shown));
                }
                let total = one["counters"]["total"].as_u64().unwrap_or(0);
                let more = total.saturating_sub(shown.len() as u64);
                if more > 0 {
                    anstream::println!("and {more} more: gymcall results {}", text(&one["id"]));
                }
                print_quarantined(one["quarantined"].as_array().map(Vec::as_slice).unwrap_or_default());
            }
        }
    }
}

/// Whether time alone will change the job no more.
pub(super) fn is_over(job: &Value) -> bool {
    !job["outcome"].is_null() || job["status"] == "quarantined"
}

fn print_quarantined(unclear: &[Value]) {
    if unclear.is_empty() {
        return;
    }
    anstream::println!("{YELLOW}Whether these were called is for you to find out:{RESET}");
    for job in unclear {
        anstream::println!(
            "  {} {}: gymcall status {}",
            text(&job["phone_number"]),
            text(&job["gym_name"]),
            text(&job["id"])
        );
    }
}

/// A job for people: its calls, what was said, what was answered.
pub(super) fn print_job(job: &Value) {
    anstream::println!("{}", jobs(std::slice::from_ref(job)));
    for attempt in job["attempts"].as_array().into_iter().flatten() {
        anstream::println!(
            "attempt {}: {} {}{}{} {YELLOW}{}{RESET}",
            text(&attempt["number"]),
            text(&attempt["status"]),
            text(&attempt["twilio_call_sid"]),
            labelled(" ", &attempt["duration_s"], " s"),
            labelled(", cost ", &attempt["cost"], ""),
            text(&attempt["trouble"]),
        );
    }
    for turn in job["transcript"].as_array().into_iter().flatten() {
        anstream::println!("  {}: {}", text(&turn["who"]), text(&turn["text"]));
    }
    for answer in job["answers"].as_array().into_iter().flatten() {
        anstream::println!("  {} = {}", text(&answer["key"]), text(&answer["value"]));
    }
    if !job["evidence"].is_null() {
        print_evidence(&job["evidence"]);
    }
    if job["status"] == "quarantined" {
        print_choice(job);
    }
}

/// A value with what belongs around it; nothing where there is none.
fn labelled(before: &str, value: &Value, after: &str) -> String {
    if value.is_null() { String::new() } else { format!("{before}{}{after}", text(value)) }
}

fn print_evidence(evidence: &Value) {
    let [number, asked_at, answer] = ["phone_number", "asked_at", "answer"].map(|name| text(&evidence[name]));
    anstream::println!("{YELLOW}It is unclear whether Twilio made a call:{RESET}");
    anstream::println!("  {asked_at}  asked for a call to {number}: {answer}");
    for look_up in evidence["look_ups"].as_array().into_iter().flatten() {
        let [at, detail] = ["at", "detail"].map(|name| text(&look_up[name]));
        anstream::println!("  {at}  looked for it: {detail}");
    }
    if !evidence["next_look_up_at"].is_null() {
        anstream::println!("  {}  is the time of the next look", text(&evidence["next_look_up_at"]));
    }
}

fn print_choice(job: &Value) {
    let [number, id] = ["phone_number", "id"].map(|name| text(&job[name]));
    anstream::println!(
        "{YELLOW}Nobody calls {number} until this is settled.{RESET} Look for the call in Twilio's console, or ask the gym. Then say\n\
         that it was called, which ends the job:\n    gymcall job resolve {id} called\n\
         or that it was not, and it will be called:\n    gymcall job resolve {id} not_called\n\
         Should Twilio tell of the call after all, the job goes on by itself.",
    );
}
