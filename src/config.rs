//! Settings: from flags, the environment and `.env`, in this order, read once and checked whole.
//!
//! An empty variable counts as unset. Nothing else in gymcall looks at the environment.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use gymcall_jobs::phone::{PhoneRules, Region, RegionError};
use jiff::SignedDuration;
use secrecy::SecretString;
use url::{Host, Url};

use crate::twilio::signature::{WebhookKeys, WebhookKeysError};

/// The settings as flags. Each has an environment variable of the same name; see the README.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (each also as an environment variable, see the README)")]
pub struct Flags {
    /// How Twilio reaches this server (`PUBLIC_BASE_URL`)
    #[arg(long, value_name = "URL")]
    public_base_url: Option<String>,
    /// Where to listen (`GYMCALL_BIND`)
    #[arg(long, value_name = "ADDR")]
    bind: Option<String>,
    /// Where the embedded store lives (`GYMCALL_DATA_DIR`)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// The Redis that holds the records instead; keep a password in the environment (`REDIS_URL`)
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// Twilio's REST API, or a local one (`TWILIO_API_BASE_URL`)
    #[arg(long, value_name = "URL")]
    twilio_api_base_url: Option<String>,
    /// Calls begun per second (`GYMCALL_CALLS_PER_SECOND`)
    #[arg(long, value_name = "N")]
    calls_per_second: Option<String>,
    /// Calls at once (`GYMCALL_MAX_CONCURRENT_CALLS`)
    #[arg(long, value_name = "N")]
    max_concurrent_calls: Option<String>,
    /// Regions whose numbers may be called (`GYMCALL_ALLOWED_REGIONS`)
    #[arg(long, value_name = "US,CA,…")]
    allowed_regions: Option<String>,
    /// When an unclear call is looked up (`GYMCALL_LOOK_UP_WAITS`)
    #[arg(long, value_name = "60s,2m,…")]
    look_up_waits: Option<String>,
    /// How long placing a call may take (`GYMCALL_DIAL_DEADLINE`)
    #[arg(long, value_name = "10s")]
    dial_deadline: Option<String>,
    /// The voice agent (`VOICE_AGENT`)
    #[arg(long, value_name = "scripted")]
    voice_agent: Option<String>,
}

impl Flags {
    fn get(&self, variable: &str) -> Option<&str> {
        let flag = match variable {
            "PUBLIC_BASE_URL" => &self.public_base_url,
            "GYMCALL_BIND" => &self.bind,
            "GYMCALL_DATA_DIR" => &self.data_dir,
            "REDIS_URL" => &self.redis_url,
            "TWILIO_API_BASE_URL" => &self.twilio_api_base_url,
            "GYMCALL_CALLS_PER_SECOND" => &self.calls_per_second,
            "GYMCALL_MAX_CONCURRENT_CALLS" => &self.max_concurrent_calls,
            "GYMCALL_ALLOWED_REGIONS" => &self.allowed_regions,
            "GYMCALL_LOOK_UP_WAITS" => &self.look_up_waits,
            "GYMCALL_DIAL_DEADLINE" => &self.dial_deadline,
            "VOICE_AGENT" => &self.voice_agent,
            _ => return None,
        };
        filled(flag.as_ref())
    }
}

/// Where values come from: flags first, then the environment, then `.env`. Not for printing: secrets are among them.
#[derive(Clone, Default)]
pub struct Sources {
    flags: Flags,
    environment: HashMap<String, String>,
    file: HashMap<String, String>,
}

impl Sources {
    /// Reads the environment and the `.env` file of the present folder, if there is one.
    pub fn read(flags: Flags) -> Result<Self, ConfigError> {
        let file = match dotenvy::from_filename_iter(".env") {
            Ok(lines) => lines.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?,
            Err(error) if error.not_found() => HashMap::new(),
            Err(error) => return Err(unreadable(&error)),
        };
        Ok(Self { flags, environment: std::env::vars().collect(), file })
    }

    /// Sources with these variables alone.
    pub fn of(variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { environment, ..Self::default() }
    }

    /// The value of a variable; an empty one counts as unset.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.flags
            .get(variable)
            .or_else(|| filled(self.environment.get(variable)))
            .or_else(|| filled(self.file.get(variable)))
    }

    fn parse<T: FromStr>(&self, variable: &'static str, default: T) -> Result<T, ConfigError>
    where
        T::Err: std::fmt::Display,
    {
        match self.get(variable) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|error: T::Err| invalid(variable, text, error)),
        }
    }
}

/// Without the line itself: it may be the one with the token.
fn unreadable(error: &dotenvy::Error) -> ConfigError {
    ConfigError::File(match error {
        dotenvy::Error::LineParse(_, at) => format!("a line is not of the form NAME=value (at character {at} of it)"),
        error => error.to_string(),
    })
}

fn filled(value: Option<&String>) -> Option<&str> {
    value.map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// A setting that cannot be used, in words for whoever set it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `.env` cannot be read.
    #[error(".env cannot be read: {0}")]
    File(String),
    /// A value that means nothing.
    #[error("{variable}={value:?}: {why}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Refused(String),
}

fn invalid(variable: &'static str, value: &str, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::Invalid { variable, value: value.to_owned(), why: why.to_string() }
}

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
    /// How long placing a call may take.
    pub dial_deadline: SignedDuration,
}

/// A Twilio account that calls can be placed with.
#[derive(Debug, Clone)]
pub struct TwilioAccount {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's primary auth token, which also signs its webhooks.
    pub auth_token: SecretString,
    /// The secondary one, while tokens are exchanged: webhooks may be signed with it.
    pub secondary_token: Option<SecretString>,
    /// Keys that webhooks may be signed with instead.
    pub webhook_keys: WebhookKeys,
    /// The number that calls come from, in E.164.
    pub from_number: String,
}

