//! Settings: from flags, the environment and `.env`, in this order, read once and checked whole.
//!
//! An empty variable counts as unset. Nothing else in gymcall looks at the environment.

mod account;
mod error;
mod sources;
mod speech;
#[cfg(test)]
mod tests;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gymcall_jobs::phone::PhoneRules;
use gymcall_jobs::rules::Recording;
use gymcall_jobs::spend::Amount;
use jiff::SignedDuration;
use secrecy::SecretString;
use url::Url;

pub use account::{TwilioAccount, missing_credentials};
pub use error::ConfigError;
pub use sources::{Flags, Sources};
pub use speech::Speech;
pub use value::is_loopback;
use value::{base_url, duration, regions, waits};

/// Everything that `gymcall serve` and `gymcall worker` can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How Twilio reaches this server. None: `http://localhost:` and the port that is listened on.
    pub public_base_url: Option<Url>,
    /// Where to listen.
    pub bind: SocketAddr,
    /// The key of the HTTP interface.
    pub api_key: Option<SecretString>,
    /// Where the embedded store lives.
    pub data_dir: PathBuf,
    /// The Redis that holds the records instead of the embedded store, where one is named. Its password may
    /// be part of it.
    pub redis_url: Option<SecretString>,
    /// Whether to work on a Redis that may lose what it has confirmed. A flag only, so that nobody has it by accident.
    pub accept_weak_durability: bool,
    /// The Twilio account, if it is configured whole.
    pub twilio: Option<TwilioAccount>,
    /// Twilio's REST API.
    pub twilio_api_base_url: Url,
    /// Whether webhooks must be signed.
    pub validate_signature: bool,
    /// Calls begun per second.
    pub calls_per_second: f64,
    /// Calls at once.
    pub max_concurrent_calls: u32,
    /// Which numbers may be called.
    pub phone_rules: PhoneRules,
    /// When an unclear call is looked up, counted from its request.
    pub look_up_waits: Vec<SignedDuration>,
    /// When Twilio is asked what a call cost, counted from its end.
    pub price_waits: Vec<SignedDuration>,
    /// When an event that a webhook's endpoint did not take is delivered again, counted from the first try.
    pub webhook_waits: Vec<SignedDuration>,
    /// What a begun minute of a call costs, until Twilio has named a call's price.
    pub price_per_minute: Amount,
    /// How long placing a call may take.
    pub dial_deadline: SignedDuration,
    /// What speaks and listens.
    pub speech: Speech,
    /// Whether Twilio listens for answering machines, beside the call and without a wait.
    pub machine_detection: bool,
    /// Whether calls are recorded, where their campaign does not say.
    pub recording: Recording,
}

impl Settings {
    /// Reads and checks all settings, for a process that serves.
    pub fn from_sources(sources: &Sources) -> Result<Self, ConfigError> {
        let settings = Self::read(sources)?;
        settings.check(sources)?;
        settings.check_reachable()?;
        Ok(settings)
    }

    /// Reads and checks all settings, for a process that only dials: nobody can reach it, so it needs no key,
    /// but it must share its records with those who can.
    pub fn for_worker(sources: &Sources) -> Result<Self, ConfigError> {
        let settings = Self::read(sources)?;
        settings.check(sources)?;
        if settings.redis_url.is_none() {
            return Err(ConfigError::Refused(
                "REDIS_URL is not set, and a worker alone shares its records with servers through Redis: set it to \
                 the servers' Redis, or run `gymcall serve`, which has a worker in it"
                    .to_owned(),
            ));
        }
        if settings.public_base_url.is_none() && settings.bind.port() == 0 {
            let why = "PUBLIC_BASE_URL is not set: a worker tells Twilio to call the servers back there";
            return Err(ConfigError::Refused(why.to_owned()));
        }
        if settings.twilio.is_none() {
            let missing = missing_credentials(sources);
            return Err(ConfigError::Refused(format!("{missing} A worker has nothing to do without them")));
        }
        Ok(settings)
    }

    fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let api = sources.get("TWILIO_API_BASE_URL").unwrap_or("https://api.twilio.com");
        let twilio_api_base_url = base_url("TWILIO_API_BASE_URL", api)?;
        let speech = Speech::read(sources, is_loopback(&twilio_api_base_url))?;
        Ok(Self {
            public_base_url: sources
                .get("PUBLIC_BASE_URL")
                .map(|text| base_url("PUBLIC_BASE_URL", text))
                .transpose()?,
            bind: sources.parse("GYMCALL_BIND", SocketAddr::from(([127, 0, 0, 1], 8000)))?,
            api_key: sources.get("GYMCALL_API_KEY").map(SecretString::from),
            data_dir: sources.get("GYMCALL_DATA_DIR").unwrap_or("gymcall-data").into(),
            redis_url: sources.get("REDIS_URL").map(SecretString::from),
            accept_weak_durability: false,
            twilio: TwilioAccount::read(sources)?,
            twilio_api_base_url,
            validate_signature: sources.parse("TWILIO_VALIDATE_SIGNATURE", true)?,
            calls_per_second: sources.parse("GYMCALL_CALLS_PER_SECOND", 1.0)?,
            max_concurrent_calls: sources.parse("GYMCALL_MAX_CONCURRENT_CALLS", 10)?,
            phone_rules: regions(sources.get("GYMCALL_ALLOWED_REGIONS").unwrap_or("US"))?,
            look_up_waits: waits(sources, "GYMCALL_LOOK_UP_WAITS", "60s,2m,10m,60m", "request")?,
            price_waits: waits(sources, "GYMCALL_PRICE_WAITS", "1m,10m,1h,6h,24h", "end of the call")?,
            webhook_waits: waits(sources, "GYMCALL_WEBHOOK_WAITS", "5s,30s,2m,10m,1h,6h,24h", "first try")?,
            price_per_minute: sources.parse("GYMCALL_PRICE_PER_MINUTE", Amount::from_micros(14_000))?,
            dial_deadline: duration("GYMCALL_DIAL_DEADLINE", sources.get("GYMCALL_DIAL_DEADLINE").unwrap_or("10s"))?,
            // A conversation over a stream hears machines itself.
            machine_detection: sources.parse("GYMCALL_MACHINE_DETECTION", matches!(speech, Speech::Twilio(_)))?,
            recording: sources.parse("GYMCALL_RECORDING", Recording::Off)?,
            speech,
        })
    }

    fn check(&self, sources: &Sources) -> Result<(), ConfigError> {
        let refused = |why: &str| Err(ConfigError::Refused(why.to_owned()));
        if !(self.calls_per_second.is_finite() && self.calls_per_second > 0.0 && self.calls_per_second <= 1000.0) {
            return refused("GYMCALL_CALLS_PER_SECOND must be more than 0 and at most 1000");
        }
        if self.dial_deadline < SignedDuration::from_secs(1) {
            return refused(
                "GYMCALL_DIAL_DEADLINE must be at least 1s: a request that has less time is unclear more often than not",
            );
        }
        if self.price_per_minute == Amount::ZERO || self.price_per_minute > Amount::from_micros(100_000_000) {
            return refused("GYMCALL_PRICE_PER_MINUTE must be more than 0 and at most 100");
        }
        if self.max_concurrent_calls == 0 {
            return refused("GYMCALL_MAX_CONCURRENT_CALLS must be at least 1");
        }
        if let Some(agent) = sources.get("VOICE_AGENT")
            && agent != "scripted"
        {
            return refused("VOICE_AGENT: only `scripted` is there in this version");
        }
        if let Some(account) = &self.twilio {
            account.check()?;
        }
        if self.twilio.is_some() && !is_loopback(&self.twilio_api_base_url) {
            self.check_real_calls()?;
        }
        Ok(())
    }

    /// What must hold where people are called.
    fn check_real_calls(&self) -> Result<(), ConfigError> {
        let refused = |why: &str| Err(ConfigError::Refused(why.to_owned()));
        if self.speech == Speech::Tones {
            // On a real phone line tones would be noise in somebody's ear, and the agent would hear nothing.
            return refused(
                "GYMCALL_SPEECH=tones, and TWILIO_API_BASE_URL is not a loopback address: only the local simulator \
                 understands tones. Unset GYMCALL_SPEECH, or point TWILIO_API_BASE_URL at `gymcall simulator`",
            );
        }
        match &self.public_base_url {
            Some(url) if url.scheme() == "https" && !is_loopback(url) => Ok(()),
            // Over plain http everybody on the way could read what is said, and the secrets in the URLs.
            _ => refused(
                "PUBLIC_BASE_URL must be an https URL that is not on a loopback address when calling through Twilio \
                 (TWILIO_API_BASE_URL is not on one): Twilio asks this server there what to say. A tunnel to this \
                 machine has such a URL",
            ),
        }
    }

    /// Whether whoever can reach this server may do so.
    fn check_reachable(&self) -> Result<(), ConfigError> {
        let refused = |why: &str| Err(ConfigError::Refused(why.to_owned()));
        if !self.is_local() && self.api_key.is_none() {
            return refused(
                "GYMCALL_API_KEY must be set, because GYMCALL_BIND or PUBLIC_BASE_URL is not on a loopback address: \
                 anybody who can reach this server could place calls",
            );
        }
        if !self.is_local() && !self.validate_signature {
            return refused(
                "TWILIO_VALIDATE_SIGNATURE cannot be false unless GYMCALL_BIND and PUBLIC_BASE_URL are both on loopback \
                 addresses: anybody could forge Twilio's webhooks",
            );
        }
        Ok(())
    }

    /// Whether only this machine can reach the server, by its address and by its public name.
    pub fn is_local(&self) -> bool {
        self.bind.ip().is_loopback() && self.public_base_url.as_ref().is_none_or(is_loopback)
    }

    /// How long one HTTP request to Twilio may take.
    pub fn http_timeout(&self) -> Duration {
        let deadline = Duration::try_from(self.dial_deadline).unwrap_or(Duration::from_secs(8));
        deadline.min(Duration::from_secs(8))
    }
}
