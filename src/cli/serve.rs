//! `gymcall serve`

use clap::Args;

use super::{CliError, Done, start_log};
use crate::app;
use crate::config::{Flags, Settings, Sources, missing_credentials};

/// The server, and a worker unless told otherwise.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Serve only: dial nothing here
    #[arg(long)]
    no_worker: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(super) async fn run(self) -> Result<Done, CliError> {
        let sources = Sources::read(self.flags)?;
        start_log(sources.get("LOG_LEVEL").unwrap_or("info"))?;
        let settings = Settings::from_sources(&sources)?;
        if settings.twilio.is_none() {
            tracing::warn!("{} Until then nothing is dialled", missing_credentials(&sources));
        }
        let mut running = app::start(&settings, missing_credentials(&sources), !self.no_worker).await?;
        tokio::select! {
            () = told_to_stop() => {}
            // Better gone than there and idle: whoever started it starts it again.
            () = running.broken() => return Err(CliError::Other("a part of the server ended by itself: see the log".to_owned())),
        }
        tracing::info!("stopping: nothing new is dialled, live conversations finish");
        running.stop().await;
        Ok(Done::Well)
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
