//! `gymcall results`

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::client::Client;
use super::{CliError, Done};

/// A campaign's answers.
#[derive(Debug, Args)]
pub(super) struct Results {
    /// The campaign's id
    campaign: String,
    /// How
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One row for every gym.
    Csv,
    /// A list of objects.
    Json,
}

impl Results {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let format = if json { Format::Json } else { self.format };
        let mut output: Box<dyn Write> = match &self.output {
            None => Box::new(std::io::stdout().lock()),
            Some(path) => {
                Box::new(std::fs::File::create(path).map_err(|error| CliError::File { path: path.clone(), error })?)
            }
        };
        let path = self.output.clone().unwrap_or_else(|| "standard output".into());
        let broken = |error| CliError::File { path: path.clone(), error };
        match format {
            Format::Csv => {
                let mut response = client.download(&format!("/v1/campaigns/{}/results.csv", self.campaign)).await?;
                while let Some(piece) = response.chunk().await.map_err(|error| CliError::Other(error.to_string()))? {
                    output.write_all(&piece).map_err(broken)?;
                }
            }
            Format::Json => {
                let items = client.all(&format!("/v1/campaigns/{}/results", self.campaign)).await?;
                writeln!(output, "{:#}", json!(items)).map_err(broken)?;
            }
        }
        output.flush().map_err(broken)?;
        Ok(Done::Well)
    }
}
