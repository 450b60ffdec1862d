//! Reading the parameters of a request to create a call, with Twilio's codes for what is wrong.

mod detection;
mod fetch;
mod party;
mod record;
mod source;

use std::time::Duration;

use super::error::Refusal;
use super::form::Form;
use crate::call::{Callbacks, Order, SendDigits};
use crate::recording::Origin;
use crate::settings::Settings;
use crate::status::Subscription;

pub(super) use fetch::fetch;
pub(super) use record::record;
pub(super) use source::inline;

const DEFAULT_RING: Duration = Duration::from_secs(60);
const LONGEST_RING_S: u64 = 600;
const DEFAULT_TALK: Duration = Duration::from_secs(4 * 3600);
const LONGEST_TALK_S: u64 = 24 * 3600;

/// What is odd about an order that is taken all the same.
pub(super) struct Oddity {
    pub(super) code: u32,
    pub(super) message: String,
}

/// By whose terms an order is checked.
#[derive(Clone, Copy)]
pub(super) enum Terms<'a> {
    /// The account's.
    Account(&'a Settings),
    /// Those of its test credentials, which know nothing of the account.
    Test,
}

/// The order in `form`, and what is odd about it.
pub(super) fn read(terms: Terms<'_>, form: &Form) -> Result<(Order, Vec<Oddity>), Refusal> {
    let to = form.get("To").ok_or_else(|| Refusal::bad(21201, "No 'To' number is specified"))?;
    let from = form.get("From").ok_or_else(|| Refusal::bad(21213, "No 'From' number is specified"))?;
    let mut odd = Vec::new();
    let script = source::read(terms, form, &mut odd)?;
    let (to, from) = party::both(terms, to, from)?;
    party::caller_id(terms, form)?;
    party::sip_credentials(form)?;
    let send_digits = send_digits(form)?;
    let detection = detection::read(form, &mut odd)?;
    let order = Order {
        to,
        from,
        source: script.source,
        fallback: script.fallback,
        callbacks: script.callbacks,
        ring: seconds(form, "Timeout", LONGEST_RING_S)?.unwrap_or(DEFAULT_RING),
        talk: time_limit(form)?.unwrap_or(DEFAULT_TALK).min(terms.longest_talk()),
        // Twilio cannot listen for a machine while it presses keys.
        detection: detection.filter(|_| send_digits.is_none()),
        send_digits,
        record: if yes(form, "Record")? { Some(record(form, Origin::OutboundApi)?) } else { None },
    };
    Ok((order, odd))
}

impl Terms<'_> {
    fn longest_talk(self) -> Duration {
        match self {
            Terms::Account(settings) => settings.account.longest_call().unwrap_or(Duration::MAX),
            Terms::Test => Duration::MAX,
        }
    }
}

/// Who is told of the call's progress: the completed call's end, unless it says more.
pub(super) fn callbacks(form: &Form, odd: &mut Vec<Oddity>) -> Result<Callbacks, Refusal> {
    let to = fetch(form, "StatusCallback", "StatusCallbackMethod")?;
    let mut events = Vec::new();
    for word in form.all("StatusCallbackEvent").filter(|word| !word.is_empty()) {
        match Subscription::parse(word) {
            Some(event) => events.push(event),
            None => {
                // Twilio takes the call all the same, and then never calls back: a classic trap.
                let message = format!("{word:?} is no StatusCallbackEvent: there will be no callbacks");
                odd.push(Oddity { code: 21626, message });
                return Ok(Callbacks::default());
            }
        }
    }
    if events.is_empty() {
        events.push(Subscription::Completed);
    }
    Ok(Callbacks { to, events })
}

fn send_digits(form: &Form) -> Result<Option<SendDigits>, Refusal> {
    let read = |text| SendDigits::parse(text).ok_or_else(|| Refusal::bad(21206, format!("Invalid SendDigits: {text}")));
    form.get("SendDigits").map(read).transpose()
}

/// A length of time in whole seconds; longer ones are cut to `most`.
fn seconds(form: &Form, name: &str, most: u64) -> Result<Option<Duration>, Refusal> {
    let invalid = |text: &str| Refusal::bad(21208, format!("Invalid {name}: {text} is not a number of seconds"));
    let read = |text: &str| text.parse::<u64>().map_err(|_| invalid(text));
    let value = form.get(name).map(read).transpose()?;
    Ok(value.map(|value| Duration::from_secs(value.min(most))))
}

/// `TimeLimit`, how long the call may be talked.
pub(super) fn time_limit(form: &Form) -> Result<Option<Duration>, Refusal> {
    seconds(form, "TimeLimit", LONGEST_TALK_S)
}

fn yes(form: &Form, name: &str) -> Result<bool, Refusal> {
    match form.get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Refusal::bad(20001, format!("Invalid {name}: {other} is neither true nor false"))),
    }
}

/// The value of `name` as `parse` reads it.
fn word<T>(form: &Form, name: &str, parse: fn(&str) -> Option<T>, default: T) -> Result<T, Refusal> {
    match form.get(name) {
        Some(text) => parse(text).ok_or_else(|| Refusal::bad(20001, format!("Invalid {name}: {text}"))),
        None => Ok(default),
    }
}
