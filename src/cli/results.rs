//! `gymcall results`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

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
        // The server is asked first: a refusal must not cost the file of last time.
        let answers = match format {
            Format::Csv => {
                Answers::Csv(client.download(&format!("/v1/campaigns/{}/results.csv", self.campaign)).await?)
            }
            Format::Json => Answers::Json(client.all(&format!("/v1/campaigns/{}/results", self.campaign)).await?),
        };
        match &self.output {
            None => answers.write(&mut std::io::stdout().lock(), Path::new("standard output")).await?,
            Some(path) => {
                let part = path.with_added_extension("part");
                let broken = |error| CliError::File { path: part.clone(), error };
                answers.write(&mut std::fs::File::create(&part).map_err(broken)?, &part).await?;
                std::fs::rename(&part, path).map_err(broken)?;
            }
        }
        Ok(Done::Well)
    }
}

enum Answers {
    Csv(reqwest::Response),
    Json(Vec<Value>),
}

impl Answers {
    async fn write(self, output: &mut impl Write, path: &Path) -> Result<(), CliError> {
        let broken = |error| CliError::File { path: path.to_owned(), error };
        match self {
            Answers::Csv(mut response) => {
                while let Some(piece) = response.chunk().await.map_err(|error| CliError::Other(error.to_string()))? {
                    output.write_all(&piece).map_err(broken)?;
                }
            }
            Answers::Json(items) => writeln!(output, "{:#}", json!(items)).map_err(broken)?,
        }
        output.flush().map_err(broken)
    }
}
