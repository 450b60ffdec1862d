//! Where settings come from: flags, the environment and `.env`.

use std::collections::HashMap;
use std::str::FromStr;

use clap::Args;

use super::error::{ConfigError, invalid};

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
    /// What speaks and listens (`GYMCALL_SPEECH`)
    #[arg(long, value_name = "twilio|tones")]
    speech: Option<String>,
    /// Twilio's name of the voice (`GYMCALL_VOICE`)
    #[arg(long, value_name = "Polly.Joanna-Neural")]
    voice: Option<String>,
    /// The English that is spoken and heard, such as en-GB (`GYMCALL_LANGUAGE`)
    #[arg(long, value_name = "en-US")]
    language: Option<String>,
    /// Whether Twilio listens for answering machines (`GYMCALL_MACHINE_DETECTION`)
    #[arg(long, value_name = "true|false")]
    machine_detection: Option<String>,
    /// Whether calls are recorded, where their campaign does not say (`GYMCALL_RECORDING`)
    #[arg(long, value_name = "off|announce_always")]
    recording: Option<String>,
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
            "GYMCALL_SPEECH" => &self.speech,
            "GYMCALL_VOICE" => &self.voice,
            "GYMCALL_LANGUAGE" => &self.language,
            "GYMCALL_MACHINE_DETECTION" => &self.machine_detection,
            "GYMCALL_RECORDING" => &self.recording,
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

    pub(super) fn parse<T: FromStr>(&self, variable: &'static str, default: T) -> Result<T, ConfigError>
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
