//! `gymcall campaign test`

use clap::Args;
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::{CliError, Done, call};

/// A call to a number of mine, in the campaign's words.
#[derive(Debug, Args)]
pub(in crate::cli) struct TestCall {
    /// The campaign's id
    id: String,
    /// The number to call: mine
    phone: String,
    /// Whom the agent asks for; without it, the first gym of the list
    #[arg(long)]
    gym_name: Option<String>,
    /// What a {{column}} stands for; without it, what it is for the first gym of the list
    #[arg(long = "set", value_name = "COLUMN=TEXT", value_parser = pair)]
    set: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("write COLUMN=TEXT")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

impl TestCall {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let variables: Value = self.set.into_iter().map(|(column, text)| (column, Value::from(text))).collect();
        let request = json!({"phone_number": self.phone, "gym_name": self.gym_name, "variables": variables});
        let placed = client.post(&format!("/v1/campaigns/{}/test_call", self.id), &request).await?;
        call::to_its_end(client, &placed, json).await
    }
}