impl TwilioAccount {
    /// Twilio would refuse every call, and the first refusal would pause all dialling: better not to start.
    fn check(&self) -> Result<(), ConfigError> {
        if !is_account_sid(&self.account_sid) {
            let why = "must be AC and 32 hexadecimal digits, as the Twilio console shows it";
            // Not shown: a token that was put here by mistake must not end in a log.
            return Err(invalid("TWILIO_ACCOUNT_SID", "…", why));
        }
        if !is_e164(&self.from_number) {
            return Err(invalid("TWILIO_FROM_NUMBER", &self.from_number, "must be in E.164, such as +12125550100"));
        }
        Ok(())
    }
}

/// The variables without which nothing can be called.
const CREDENTIALS: [&str; 3] = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER"];

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
            twilio: twilio_account(sources)?,
            twilio_api_base_url: base_url(
                "TWILIO_API_BASE_URL",
                sources.get("TWILIO_API_BASE_URL").unwrap_or("https://api.twilio.com"),
            )?,
            validate_signature: sources.parse("TWILIO_VALIDATE_SIGNATURE", true)?,
            calls_per_second: sources.parse("GYMCALL_CALLS_PER_SECOND", 1.0)?,
            max_concurrent_calls: sources.parse("GYMCALL_MAX_CONCURRENT_CALLS", 10)?,
            phone_rules: regions(sources.get("GYMCALL_ALLOWED_REGIONS").unwrap_or("US"))?,
            look_up_waits: waits(sources.get("GYMCALL_LOOK_UP_WAITS").unwrap_or("60s,2m,10m,60m"))?,
            dial_deadline: duration("GYMCALL_DIAL_DEADLINE", sources.get("GYMCALL_DIAL_DEADLINE").unwrap_or("10s"))?,
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
        // Tones on a real phone line would be noise in somebody's ear, and the agent would hear nothing.
        if self.twilio.is_some() && !is_loopback(&self.twilio_api_base_url) {
            return refused(
                "TWILIO_API_BASE_URL is not a loopback address, and this version speaks in tones, which only the local \
                 simulator understands: point it at `gymcall simulator` (calls to people come with a later version)",
            );
        }
        Ok(())
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

/// The message for a call that cannot be placed for want of credentials.
pub fn missing_credentials(sources: &Sources) -> String {
    let missing: Vec<&str> = CREDENTIALS.into_iter().filter(|name| sources.get(name).is_none()).collect();
    let missing = if missing.is_empty() { CREDENTIALS.to_vec() } else { missing };
    format!("Twilio credentials not configured. Set {}.", missing.join(", "))
}

fn twilio_account(sources: &Sources) -> Result<Option<TwilioAccount>, ConfigError> {
    let keys = sources.get("TWILIO_WEBHOOK_KEYS").unwrap_or_default();
    // Without the value: it is made of secrets.
    let webhook_keys = keys.parse().map_err(|why: WebhookKeysError| invalid("TWILIO_WEBHOOK_KEYS", "…", why))?;
    let [Some(sid), Some(token), Some(from)] = CREDENTIALS.map(|name| sources.get(name)) else { return Ok(None) };
    Ok(Some(TwilioAccount {
        account_sid: sid.to_owned(),
        auth_token: token.into(),
        secondary_token: sources.get("TWILIO_AUTH_TOKEN_SECONDARY").map(SecretString::from),
        webhook_keys,
        from_number: from.to_owned(),
    }))
}

fn is_account_sid(sid: &str) -> bool {
    let digits = sid.strip_prefix("AC").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether this can be a caller's number: Twilio refuses every call from another, and compares it letter by letter.
fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// Whether a URL's host is this machine and nothing else.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn base_url(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| invalid(variable, text, error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(invalid(variable, text, "must be an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(variable, "…", "must not have a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid(variable, text, "must not have a query or a fragment"));
    }
    Ok(url)
}

/// The regions allowed; the first is the one that national numbers are read in.
fn regions(text: &str) -> Result<PhoneRules, ConfigError> {
    let refused = |why: String| invalid("GYMCALL_ALLOWED_REGIONS", text, why);
    let regions: Vec<Region> = text
        .split(',')
        .map(str::trim)
        .filter(|region| !region.is_empty())
        .map(|region| region.parse().map_err(|error: RegionError| refused(error.to_string())))
        .collect::<Result<_, _>>()?;
    let first = regions.first().copied().ok_or_else(|| refused("at least one region".to_owned()))?;
    Ok(PhoneRules::new(regions, first))
}

fn waits(text: &str) -> Result<Vec<SignedDuration>, ConfigError> {
    let waits: Vec<SignedDuration> =
        text.split(',').map(|wait| duration("GYMCALL_LOOK_UP_WAITS", wait.trim())).collect::<Result<_, _>>()?;
    if !waits.is_sorted() {
        return Err(invalid(
            "GYMCALL_LOOK_UP_WAITS",
            text,
            "the waits are counted from the request: each must be later than the one before",
        ));
    }
    Ok(waits)
}

fn duration(variable: &'static str, text: &str) -> Result<SignedDuration, ConfigError> {
    let duration: SignedDuration =
        text.parse().map_err(|_| invalid(variable, text, "not a duration such as 500ms, 10s or 2m"))?;
    if duration <= SignedDuration::ZERO || duration > SignedDuration::from_hours(24) {
        return Err(invalid(variable, text, "must be more than nothing and at most a day"));
    }
    Ok(duration)
}
