//! What a client ordered when it created a call.

mod detection;
mod digits;

use std::time::Duration;

use crate::recording::Plan;
use crate::status::Subscription;

pub(crate) use detection::{Detection, DetectionMode, Telling};
pub(crate) use digits::{Press, SendDigits};

/// A valid request to create a call.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) source: Source,
    pub(crate) fallback: Option<Fetch>,
    pub(crate) callbacks: Callbacks,
    /// How long it rings at most.
    pub(crate) ring: Duration,
    /// How long it is talked at most.
    pub(crate) talk: Duration,
    /// Pressed as soon as it is picked up, before anything else.
    pub(crate) send_digits: Option<SendDigits>,
    /// Who has picked up is to be found out. Never together with `send_digits`.
    pub(crate) detection: Option<Detection>,
    /// The call is recorded from the moment it is picked up.
    pub(crate) record: Option<Plan>,
}

/// Where the first TwiML comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Fetched(Fetch),
    Inline(String),
}

/// A webhook that answers with TwiML.
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    pub(crate) url: String,
    pub(crate) method: Method,
}

/// Where and of what a call tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) to: Option<Fetch>,
    pub(crate) events: Vec<Subscription>,
}

/// How a webhook is requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    #[default]
    Post,
}

impl Method {
    /// Reads `GET` or `POST`, whatever the case.
    pub(crate) fn parse(word: &str) -> Option<Method> {
        match word.to_ascii_uppercase().as_str() {
            "GET" => Some(Method::Get),
            "POST" => Some(Method::Post),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}
