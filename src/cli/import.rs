//! `gymcall import`

use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::client::Client;
use super::table::{GREEN, RED, RESET, YELLOW, table, text};
use super::{CliError, Done, campaign, print_json};

/// A CSV into a campaign, with a report of every bad row.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The CSV file
    file: PathBuf,
    /// The campaign's id, or a TOML file that describes a new one
    #[arg(long, value_name = "ID|FILE.toml")]
    campaign: String,
}

/// How much of the file is read at a time, in bytes.
const PIECE: usize = 64 * 1024;

impl Import {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let campaign = match Path::new(&self.campaign).extension() {
            Some(extension) if extension.eq_ignore_ascii_case("toml") => {
                let created = campaign::create_from(client, Path::new(&self.campaign)).await?;
                text(&created["id"])
            }
            _ => self.campaign.clone(),
        };
        let report = upload(client, &campaign, &self.file).await?;
        if json {
            let mut report = report.clone();
            report["campaign_id"] = campaign.into();
            print_json(&report);
        } else {
            print_report(&campaign, &report);
        }
        let refused = report["rejected"].as_u64().unwrap_or(0);
        Ok(if refused == 0 { Done::Well } else { Done::Partly })
    }
}

/// Sends a file, with a progress bar where there is a terminal.
pub(super) async fn upload(client: &Client, campaign: &str, file: &Path) -> Result<Value, CliError> {
    let broken = |error| CliError::File { path: file.to_owned(), error };
    let source = tokio::fs::File::open(file).await.map_err(broken)?;
    let length = source.metadata().await.map_err(broken)?.len();
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    let progress = bar.clone();
    let pieces = stream::try_unfold(source, move |mut source| {
        let progress = progress.clone();
        async move {
            let mut piece = vec![0; PIECE];
            let read = source.read(&mut piece).await?;
            piece.truncate(read);
            progress.inc(read as u64);
            Ok::<_, std::io::Error>((read > 0).then_some((piece, source)))
        }
    });
    let report = client.upload(&format!("/v1/campaigns/{campaign}/gyms"), reqwest::Body::wrap_stream(pieces)).await;
    bar.finish_and_clear();
    report
}

/// The report for people.
pub(super) fn print_report(campaign: &str, report: &Value) {
    let count = |name: &str| text(&report[name]);
    anstream::println!(
        "{campaign}: {GREEN}{} accepted{RESET} ({} corrected), {YELLOW}{} duplicates{RESET}, {RED}{} rejected{RESET}",
        count("accepted"),
        count("corrected"),
        count("duplicates"),
        count("rejected"),
    );
    let rows = report["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return;
    }
    let mut rejected = table(&["line", "code", "why"]);
    for row in rows {
        rejected.add_row([text(&row["line"]), text(&row["code"]), text(&row["detail"])]);
    }
    anstream::println!("{rejected}");
}
