//! `gymcall worker`

use clap::Args;

use super::{CliError, Done, serve, start_log};
use crate::app::{self, Role};
use crate::config::{Flags, Settings, Sources, missing_credentials};

/// A worker alone. It dials what is due in the Redis that it shares with the servers; Twilio calls those back.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// Work also on a Redis that may lose what it has confirmed
    #[arg(long)]
    accept_weak_durability: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Worker {
    pub(super) async fn run(self) -> Result<Done, CliError> {
        let sources = Sources::read(self.flags)?;
        start_log(sources.get("LOG_LEVEL").unwrap_or("info"))?;
        let mut settings = Settings::for_worker(&sources)?;
        settings.accept_weak_durability = self.accept_weak_durability;
        serve::run(app::start(&settings, missing_credentials(&sources), Role::Dial)).await
    }
}
