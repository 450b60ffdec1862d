//! `gymcall results`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::client::Client;
use super::download::{replace, save};
use super::{CliError, Done};

/// A campaign's answers, or what changed in them since the last run.
#[derive(Debug, Args)]
pub(super) struct Results {
    /// The campaign's id
    campaign: String,
    /// Which run; without it, the present one
    #[arg(long)]
    run: Option<String>,
    /// Only what is new, changed or gone since the last run
    #[arg(long)]
    changes: bool,
    /// In a CSV, a further column for each question with the words that back the answer up
    #[arg(long, conflicts_with = "changes")]
    quotes: bool,
    /// How
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One row for every gym, or for every change.
    Csv,
    /// A list of objects.
    Json,
}

impl Results {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let list = format!("/v1/campaigns/{}/{}", self.campaign, if self.changes { "changes" } else { "results" });
        let run = self.run.as_ref().map(|run| format!("run={run}"));
        match if json { Format::Json } else { self.format } {
            Format::Csv => {
                let quotes = self.quotes.then(|| "quotes=true".to_owned());
                let query: Vec<String> = run.into_iter().chain(quotes).collect();
                // The server is asked first: a refusal must not cost the file of last time.
                let table = client.download(&format!("{list}.csv?{}", query.join("&"))).await?;
                save(table, self.output.as_deref()).await?;
            }
            Format::Json => {
                let list = format!("{list}?{}", run.unwrap_or_default());
                match &self.output {
                    None => write(client, &list, &mut std::io::stdout().lock(), Path::new("standard output")).await?,
                    Some(path) => {
                        replace(path, async |output, path| write(client, &list, output, path).await).await?;
                    }
                }
            }
        }
        Ok(Done::Well)
    }
}

/// Writes a list as one JSON array, page by page.
async fn write(client: &Client, list: &str, output: &mut impl Write, path: &Path) -> Result<(), CliError> {
    let broken = |error| CliError::File { path: path.to_owned(), error };
    let (mut cursor, mut written) = (None, 0_u64);
    loop {
        let page = client.page(list, cursor.as_deref()).await?;
        for item in page["items"].as_array().into_iter().flatten() {
            let before = if written == 0 { "[\n" } else { ",\n" };
            write!(output, "{before}{item:#}").map_err(broken)?;
            written += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let end = if written == 0 { "[]\n" } else { "\n]\n" };
    output.write_all(end.as_bytes()).and_then(|()| output.flush()).map_err(broken)
}
