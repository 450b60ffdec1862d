//! `gymcall simulator`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use gymcall_simulator::{Account, Callees, Faults, Feed, Log, Settings, Simulator as LocalTwilio, Speech};

use super::serve::told_to_stop;
use super::{CliError, Done, start_log};
use crate::config::{Flags, Sources};

/// The local Twilio. Its account is TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, as for the server.
#[derive(Debug, Args)]
pub(super) struct Simulator {
    /// Where its REST API listens
    #[arg(long, default_value = "127.0.0.1:4010")]
    bind: SocketAddr,
    /// Who can be called, and how they behave
    #[arg(long, value_name = "FILE.toml")]
    callees: Option<PathBuf>,
    /// What the account has: numbers, API keys, applications, test credentials, limits
    #[arg(long, value_name = "FILE.toml")]
    account: Option<PathBuf>,
    /// How unkind it is
    #[arg(long, value_name = "FILE.toml")]
    faults: Option<PathBuf>,
    /// How callees and `<Say>` sound: tones, flite or espeak-ng
    #[arg(long, default_value = "tones", value_name = "SPEECH")]
    speech: Speech,
    /// Decides the faults that have a rate
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Calls dialled per second at most; the others stay queued
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Where to append what it did, one JSON object a line
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Print what it does as it happens, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Start nothing: print what the log in FILE tells, without times and SIDs, to be compared with another run's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "log", "callees", "account", "faults"])]
    history: Option<PathBuf>,
}

impl Simulator {
    pub(super) async fn run(self) -> Result<Done, CliError> {
        if let Some(path) = &self.history {
            let entries = Log::read(path).map_err(|error| CliError::File { path: path.clone(), error })?;
            say(&Log::history(&entries)).map_err(|error| CliError::Other(format!("cannot print: {error}")))?;
            return Ok(Done::Well);
        }
        let prints = self.json;
        let sources = Sources::read(Flags::default())?;
        start_log(sources.get("LOG_LEVEL").unwrap_or("info"))?;
        let told = told_to_stop();
        let simulator = LocalTwilio::start(self.settings(&sources)?).await;
        let simulator = simulator.map_err(|error| CliError::Simulator(error.to_string()))?;
        tracing::info!("a local Twilio listens on {}: TWILIO_API_BASE_URL for `gymcall serve`", simulator.url());
        tracing::info!("what it does is shown on {}/", simulator.url());
        let printing = prints.then(|| tokio::spawn(print(simulator.log().subscribe())));
        told.await;
        simulator.shutdown().await;
        if let Some(printing) = printing {
            printing.abort();
        }
        Ok(Done::Well)
    }

    fn settings(self, sources: &Sources) -> Result<Settings, CliError> {
        if !(self.pace.is_finite() && self.pace > 0.0) {
            return Err(CliError::Other("--pace must be more than 0".to_owned()));
        }
        let mut settings = Settings {
            bind: self.bind,
            speech: self.speech,
            seed: self.seed,
            calls_per_second: self.pace,
            log_path: self.log,
            ..Settings::default()
        };
        if let Some(sid) = sources.get("TWILIO_ACCOUNT_SID") {
            settings.account_sid = sid.to_owned();
        }
        if let Some(token) = sources.get("TWILIO_AUTH_TOKEN") {
            settings.auth_token = token.to_owned();
        }
        if let Some(file) = &self.callees {
            settings.callees = Callees::from_toml(&read(file)?).map_err(|error| unusable(file, &error))?;
        }
        if let Some(file) = &self.account {
            settings.account = Account::from_toml(&read(file)?).map_err(|error| unusable(file, &error))?;
        }
        if let Some(file) = &self.faults {
            settings.faults = Faults::from_toml(&read(file)?).map_err(|error| unusable(file, &error))?;
        }
        Ok(settings)
    }
}

/// Prints every entry of the log as it comes, until nobody reads any more.
async fn print(mut feed: Feed) {
    loop {
        let entry = feed.next().await;
        let line = serde_json::to_string(entry.as_ref()).map_err(std::io::Error::other);
        if let Err(error) = line.and_then(|line| say(&format!("{line}\n"))) {
            tracing::warn!(%error, "the log is printed no further");
            return;
        }
    }
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::File { path: path.to_owned(), error })
}

fn unusable(path: &Path, error: &impl std::fmt::Display) -> CliError {
    CliError::Other(format!("{}: {error}", path.display()))
}
