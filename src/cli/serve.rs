//! `gymcall serve`

use clap::Args;

use super::{CliError, Done, start_log};
use crate::app::{self, Role, Running, StartError};
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
        run(app::start(&settings, missing_credentials(&sources), role)).await
    }
}

/// Starts a process and lets it work until it is told to stop.
pub(super) async fn run(starting: impl Future<Output = Result<Running, StartError>>) -> Result<Done, CliError> {
    let told = told_to_stop();
    let mut running = starting.await?;
    tokio::select! {
        () = told => {}
        // Better gone than there and idle: whoever started it starts it again.
        () = running.broken() => return Err(CliError::Other("a part of it ended by itself: see the log".to_owned())),
    }
    tracing::info!("stopping: nothing new is dialled, live conversations finish");
    running.stop().await;
    Ok(Done::Well)
}

/// Waits for Ctrl-C or SIGTERM. They are listened for from the call on, not from the first look: one that comes
/// while the process still starts would otherwise end it at once.
pub(super) fn told_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async move {
        let [terminate, interrupt] = signals.map(async |signal| match signal {
            Ok(mut signal) => drop(signal.recv().await),
            // The system has no place for it: then it ends the process as it always did.
            Err(_) => std::future::pending().await,
        });
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}
