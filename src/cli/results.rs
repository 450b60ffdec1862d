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
            Some(path) => write_to(path, answers).await?,
        }
        Ok(Done::Well)
    }
}

/// Writes beside the file and puts that in its place when it is whole: a broken download must not cost the
/// file of last time. What is no plain file, a pipe or a device, is written to as it is.
async fn write_to(path: &Path, answers: Answers) -> Result<(), CliError> {
    // Through links: the file they lead to is meant.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let broken = |error| CliError::File { path: path.clone(), error };
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let mut output = std::fs::OpenOptions::new().write(true).open(path).map_err(broken)?;
        return answers.write(&mut output, path).await;
    }
    let part = path.with_added_extension("part");
    let written = match std::fs::File::create(&part) {
        Ok(mut output) => answers.write(&mut output, &part).await,
        Err(error) => Err(CliError::File { path: part.clone(), error }),
    };
    let placed = written.and_then(|()| std::fs::rename(&part, path).map_err(broken));
    if placed.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    placed
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_is_followed_and_only_plain_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("results.json"), folder.path().join("link"));
        std::fs::write(&file, "of last time").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_to(&link, Answers::Json(Vec::new())).await.unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);

        // What is no plain file is never replaced by one.
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        write_to(&other, Answers::Json(Vec::new())).await.unwrap_err();
        assert!(other.is_dir());
    }
}
