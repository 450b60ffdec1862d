//! Why Twilio certainly made no call, and what that means for the job.

/// A reason for which certainly no call exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No byte of the request left: the connection failed, or the dial deadline had passed.
    #[error("the request was not sent: {why}")]
    NotSent {
        /// What stopped it.
        why: String,
    },
    /// Twilio was asked too often (429, 20429, 10004). It did nothing with the request.
    #[error("Twilio is throttling requests")]
    Throttled,
    /// This number cannot be called by this account; others can.
    #[error("Twilio refuses this number ({code}): {message}")]
    BadNumber {
        /// Twilio's error code.
        code: u32,
        /// Twilio's words.
        message: String,
    },
    /// Twilio does not accept the account or its token; it would refuse every call.
    #[error("Twilio refuses the credentials ({code}): {message}")]
    BadCredentials {
        /// Twilio's error code.
        code: u32,
        /// Twilio's words.
        message: String,
    },
    /// A setting of ours is wrong, such as the caller's number; it would hit every call.
    #[error("Twilio refuses our settings ({code}): {message}")]
    Misconfigured {
        /// Twilio's error code.
        code: u32,
        /// Twilio's words.
        message: String,
    },
    /// Twilio refused for a reason that we do not know.
    #[error("Twilio refused with {http} ({code}): {message}")]
    Other {
        /// Twilio's error code.
        code: u32,
        /// Twilio's words.
        message: String,
        /// The HTTP status.
        http: u16,
    },
}

/// What a [`Refusal`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong with the job; it waits and is tried again, and this was no attempt.
    TryAgain,
    /// Trying this number again gives the same answer.
    GiveUpNumber,
    /// Every call would be refused: pause all dialling until a person has looked.
    PauseEverything,
}

impl Refusal {
    /// Sorts an error that Twilio itself wrote, by its code and then by the HTTP status.
    pub(super) fn from_twilio(code: u32, message: String, http: u16) -> Self {
        match code {
            20429 | 10004 => Self::Throttled,
            // No To; the account may not call that country (21203, 21215, 13227); not a
            // number (21211, 21217, 13223, 13224, 13226); cannot be reached (21214);
            // blocked (21216, 13225, 32203); not verified on a trial account (21219).
            21201 | 21203 | 21211 | 21214..=21217 | 21219 | 13223..=13227 | 32203 => Self::BadNumber { code, message },
            // Wrong token, account suspended or without funds, forbidden.
            20003 | 20005 | 10001 | 20403 => Self::BadCredentials { code, message },
            // Wrong method, test credentials, no such account (404), trial feature; then
            // Url, SendDigits, Timeout, Method, caller's number, application, SIP and
            // machine detection.
            20004
            | 20008
            | 20404
            | 10002
            | 21205..=21210
            | 21212
            | 21213
            | 21218
            | 21221
            | 21223
            | 21224
            | 21262
            | 21263 => Self::Misconfigured { code, message },
            _ if matches!(http, 401 | 403) => Self::BadCredentials { code, message },
            _ => Self::Other { code, message, http },
        }
    }

    /// What a person can do about it, where Twilio's own words do not say.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BadCredentials { code: 20003, .. } => {
                "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN as Twilio's console shows them. If the secondary token was \
                 promoted, it is the primary one now and belongs into TWILIO_AUTH_TOKEN"
            }
            Self::BadCredentials { code: 20005 | 10001, .. } => {
                "The account is not active: look at it in Twilio's console"
            }
            Self::BadNumber { code: 21219, .. } => {
                "A trial account calls verified numbers only: verify this one in Twilio's console, or upgrade the account"
            }
            Self::BadNumber { code: 21203 | 21215 | 13227, .. } => {
                "Allow calls to this country under Voice, Geo permissions, in Twilio's console"
            }
            Self::Misconfigured { code: 21210 | 21212 | 21213, .. } => {
                "Set TWILIO_FROM_NUMBER to a number of this account, or to a verified caller id"
            }
            _ => "See https://www.twilio.com/docs/api/errors",
        }
    }

    /// What to do now.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::NotSent { .. } | Self::Throttled => Verdict::TryAgain,
            // An unknown reason ends this job alone. To try again would ask the same for
            // ever, and to pause would let one odd number stop a whole campaign.
            Self::BadNumber { .. } | Self::Other { .. } => Verdict::GiveUpNumber,
            Self::BadCredentials { .. } | Self::Misconfigured { .. } => Verdict::PauseEverything,
        }
    }
}
