//! `gymcall job …`

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::Client;
use super::{CliError, Done, print_json, status};

/// What can be done with one job.
#[derive(Debug, Subcommand)]
pub(super) enum Job {
    /// How it stands, what was said and what was answered
    Show {
        /// Its id
        id: String,
    },
    /// Take it back; a call that is going on is hung up
    Cancel {
        /// Its id
        id: String,
    },
    /// Call its gym once more, as a new job
    Redial {
        /// Its id
        id: String,
    },
    /// Say what became of a call that is in quarantine
    Resolve {
        /// Its id
        id: String,
        /// Whether Twilio made the call
        fate: Fate,
    },
}

/// What a person found out.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Fate {
    /// It was called: the job ends, and its number is free again
    Called,
    /// It was not: it will be called
    #[value(name = "not_called", alias = "not-called")]
    NotCalled,
}

impl Job {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let job = match self {
            Job::Show { id } => client.get(&format!("/v1/jobs/{id}")).await?,
            Job::Cancel { id } => act(client, &id, "cancel", &json!({})).await?,
            Job::Redial { id } => act(client, &id, "redial", &json!({})).await?,
            Job::Resolve { id, fate } => {
                let fate = match fate {
                    Fate::Called => "called",
                    Fate::NotCalled => "not_called",
                };
                act(client, &id, "resolve", &json!({"fate": fate})).await?
            }
        };
        if json {
            print_json(&job);
        } else {
            status::print_job(&job);
        }
        Ok(Done::Well)
    }
}

async fn act(client: &Client, id: &str, verb: &str, body: &Value) -> Result<Value, CliError> {
    client.post(&format!("/v1/jobs/{id}/{verb}"), body).await
}
