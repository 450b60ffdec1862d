//! `gymcall campaign …`

mod file;
mod forecast;
mod redial;
mod test_call;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::table::{table, text};
use super::{CliError, Done, print_json};

pub(super) use file::{create_from, is_toml};

/// What can be done with campaigns.
#[derive(Debug, Subcommand)]
pub(super) enum Campaign {
    /// A new campaign: by name, with the usual questions, or from a TOML file
    Create {
        /// Its name
        #[arg(required_unless_present = "file", value_parser = campaign_name)]
        name: Option<String>,
        /// A TOML file with name, greeting, questions, schedule and policy
        #[arg(long, conflicts_with = "name")]
        file: Option<PathBuf>,
        /// On whose behalf the agent says that it calls
        #[arg(long, conflicts_with = "file")]
        on_behalf_of: Option<String>,
    },
    /// All campaigns
    List,
    /// One campaign
    Show {
        /// Its id
        id: String,
    },
    /// Call one number of yours with its questions, and follow the call to its end
    Test(test_call::TestCall),
    /// When it will be done, what it may cost, and who will be skipped
    Forecast {
        /// Its id
        id: String,
    },
    /// Begin to call, or to wait for the time of its schedule
    Start {
        /// Its id
        id: String,
    },
    /// Call nobody new; live calls finish
    Pause {
        /// Its id
        id: String,
    },
    /// Go on after a pause
    Resume {
        /// Its id
        id: String,
    },
    /// Take it back; live calls finish
    Cancel {
        /// Its id
        id: String,
    },
    /// Call gyms again: those that failed, or some
    Redial(redial::Redial),
    /// Its runs, with the counters of each
    Runs {
        /// Its id
        id: String,
    },
    /// Change it
    Edit(file::Edit),
    /// A new one like it, with its gyms
    Duplicate {
        /// Its id
        id: String,
        /// The new one's name
        #[arg(long)]
        name: Option<String>,
        /// Leave the gyms behind
        #[arg(long)]
        without_gyms: bool,
    },
    /// Delete it; one that calls, or may call, is cancelled first
    Delete {
        /// Its id
        id: String,
    },
}

/// A file that is taken for a name makes a campaign with none of what the file says.
fn campaign_name(text: &str) -> Result<String, String> {
    if is_toml(text) { Err(format!("a file is given as --file {text}")) } else { Ok(text.to_owned()) }
}

impl Campaign {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let campaign = match self {
            Campaign::Create { file: Some(file), .. } => create_from(client, &file).await?,
            Campaign::Create { name, on_behalf_of, .. } => {
                let mut request = json!({"name": name});
                if let Some(text) = on_behalf_of {
                    request["on_behalf_of"] = text.into();
                }
                client.post("/v1/campaigns", &request).await?
            }
            Campaign::List => {
                let items = client.all("/v1/campaigns").await?;
                print_list(&items, json);
                return Ok(Done::Well);
            }
            Campaign::Test(test) => return test.run(client, json).await,
            Campaign::Redial(redial) => return redial.run(client, json).await,
            Campaign::Forecast { id } => {
                let forecast = client.get(&format!("/v1/campaigns/{id}/forecast")).await?;
                if json {
                    print_json(&forecast);
                } else {
                    anstream::println!("{}", forecast::told(&forecast));
                }
                return Ok(Done::Well);
            }
            Campaign::Runs { id } => {
                print_runs(&client.all(&format!("/v1/campaigns/{id}/runs")).await?, json);
                return Ok(Done::Well);
            }
            Campaign::Delete { id } => {
                client.delete(&format!("/v1/campaigns/{id}")).await?;
                if json {
                    print_json(&json!({"deleted": id}));
                } else {
                    anstream::println!("{id} is deleted");
                }
                return Ok(Done::Well);
            }
            Campaign::Show { id } => client.get(&format!("/v1/campaigns/{id}")).await?,
            Campaign::Start { id } => act(client, &id, "start").await?,
            Campaign::Pause { id } => act(client, &id, "pause").await?,
            Campaign::Resume { id } => act(client, &id, "resume").await?,
            Campaign::Cancel { id } => act(client, &id, "cancel").await?,
            Campaign::Edit(edit) => edit.send(client).await?,
            Campaign::Duplicate { id, name, without_gyms } => {
                let mut request = json!({"gyms": !without_gyms});
                if let Some(name) = name {
                    request["name"] = name.into();
                }
                client.post(&format!("/v1/campaigns/{id}/duplicate"), &request).await?
            }
        };
        if json {
            print_json(&campaign);
        } else {
            print_one(&campaign);
        }
        Ok(Done::Well)
    }
}

async fn act(client: &Client, id: &str, verb: &str) -> Result<Value, CliError> {
    client.post(&format!("/v1/campaigns/{id}/{verb}"), &json!({})).await
}

/// Campaigns for people.
pub(super) fn print_list(items: &[Value], json: bool) {
    if json {
        return print_json(&json!(items));
    }
    let mut campaigns = table(&["id", "name", "status", "gyms", "waiting", "live", "completed", "failed", "other"]);
    for campaign in items {
        let status = match campaign["paused_reason"].as_str() {
            Some(reason) => format!("{} ({reason})", text(&campaign["status"])),
            None => text(&campaign["status"]),
        };
        let head = [text(&campaign["id"]), text(&campaign["name"]), status];
        campaigns.add_row(head.into_iter().chain(counted(&campaign["counters"])));
    }
    anstream::println!("{campaigns}");
}

/// One campaign for people: how it stands, how it does, and what comes next.
pub(super) fn print_one(campaign: &Value) {
    print_list(std::slice::from_ref(campaign), false);
    let counters = &campaign["counters"];
    let facts = [
        ("calls", text(&counters["calls"])),
        ("connected", text(&counters["connected"])),
        ("pick-up rate", percent(&counters["pick_up_rate"])),
        ("cost", text(&counters["cost"])),
        ("resumes at", text(&campaign["resumes_at"])),
        ("next fire", text(&campaign["next_fire"])),
    ];
    let told: Vec<String> =
        facts.iter().filter(|(_, fact)| !fact.is_empty()).map(|(name, fact)| format!("{name} {fact}")).collect();
    if !told.is_empty() {
        anstream::println!("{}", told.join(", "));
    }
}

/// How many gyms stand where.
fn counted(counters: &Value) -> [String; 6] {
    let number = |name: &str| counters[name].as_u64().unwrap_or(0);
    let other = number("skipped") + number("cancelled") + number("quarantined");
    [number("total"), number("waiting"), number("live"), number("completed"), number("failed"), other]
        .map(|number| number.to_string())
}

fn print_runs(items: &[Value], json: bool) {
    if json {
        return print_json(&json!(items));
    }
    let mut runs = table(&[
        "run",
        "number",
        "cause",
        "started",
        "ended",
        "gyms",
        "waiting",
        "live",
        "completed",
        "failed",
        "other",
        "pick-up",
        "cost",
    ]);
    for run in items {
        let head = ["id", "number", "cause", "started_at", "ended_at"].map(|name| text(&run[name]));
        let counters = &run["counters"];
        let tail = [percent(&counters["pick_up_rate"]), text(&counters["cost"])];
        runs.add_row(head.into_iter().chain(counted(counters)).chain(tail));
    }
    anstream::println!("{runs}");
}

/// A share for people.
fn percent(share: &Value) -> String {
    share.as_f64().map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default()
}
