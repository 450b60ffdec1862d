//! The account: which numbers, keys and applications it has, and what it may do.

pub(crate) mod country;
pub(crate) mod pace;
mod standing;

use std::time::Duration;

use serde::Deserialize;

use country::Country;
pub use standing::{Standing, Trial};

/// Twilio cancels a call that it could not dial within a day.
const LONGEST_QUEUE: Duration = Duration::from_secs(24 * 3600);

/// What an account has besides its SID and token. The default has nothing listed and may do everything: any
/// number is taken for its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// What it is called.
    pub name: String,
    /// Whether it may place calls at all.
    pub standing: Standing,
    /// Its money, in US dollars.
    pub balance: f64,
    /// Numbers it owns, in E.164. If this and `verified` are empty, every valid number may call.
    pub numbers: Vec<String>,
    /// Numbers it does not own but has proved to be its holder's: they may call too.
    pub verified: Vec<String>,
    /// ISO codes of the countries it may call; none listed means all.
    pub countries: Vec<String>,
    /// A second token that opens the REST API, as during a rotation.
    pub secondary_token: Option<String>,
    /// Keys that open the REST API besides the account's tokens.
    #[serde(rename = "api_key")]
    pub api_keys: Vec<ApiKey>,
    /// TwiML applications: URLs under one SID.
    #[serde(rename = "application")]
    pub applications: Vec<Application>,
    /// Credentials with which nothing is really done.
    pub test: Option<TestCredentials>,
    /// Its limits if it is a trial account.
    pub trial: Option<Trial>,
    /// Calls that may be dialled, ring or be talked at one time; a further one fails with 10004.
    pub max_live_calls: Option<usize>,
    /// Requests to the REST API that may be open at one time; a further one is refused with 20429.
    pub max_requests: Option<usize>,
    /// Seconds from the end of a call until its price is known.
    pub price_after_s: f64,
    /// Calls that have been queued for so many seconds are cancelled.
    pub longest_queue_s: f64,
}

impl Default for Account {
    fn default() -> Account {
        Account {
            name: "A Twilio on this machine".to_owned(),
            standing: Standing::Active,
            balance: 20.0,
            numbers: Vec::new(),
            verified: Vec::new(),
            countries: Vec::new(),
            secondary_token: None,
            api_keys: Vec::new(),
            applications: Vec::new(),
            test: None,
            trial: None,
            max_live_calls: None,
            max_requests: None,
            price_after_s: 0.0,
            longest_queue_s: LONGEST_QUEUE.as_secs_f64(),
        }
    }
}

/// URLs that `ApplicationSid` stands for. Methods are `POST` unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// `AP` and 32 hexadecimal digits.
    pub sid: String,
    /// Where the TwiML comes from.
    pub voice_url: String,
    /// `GET` or `POST`.
    pub voice_method: Option<String>,
    /// Asked when `voice_url` gives no TwiML.
    pub voice_fallback_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_fallback_method: Option<String>,
    /// Told of the call's end.
    pub status_callback: Option<String>,
    /// `GET` or `POST`.
    pub status_callback_method: Option<String>,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// `SK` and 32 hexadecimal digits: the user name.
    pub sid: String,
    /// The password.
    pub secret: String,
}

/// A second SID and token: orders are checked as if they were real, and then forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCredentials {
    /// `AC` and 32 hexadecimal digits.
    pub sid: String,
    /// Its password.
    pub token: String,
}

/// A TOML text that is not an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// It does not follow the format.
    #[error("the account cannot be read: {0}")]
    Format(#[from] toml::de::Error),
    /// A SID has not its shape.
    #[error("{sid:?} is no SID: that is {prefix} and 32 hexadecimal digits")]
    Sid {
        /// What was given.
        sid: String,
        /// How it should begin.
        prefix: &'static str,
    },
    /// A country is not among those that are known here.
    #[error("{0:?} is no country that is known here: see countries.toml")]
    Country(String),
    /// A length of time is not one.
    #[error("{0} must be a number of seconds, at least 0")]
    Seconds(&'static str),
}

impl Account {
    /// Reads an account from TOML; `docs/simulator.md` has the format.
    pub fn from_toml(text: &str) -> Result<Account, AccountError> {
        let account: Account = toml::from_str(text)?;
        let keys = account.api_keys.iter().map(|key| ("SK", &key.sid));
        let applications = account.applications.iter().map(|application| ("AP", &application.sid));
        let test = account.test.iter().map(|test| ("AC", &test.sid));
        for (prefix, sid) in keys.chain(applications).chain(test) {
            let digits = sid.strip_prefix(prefix).unwrap_or_default();
            if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(AccountError::Sid { sid: sid.clone(), prefix });
            }
        }
        if let Some(unknown) = account.countries.iter().find(|iso| Country::of_iso(iso).is_none()) {
            return Err(AccountError::Country(unknown.clone()));
        }
        for (name, seconds) in [("longest_queue_s", account.longest_queue_s), ("price_after_s", account.price_after_s)]
        {
            if Duration::try_from_secs_f64(seconds).is_err() {
                return Err(AccountError::Seconds(name));
            }
        }
        Ok(account)
    }

    /// Whether calls may come from `number`.
    pub(crate) fn may_call_from(&self, number: &str) -> bool {
        let lists_none = self.numbers.is_empty() && self.verified.is_empty();
        lists_none || self.has(number)
    }

    /// Whether it has permission for the country of `number`.
    pub(crate) fn may_call_to(&self, number: &str) -> bool {
        self.countries.is_empty() || Country::of_number(number).is_some_and(|country| self.may_call(country))
    }

    pub(crate) fn may_call(&self, country: &Country) -> bool {
        self.countries.is_empty() || self.countries.iter().any(|iso| iso.eq_ignore_ascii_case(&country.iso))
    }

    /// Whether `number` is owned or verified.
    pub(crate) fn has(&self, number: &str) -> bool {
        self.numbers.iter().chain(&self.verified).any(|own| own == number)
    }

    /// The application `sid`.
    pub(crate) fn application(&self, sid: &str) -> Option<&Application> {
        self.applications.iter().find(|application| application.sid == sid)
    }

    /// How long a call may be talked; no limit but the order's if it is no trial account.
    pub(crate) fn longest_call(&self) -> Option<Duration> {
        self.trial.as_ref().map(|trial| Duration::from_secs(trial.longest_call_s))
    }

    /// How long a call may be queued. Longer than can be counted is a day, as at Twilio.
    pub(crate) fn longest_queue(&self) -> Duration {
        Duration::try_from_secs_f64(self.longest_queue_s).unwrap_or(LONGEST_QUEUE).min(LONGEST_QUEUE)
    }

    /// How many calls may be live at one time.
    pub(crate) fn most_live_calls(&self) -> Option<usize> {
        let of_trial = self.trial.as_ref().map(|trial| trial.max_live_calls);
        self.max_live_calls.into_iter().chain(of_trial).min()
    }
}
