//! `gymcall serve`

use clap::Args;

use super::{CliError, Done, start_log};
use crate::app::{self, Role, Running};
use crate::config::{Flags, Settings, Sources, missing_credentials};

/// The server, and a worker unless told otherwise.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Serve only: dial nothing here
    #[arg(long)]
    no_worker: bool,
    /// Work also on a Redis that may lose what it has confirmed
    #[arg(long)]
    accept_weak_durability: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(super) async fn run(self) -> Result<Done, CliError> {
        let sources = Sources::read(self.flags)?;
        start_log(sources.get("LOG_LEVEL").unwrap_or("info"))?;
        let mut settings = Settings::from_sources(&sources)?;
        settings.accept_weak_durability = self.accept_weak_durability;
        if settings.twilio.is_none() {
            tracing::warn!("{} Until then nothing is dialled", missing_credentials(&sources));
        }
        let role = if self.no_worker { Role::Serve } else { Role::ServeAndDial };
        run(app::start(&settings, missing_credentials(&sources), role).await?).await
    }
}

/// Lets a process work until it is told to stop.
pub(super) async fn run(mut running: Running) -> Result<Done, CliError> {
    tokio::select! {
        () = told_to_stop() => {}
        // Better gone than there and idle: whoever started it starts it again.
        () = running.broken() => return Err(CliError::Other("a part of it ended by itself: see the log".to_owned())),
    }
    tracing::info!("stopping: nothing new is dialled, live conversations finish");
    running.stop().await;
    Ok(Done::Well)
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
