//! `gymcall template`

use std::path::PathBuf;

use clap::Args;

use super::client::Client;
use super::download::save;
use super::{CliError, Done};

/// An empty CSV with every column that a campaign's words name.
#[derive(Debug, Args)]
pub(super) struct Template {
    /// The campaign's id
    campaign: String,
    /// Where to; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Template {
    pub(super) async fn run(self, client: &Client) -> Result<Done, CliError> {
        let template = client.download(&format!("/v1/campaigns/{}/gyms/template.csv", self.campaign)).await?;
        save(template, self.output.as_deref()).await?;
        Ok(Done::Well)
    }
}
