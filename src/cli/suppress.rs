//! `gymcall suppress …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::download::save;
use super::table::{table, text};
use super::{CliError, Done, import, print_json};

/// What can be done with the list of numbers that are never called.
#[derive(Debug, Subcommand)]
pub(super) enum Suppress {
    /// One number: it is never called again, by no campaign; a live call to it is hung up
    Add {
        /// The number
        phone: String,
        /// Why, in words
        #[arg(long)]
        reason: Option<String>,
    },
    /// A CSV of numbers: a phone column, and a reason if there is one
    Import {
        /// The CSV file. Rows that were refused are written beside it, as FILE.rejected.csv
        file: PathBuf,
    },
    /// The whole list
    List,
    /// A number may be called again
    Remove {
        /// The number
        phone: String,
    },
    /// The whole list as CSV, which `suppress import` reads
    Export {
        /// Where to; without it, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Suppress {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        match self {
            Suppress::Add { phone, reason } => {
                let mut request = json!({"phone_number": phone});
                if let Some(reason) = reason {
                    request["reason"] = reason.into();
                }
                let added = client.post("/v1/suppressions", &request).await?;
                show(&[added], json);
            }
            Suppress::Import { file } => {
                let report = import::send(client, "/v1/suppressions", &file).await?;
                return import::conclude("suppressions", &file, report, json, |_| {});
            }
            Suppress::List => {
                let list = client.all("/v1/suppressions").await?;
                if json {
                    print_json(&json!(list));
                } else {
                    show(&list, false);
                }
            }
            Suppress::Remove { phone } => {
                client.delete(&format!("/v1/suppressions/{}", encoded(&phone))).await?;
                if json {
                    print_json(&json!({"removed": phone}));
                } else {
                    anstream::println!("{phone} may be called again");
                }
            }
            Suppress::Export { output } => {
                save(client.download("/v1/suppressions.csv").await?, output.as_deref()).await?;
            }
        }
        Ok(Done::Well)
    }
}

fn show(list: &[Value], json: bool) {
    if let ([one], true) = (list, json) {
        return print_json(one);
    }
    let mut numbers = table(&["number", "since", "reason"]);
    for entry in list {
        numbers.add_row([text(&entry["phone_number"]), text(&entry["since"]), text(&entry["reason"])]);
    }
    anstream::println!("{numbers}");
}

/// A number as a segment of a path: people write spaces, dots and slashes into it.
fn encoded(phone: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    phone.bytes().map(byte).collect()
}
