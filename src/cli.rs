//! The command line.
//!
//! `demo`, `serve`, `worker`, `simulator` and `doctor` run something here. All other commands speak to a server over
//! HTTP (`GYMCALL_URL`), as any user's program would.
//!
//! Exit codes: 0 done; 1 failed or refused; 2 the command line is wrong; 3 no server answers;
//! 4 done, but not all went well (rows were refused, nobody answered).

mod call;
mod campaign;
mod client;
mod demo;
mod doctor;
mod download;
mod events;
mod import;
mod job;
mod rejected;
mod results;
mod serve;
mod simulator;
mod status;
mod suppress;
mod table;
mod template;
mod webhook;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ConfigError, Flags, Sources};

/// Phones a list of gyms through Twilio, asks your questions, and writes down the answers.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    /// Print JSON instead of text for people
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed or refused, 2 wrong command line, 3 no server answers, \
4 done but not all went well (rows were refused, nobody answered).";

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole story on this machine: a local Twilio, a campaign, a table of results
    Demo(demo::Demo),
    /// The API, the webhooks, the streams and a worker
    Serve(serve::Serve),
    /// A worker alone, for many machines: it dials what the servers' Redis holds
    Worker(worker::Worker),
    /// The local Twilio alone
    Simulator(simulator::Simulator),
    /// Look at everything that a real call needs, and say how to mend what is wrong
    Doctor(doctor::Doctor),
    /// Call one number now, and follow the call to its end
    Call(call::Call),
    /// An empty CSV with a campaign's columns
    Template(template::Template),
    /// Upload a CSV of gyms into a campaign
    Import(import::Import),
    /// Campaigns: create and change them, test, forecast, start, pause and redial
    #[command(subcommand)]
    Campaign(campaign::Campaign),
    /// One gym's job: show, cancel, redial, resolve
    #[command(subcommand)]
    Job(job::Job),
    /// Numbers that are never called: add, import, list, remove, export
    #[command(subcommand)]
    Suppress(suppress::Suppress),
    /// How everything, a campaign or a job stands
    Status(status::Status),
    /// A campaign's answers, and what changed in them
    Results(results::Results),
    /// What happens, as it happens
    Events(events::Events),
    /// Where events are sent to: add, list, remove
    #[command(subcommand)]
    Webhook(webhook::Webhook),
}

/// Why a command did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server or the worker did not start.
    #[error(transparent)]
    Start(#[from] crate::app::StartError),
    /// The local Twilio did not start.
    #[error("the local Twilio: {0}")]
    Simulator(String),
    /// No server answers.
    #[error("no server answers at {url}: {why}. Start one with `gymcall serve`, or set GYMCALL_URL")]
    Unreachable {
        /// Where it was expected.
        url: String,
        /// What happened.
        why: String,
    },
    /// What answers is not gymcall.
    #[error("{url} did not answer as gymcall does ({status}): is GYMCALL_URL right?")]
    Foreign {
        /// Where gymcall was expected.
        url: String,
        /// The status of the answer.
        status: reqwest::StatusCode,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(String),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// How a command ended that did what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All went well.
    Well,
    /// Done, but not all went well.
    Partly,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CliError::Other(format!("no runtime: {error}"))),
    };
    match runtime.block_on(run(cli)) {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Partly) => ExitCode::from(4),
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    // Whoever read it, such as `head`, has all that was wanted.
    if matches!(error, CliError::File { error, .. } if error.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    anstream::eprintln!("{}error:{} {error}", table::RED, table::RESET);
    match error {
        CliError::Unreachable { .. } => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    }
}

async fn run(cli: Cli) -> Result<Done, CliError> {
    let json = cli.json;
    match cli.command {
        Command::Demo(demo) => demo.run(json).await,
        Command::Serve(serve) => serve.run().await,
        Command::Worker(worker) => worker.run().await,
        Command::Simulator(simulator) => simulator.run().await,
        Command::Doctor(doctor) => doctor.run(json).await,
        Command::Call(call) => call.run(&client()?, json).await,
        Command::Template(template) => template.run(&client()?).await,
        Command::Import(import) => import.run(&client()?, json).await,
        Command::Campaign(campaign) => campaign.run(&client()?, json).await,
        Command::Job(job) => job.run(&client()?, json).await,
        Command::Suppress(suppress) => suppress.run(&client()?, json).await,
        Command::Status(status) => status.run(&client()?, json).await,
        Command::Results(results) => results.run(&client()?, json).await,
        Command::Events(events) => events.run(&client()?, json).await,
        Command::Webhook(webhook) => webhook.run(&client()?, json).await,
    }
}

fn client() -> Result<client::Client, CliError> {
    let sources = Sources::read(Flags::default())?;
    let url = sources.get("GYMCALL_URL").unwrap_or("http://127.0.0.1:8000");
    client::Client::new(url, sources.get("GYMCALL_API_KEY"))
}

/// Starts the log, on standard error: `LOG_LEVEL` is a level or a filter such as `gymcall=debug,warn`.
fn start_log(level: &str) -> Result<(), CliError> {
    use std::io::IsTerminal;
    let invalid = |why: String| CliError::Other(format!("LOG_LEVEL={level:?}: {why}"));
    // A filter takes any word for the name of a module, and would then log nothing at all.
    if !level.contains(['=', ',']) && level.parse::<tracing_subscriber::filter::LevelFilter>().is_err() {
        return Err(invalid(
            "neither off, error, warn, info, debug or trace nor a filter such as gymcall=debug,warn".to_owned(),
        ));
    }
    let filter = tracing_subscriber::EnvFilter::try_new(level).map_err(|error| invalid(error.to_string()))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start, as in tests, keeps the first log.
    let _ = log.try_init();
    Ok(())
}

/// Prints a JSON value as a command's whole output.
fn print_json(value: &serde_json::Value) {
    anstream::println!("{value:#}");
}
