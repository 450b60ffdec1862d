//! `gymcall webhook …`

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::table::{RED, RESET, YELLOW, table, text};
use super::{CliError, Done, print_json};

/// Where events are sent to.
#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// Send events to this URL from now on; prints the secret that they are signed with, this once
    Add {
        /// An https URL
        url: String,
        /// Only events with this name, such as job.completed; without it, all
        #[arg(long)]
        event: Vec<String>,
        /// Only those of this campaign
        #[arg(long, value_name = "ID")]
        campaign: Option<String>,
    },
    /// All of them, and how delivery goes
    List,
    /// Send nothing to it any more
    Remove {
        /// Its id
        id: String,
    },
}

impl Webhook {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        match self {
            Webhook::Add { url, event, campaign } => {
                let request = json!({"url": url, "events": event, "campaign_id": campaign});
                let added = client.post("/v1/webhooks", &request).await?;
                if json {
                    print_json(&added);
                } else {
                    anstream::println!(
                        "{} is told of what happens from now on: {}",
                        text(&added["url"]),
                        text(&added["id"])
                    );
                    anstream::println!("{YELLOW}secret:{RESET} {} (it is not shown again)", text(&added["secret"]));
                }
                Ok(Done::Well)
            }
            Webhook::List => {
                let items = client.get("/v1/webhooks").await?["items"].take();
                let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
                if json {
                    print_json(&json!(items));
                } else {
                    print(items);
                }
                let well = items.iter().all(|item| item["status"] == "active" && item["last_error"].is_null());
                Ok(if well { Done::Well } else { Done::Partly })
            }
            Webhook::Remove { id } => {
                client.delete(&format!("/v1/webhooks/{id}")).await?;
                if json {
                    print_json(&json!({"removed": id}));
                } else {
                    anstream::println!("removed: {id}");
                }
                Ok(Done::Well)
            }
        }
    }
}

fn print(items: &[Value]) {
    let mut rows = table(&["id", "url", "events", "campaign", "status", "delivered", "given up", "next try"]);
    for item in items {
        let names = ["id", "url", "events", "campaign_id", "status", "delivered", "given_up", "next_try_at"];
        rows.add_row(names.map(|name| text(&item[name])));
    }
    anstream::println!("{rows}");
    for item in items.iter().filter(|item| !item["last_error"].is_null()) {
        let error = &item["last_error"];
        anstream::println!("{RED}{}{RESET} {}: {}", text(&item["id"]), text(&error["at"]), text(&error["detail"]));
    }
}
