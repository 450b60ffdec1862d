//! `gymcall import`

use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::client::Client;
use super::rejected;
use super::table::{GREEN, RED, RESET, YELLOW, table, text};
use super::{CliError, Done, campaign, print_json};

/// A CSV into a campaign, with a report of every bad row.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The CSV file. Rows that were refused are written beside it, as FILE.rejected.csv
    file: PathBuf,
    /// The campaign's id, or a TOML file that describes a new one
    #[arg(long, value_name = "ID|FILE.toml")]
    campaign: String,
    /// The file's gyms take the place of those that the campaign has
    #[arg(long)]
    replace: bool,
    /// Look at every row and store none
    #[arg(long)]
    dry_run: bool,
}

/// How much of the file is read at a time, in bytes.
const PIECE: usize = 64 * 1024;
/// So many bad rows are shown; all that were told are in the file beside.
const SHOWN: usize = 50;

impl Import {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let campaign = if campaign::is_toml(&self.campaign) {
            if self.dry_run {
                let why = "--dry-run stores nothing, and a TOML file would make a campaign: name one that is there";
                return Err(CliError::Other(why.to_owned()));
            }
            let created = campaign::create_from(client, Path::new(&self.campaign)).await?;
            text(&created["id"])
        } else {
            self.campaign.clone()
        };
        let mode = if self.replace { "replace" } else { "add" };
        let path = format!("/v1/campaigns/{campaign}/gyms?mode={mode}&dry_run={}", self.dry_run);
        let report = send(client, &path, &self.file).await?;
        let title = if self.dry_run { format!("{campaign}, nothing stored") } else { campaign.clone() };
        conclude(&title, &self.file, report, json, |report| report["campaign_id"] = campaign.into())
    }
}

/// Sends a file of gyms to a campaign, with a progress bar where there is a terminal.
pub(super) async fn upload(client: &Client, campaign: &str, file: &Path) -> Result<Value, CliError> {
    send(client, &format!("/v1/campaigns/{campaign}/gyms"), file).await
}

/// Sends a CSV, with a progress bar where there is a terminal.
pub(super) async fn send(client: &Client, path: &str, file: &Path) -> Result<Value, CliError> {
    let broken = |error| CliError::File { path: file.to_owned(), error };
    let source = tokio::fs::File::open(file).await.map_err(broken)?;
    let found = source.metadata().await.map_err(broken)?;
    if found.is_dir() {
        return Err(broken(std::io::ErrorKind::IsADirectory.into()));
    }
    let length = found.len();
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
    let report = client.upload(path, reqwest::Body::wrap_stream(pieces)).await;
    bar.finish_and_clear();
    report
}

/// Writes the refused rows beside the file and prints the report, as JSON with what `more` adds to it.
pub(super) fn conclude(
    title: &str,
    file: &Path,
    mut report: Value,
    json: bool,
    more: impl FnOnce(&mut Value),
) -> Result<Done, CliError> {
    let beside = rejected::write_beside(file, &report)?;
    if json {
        more(&mut report);
        report["rejected_file"] = beside.as_ref().map(|path| path.display().to_string()).into();
        print_json(&report);
    } else {
        print_report(title, &report);
        if let Some(path) = beside {
            anstream::println!("The refused rows, to be mended and imported again: {}", path.display());
        }
        match report["rows_left_out"].as_u64() {
            None | Some(0) => {}
            Some(more) => anstream::println!(
                "{YELLOW}{more} more bad rows{RESET} are in neither list: mend these and import again to see them."
            ),
        }
    }
    let refused = report["rejected"].as_u64().unwrap_or(0);
    Ok(if refused == 0 { Done::Well } else { Done::Partly })
}

/// The report for people.
pub(super) fn print_report(title: &str, report: &Value) {
    let count = |name: &str| text(&report[name]);
    let suppressed = match report["suppressed"].as_u64() {
        None | Some(0) => String::new(),
        Some(number) => format!(", {YELLOW}{number} of them suppressed{RESET}: they will be skipped"),
    };
    anstream::println!(
        "{title}: {GREEN}{} accepted{RESET} ({} corrected), {YELLOW}{} duplicates{RESET}, {RED}{} rejected{RESET}{suppressed}",
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
    for row in rows.iter().take(SHOWN) {
        rejected.add_row([text(&row["line"]), text(&row["code"]), text(&row["detail"])]);
    }
    anstream::println!("{rejected}");
    if rows.len() > SHOWN {
        anstream::println!("and {} more; --json shows all that were told", rows.len() - SHOWN);
    }
}
