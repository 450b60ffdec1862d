//! What happens to one request to create a call, and to its call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::line::Condition;
use crate::signature::Signing;

/// The fate of one request to create a call. By default it is answered, and its call is told of, as
/// it should be. In a file of faults and in the log only what differs is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fate {
    /// Every callback is delivered twice.
    #[serde(skip_serializing_if = "is_usual")]
    pub twice: bool,
    /// Every callback is held back so many milliseconds.
    #[serde(skip_serializing_if = "is_usual")]
    pub late_ms: u64,
    /// Callbacks change places in pairs.
    #[serde(skip_serializing_if = "is_usual")]
    pub shuffled: bool,
    /// Which callbacks arrive at all.
    #[serde(skip_serializing_if = "is_usual")]
    pub callbacks: Callbacks,
    /// The reply waits until a webhook of the call has been answered.
    #[serde(skip_serializing_if = "is_usual")]
    pub before_reply: bool,
    /// 429, nothing created.
    #[serde(skip_serializing_if = "is_usual")]
    pub throttle: bool,
    /// 500, nothing created.
    #[serde(skip_serializing_if = "is_usual")]
    pub error_before_create: bool,
    /// 500, although the call exists.
    #[serde(skip_serializing_if = "is_usual")]
    pub error_after_create: bool,
    /// The connection is reset without a reply, nothing created.
    #[serde(skip_serializing_if = "is_usual")]
    pub reset_before_create: bool,
    /// The connection is reset without a reply, although the call exists.
    #[serde(skip_serializing_if = "is_usual")]
    pub reset_after_create: bool,
    /// No reply ever, nothing created; the connection stays open.
    #[serde(skip_serializing_if = "is_usual")]
    pub silence_before_create: bool,
    /// No reply ever, although the call exists; the connection stays open.
    #[serde(skip_serializing_if = "is_usual")]
    pub silence_after_create: bool,
    /// The connection is reset in the middle of the reply.
    #[serde(skip_serializing_if = "is_usual")]
    pub cut_reply: bool,
    /// The reply comes so many milliseconds late; the call exists all the while.
    #[serde(skip_serializing_if = "is_usual")]
    pub create_delay_ms: u64,
    /// The call is listed only so many milliseconds after its creation.
    #[serde(skip_serializing_if = "is_usual")]
    pub list_lag_ms: u64,
    /// A webhook is among the call's events only so many milliseconds after it was made.
    #[serde(skip_serializing_if = "is_usual")]
    pub events_lag_ms: u64,
    /// Every request for TwiML is made twice; the second reply counts.
    #[serde(skip_serializing_if = "is_usual")]
    pub voice_twice: bool,
    /// Every webhook is held back so many milliseconds before it is sent.
    #[serde(skip_serializing_if = "is_usual")]
    pub webhook_delay_ms: u64,
    /// The app's replies are lost: it has done what was asked, and Twilio does not know.
    #[serde(skip_serializing_if = "is_usual")]
    pub webhook_reply_lost: bool,
    /// The call's webhooks and streams are signed wrongly.
    #[serde(skip_serializing_if = "is_usual")]
    pub signature: Option<Forgery>,
    /// What is wrong with the call's line, besides what its callee's data says.
    #[serde(skip_serializing_if = "is_usual")]
    pub line: Condition,
}

/// Which status callbacks of a call arrive; the others are lost on their way to the app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callbacks {
    /// Every one.
    #[default]
    All,
    /// Only that of the call's end.
    Last,
    /// None at all.
    None,
}

/// How a signature is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgery {
    /// It fits nothing.
    Wrong,
    /// There is none.
    Missing,
    /// It was made with a token that is not the account's.
    OtherToken,
}

impl Fate {
    /// Whether a client that waits `patience` for a reply cannot tell from it whether there is a call.
    pub fn is_unclear(&self, patience: Duration) -> bool {
        let refused = self.throttle;
        let broken = self.error_before_create
            || self.error_after_create
            || self.reset_before_create
            || self.reset_after_create
            || self.silence_before_create
            || self.silence_after_create
            || self.cut_reply;
        self.create_delay() >= patience || (broken && !refused)
    }

    /// Lets another rule's faults come on top.
    pub(super) fn add(&mut self, more: &Fate) {
        self.twice |= more.twice;
        self.late_ms = self.late_ms.max(more.late_ms);
        self.shuffled |= more.shuffled;
        self.callbacks = self.callbacks.max(more.callbacks);
        self.before_reply |= more.before_reply;
        self.throttle |= more.throttle;
        self.error_before_create |= more.error_before_create;
        self.error_after_create |= more.error_after_create;
        self.reset_before_create |= more.reset_before_create;
        self.reset_after_create |= more.reset_after_create;
        self.silence_before_create |= more.silence_before_create;
        self.silence_after_create |= more.silence_after_create;
        self.cut_reply |= more.cut_reply;
        self.create_delay_ms = self.create_delay_ms.max(more.create_delay_ms);
        self.list_lag_ms = self.list_lag_ms.max(more.list_lag_ms);
        self.events_lag_ms = self.events_lag_ms.max(more.events_lag_ms);
        self.voice_twice |= more.voice_twice;
        self.webhook_delay_ms = self.webhook_delay_ms.max(more.webhook_delay_ms);
        self.webhook_reply_lost |= more.webhook_reply_lost;
        self.signature = more.signature.or(self.signature);
        self.line.add(&more.line);
    }

    pub(crate) fn create_delay(&self) -> Duration {
        Duration::from_millis(self.create_delay_ms)
    }

    pub(crate) fn webhook_delay(&self) -> Duration {
        Duration::from_millis(self.webhook_delay_ms)
    }

    /// With what the call's requests are signed, if that is wrong.
    pub(crate) fn signing(&self) -> Option<Signing> {
        self.signature.map(|forgery| match forgery {
            Forgery::Wrong => Signing::Wrong,
            Forgery::Missing => Signing::Nothing,
            Forgery::OtherToken => Signing::OtherToken("deadbeefdeadbeefdeadbeefdeadbeef".to_owned()),
        })
    }

    pub(crate) fn late(&self) -> Duration {
        Duration::from_millis(self.late_ms)
    }

    /// Whether a callback, perhaps that of the call's end, is lost on its way.
    pub(crate) fn loses(&self, is_last: bool) -> bool {
        match self.callbacks {
            Callbacks::All => false,
            Callbacks::Last => !is_last,
            Callbacks::None => true,
        }
    }
}

/// Whether a key can be left out where it is written down.
pub(crate) fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
