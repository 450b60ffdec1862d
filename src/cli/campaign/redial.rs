//! `gymcall campaign redial`

use clap::Args;
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::table::{RESET, YELLOW, table, text};
use crate::cli::{CliError, Done, print_json};

/// Which gyms to call again.
#[derive(Debug, Args)]
pub(in crate::cli) struct Redial {
    /// The campaign's id
    id: String,
    /// All that failed
    #[arg(long, required_unless_present_any = ["status", "disposition", "job"])]
    failed: bool,
    /// All at this status: completed, failed, skipped or cancelled
    #[arg(long, conflicts_with = "failed")]
    status: Vec<String>,
    /// All with this result, such as voicemail
    #[arg(long)]
    disposition: Vec<String>,
    /// This job
    #[arg(long, value_name = "JOB", conflicts_with_all = ["failed", "status", "disposition"])]
    job: Vec<String>,
}

impl Redial {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let report = client.post(&format!("/v1/campaigns/{}/redial", self.id), &self.request()).await?;
        if json {
            print_json(&report);
        } else {
            print(&report);
        }
        Ok(if report["created"] == 0 { Done::Partly } else { Done::Well })
    }

    fn request(&self) -> Value {
        if !self.job.is_empty() {
            return json!({"jobs": self.job});
        }
        let mut request = json!({});
        if self.failed {
            request["status"] = json!(["failed"]);
        } else if !self.status.is_empty() {
            request["status"] = json!(self.status);
        }
        if !self.disposition.is_empty() {
            request["disposition"] = json!(self.disposition);
        }
        request
    }
}

fn print(report: &Value) {
    anstream::println!("{} gyms will be called again", text(&report["created"]));
    let skipped = report["skipped"].as_array().map(Vec::as_slice).unwrap_or_default();
    if skipped.is_empty() {
        return;
    }
    anstream::println!("{YELLOW}not called again:{RESET}");
    let mut rows = table(&["job", "why"]);
    for skip in skipped {
        rows.add_row([text(&skip["job"]), text(&skip["why"])]);
    }
    anstream::println!("{rows}");
    if let Some(more) = report["skipped_left_out"].as_u64() {
        anstream::println!("and {more} more");
    }
}
