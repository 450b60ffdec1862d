//! `gymcall campaign …`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::table::{table, text};
use super::{CliError, Done, print_json};

/// What can be done with campaigns.
#[derive(Debug, Subcommand)]
pub(super) enum Campaign {
    /// A new campaign: by name, with the usual questions, or from a TOML file
    Create {
        /// Its name
        #[arg(required_unless_present = "file")]
        name: Option<String>,
        /// A TOML file with name, questions and policy
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
    /// Begin to call
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
            Campaign::Show { id } => client.get(&format!("/v1/campaigns/{id}")).await?,
            Campaign::Start { id } => act(client, &id, "start").await?,
            Campaign::Pause { id } => act(client, &id, "pause").await?,
            Campaign::Resume { id } => act(client, &id, "resume").await?,
            Campaign::Cancel { id } => act(client, &id, "cancel").await?,
        };
        if json {
            print_json(&campaign);
        } else {
            print_list(&[campaign], false);
        }
        Ok(Done::Well)
    }
}

async fn act(client: &Client, id: &str, verb: &str) -> Result<Value, CliError> {
    client.post(&format!("/v1/campaigns/{id}/{verb}"), &json!({})).await
}

/// Creates the campaign that a TOML file describes: the same fields as in JSON.
pub(super) async fn create_from(client: &Client, file: &Path) -> Result<Value, CliError> {
    let content =
        tokio::fs::read_to_string(file).await.map_err(|error| CliError::File { path: file.to_owned(), error })?;
    let request: Value =
        toml::from_str(&content).map_err(|error| CliError::Other(format!("{}: {error}", file.display())))?;
    client.post("/v1/campaigns", &request).await
}

/// Campaigns for people.
pub(super) fn print_list(items: &[Value], json: bool) {
    if json {
        return print_json(&json!(items));
    }
    let mut campaigns = table(&["id", "name", "status", "gyms", "waiting", "live", "completed", "failed", "other"]);
    for campaign in items {
        let counters = &campaign["counters"];
        let number = |name: &str| counters[name].as_u64().unwrap_or(0);
        let status = match campaign["paused_reason"].as_str() {
            Some(reason) => format!("{} ({reason})", text(&campaign["status"])),
            None => text(&campaign["status"]),
        };
        campaigns.add_row([
            text(&campaign["id"]),
            text(&campaign["name"]),
            status,
            number("total").to_string(),
            number("waiting").to_string(),
            number("live").to_string(),
            number("completed").to_string(),
            number("failed").to_string(),
            (number("skipped") + number("cancelled") + number("quarantined")).to_string(),
        ]);
    }
    anstream::println!("{campaigns}");
}
