//! Creating a call: check the order, meet the faults, write the log, then enter the queue.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::time::{sleep, timeout};

use super::error::Refusal;
use super::form::Form;
use super::resource;
use crate::address::Address;
use crate::call::{Call, Callbacks, Fetch, Method, Order, Source};
use crate::exchange::Exchange;
use crate::fault::Fate;
use crate::log::Event;
use crate::sid;
use crate::status::Subscription;
use crate::wire::Cut;

/// Longest that a reply is held for the fault `before_reply`.
const HELD_REPLY: Duration = Duration::from_secs(3);
const DEFAULT_RING_S: u64 = 60;
const DEFAULT_TALK_S: u64 = 4 * 3600;
const LONGEST_TWIML: usize = 4000;

/// How a request is answered.
pub(super) enum Answer {
    Whole(Response),
    /// The reply breaks off, and with it the connection.
    Broken(Response, Cut),
    /// There is no reply, ever.
    Silence,
}

/// How much of a reply its client gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fidelity {
    Whole,
    Broken(Cut),
    Silence,
}

impl Fidelity {
    fn without_call(fate: &Fate) -> Fidelity {
        match fate {
            Fate { throttle: true, .. } => Fidelity::Whole,
            Fate { silence_before_create: true, .. } => Fidelity::Silence,
            Fate { reset_before_create: true, .. } => Fidelity::Broken(Cut::AtOnce),
            _ => Fidelity::Whole,
        }
    }

    fn with_call(fate: &Fate) -> Fidelity {
        match fate {
            Fate { silence_after_create: true, .. } => Fidelity::Silence,
            Fate { reset_after_create: true, .. } => Fidelity::Broken(Cut::AtOnce),
            Fate { cut_reply: true, .. } => Fidelity::Broken(Cut::MidWay),
            _ => Fidelity::Whole,
        }
    }

    /// The HTTP status as far as the client gets to see one.
    fn shows(self, status: StatusCode) -> Option<u16> {
        match self {
            Fidelity::Whole | Fidelity::Broken(Cut::MidWay) => Some(status.as_u16()),
            Fidelity::Broken(Cut::AtOnce) | Fidelity::Silence => None,
        }
    }

    fn of(self, reply: Response) -> Answer {
        match self {
            Fidelity::Whole => Answer::Whole(reply),
            Fidelity::Broken(cut) => Answer::Broken(reply, cut),
            Fidelity::Silence => Answer::Silence,
        }
    }
}

pub(super) async fn create(exchange: &Arc<Exchange>, form: &Form) -> Answer {
    let to = form.get("To").unwrap_or_default();
    let (ordinal, nth) = exchange.next_create(to);
    let settings = &exchange.settings;
    let fate = settings.faults.fate(settings.seed, ordinal, to, nth);
    let decided = if fate.throttle {
        Err(Refusal::throttled())
    } else if fate.error_before_create || fate.reset_before_create || fate.silence_before_create {
        Err(Refusal::internal())
    } else {
        order(exchange, form)
    };
    match decided {
        Err(refusal) => {
            let fidelity = Fidelity::without_call(&fate);
            let line = Line { ordinal, sid: None, verdict: Err(&refusal), fidelity, fate: &fate };
            if let Err(error) = note(exchange, form, line).await {
                return log_failed(&error);
            }
            sleep(fate.create_delay()).await;
            fidelity.of(refusal.into_response())
        }
        Ok(order) => place(exchange, form, ordinal, order, fate).await,
    }
}

async fn place(exchange: &Arc<Exchange>, form: &Form, ordinal: u64, order: Order, fate: Fate) -> Answer {
    let (delay, before_reply, fidelity) = (fate.create_delay(), fate.before_reply, Fidelity::with_call(&fate));
    let refusal = Refusal::internal();
    let verdict = if fate.error_after_create { Err(&refusal) } else { Ok(()) };
    let queue_ms = exchange.pace.estimate_ms();
    let (call, commands) = Call::new(sid::call(), order, fate, queue_ms);
    let call = Arc::new(call);
    // A call without a line in the log would escape the judge, so it is not made.
    let line = Line { ordinal, sid: Some(&call.sid), verdict, fidelity, fate: &call.fate };
    if let Err(error) = note(exchange, form, line).await {
        return log_failed(&error);
    }
    let mut deliveries = call.deliveries();
    let created = resource::of(exchange, &call);
    exchange.enter(Arc::clone(&call));
    exchange.pace.enqueue((call, commands));
    if before_reply {
        let first = deliveries.wait_for(|all| !all.is_empty());
        let _ = timeout(HELD_REPLY, first).await;
    }
    sleep(delay).await;
    fidelity.of(match verdict {
        Ok(()) => (StatusCode::CREATED, Json(created)).into_response(),
        Err(_) => refusal.into_response(),
    })
}

/// What the log says of a request besides its form.
struct Line<'a> {
    ordinal: u64,
    sid: Option<&'a str>,
    verdict: Result<(), &'a Refusal>,
    fidelity: Fidelity,
    fate: &'a Fate,
}

async fn note(exchange: &Exchange, form: &Form, line: Line<'_>) -> std::io::Result<()> {
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    let refusal = line.verdict.err();
    let status = refusal.map_or(StatusCode::CREATED, |refusal| refusal.status);
    let http_status = line.fidelity.shows(status);
    let event = Event::Create {
        ordinal: line.ordinal,
        sid: line.sid.map(str::to_owned),
        to: text("To"),
        from: text("From"),
        url: text("Url"),
        params: form.pairs.clone(),
        created: line.sid.is_some(),
        http_status,
        code: refusal.filter(|_| http_status.is_some()).map(|refusal| refusal.code),
        fate: line.fate.clone(),
    };
    exchange.log.add_synced(event).await
}

fn log_failed(error: &std::io::Error) -> Answer {
    tracing::error!(%error, "the log could not be written: no call was created");
    Answer::Whole(Refusal::internal().into_response())
}

fn order(exchange: &Exchange, form: &Form) -> Result<Order, Refusal> {
    let to = form.get("To").ok_or_else(|| Refusal::bad(21201, "No 'To' number is specified"))?;
    let from = form.get("From").ok_or_else(|| Refusal::bad(21213, "No 'From' number is specified"))?;
    let source = source(form)?;
    if !is_e164(to) || to == from || exchange.settings.callees.at(to).invalid {
        let message = format!("The 'To' number {to} is not a valid phone number.");
        return Err(Refusal::bad(21211, message));
    }
    if !is_e164(from) {
        let message = format!("The 'From' number {from} is not a valid phone number.");
        return Err(Refusal::bad(21212, message));
    }
    Ok(Order {
        to: to.to_owned(),
        from: from.to_owned(),
        source,
        fallback: fetch(form, "FallbackUrl", "FallbackMethod")?,
        callbacks: callbacks(exchange, form)?,
        ring: seconds(form, "Timeout", DEFAULT_RING_S, 600)?,
        talk: seconds(form, "TimeLimit", DEFAULT_TALK_S, 24 * 3600)?,
    })
}

/// Where the TwiML comes from; `Url` wins over `Twiml`.
fn source(form: &Form) -> Result<Source, Refusal> {
    if let Some(fetch) = fetch(form, "Url", "Method")? {
        return Ok(Source::Fetched(fetch));
    }
    match form.get("Twiml") {
        Some(text) if text.len() > LONGEST_TWIML => Err(Refusal::bad(21205, "Twiml must be at most 4000 characters")),
        Some(text) => Ok(Source::Inline(text.to_owned())),
        None => Err(Refusal::bad(21205, "Url parameter is required.")),
    }
}

/// The webhook that `url` and `method` name, if any.
pub(super) fn fetch(form: &Form, url: &str, method: &str) -> Result<Option<Fetch>, Refusal> {
    let Some(text) = form.get(url) else {
        return Ok(None);
    };
    let valid = Address::parse(text).is_some_and(|address| matches!(address.scheme.as_str(), "http" | "https"));
    if !valid {
        return Err(Refusal::bad(21205, format!("{url} is not a valid URL: {text}")));
    }
    let method = match form.get(method) {
        Some(word) => {
            Method::parse(word).ok_or_else(|| Refusal::bad(21209, format!("{method} must be GET or POST")))?
        }
        None => Method::Post,
    };
    let url = text.to_owned();
    Ok(Some(Fetch { url, method }))
}

fn callbacks(exchange: &Exchange, form: &Form) -> Result<Callbacks, Refusal> {
    let to = fetch(form, "StatusCallback", "StatusCallbackMethod")?;
    let mut events = Vec::new();
    for word in form.all("StatusCallbackEvent") {
        match Subscription::parse(word) {
            Some(event) => events.push(event),
            None => {
                // Twilio takes the call all the same, and then never calls back: a classic trap.
                exchange.warn(None, 21626, format!("{word:?} is no StatusCallbackEvent: there will be no callbacks"));
                return Ok(Callbacks::default());
            }
        }
    }
    if events.is_empty() {
        events.push(Subscription::Completed);
    }
    Ok(Callbacks { to, events })
}

fn seconds(form: &Form, name: &str, default: u64, most: u64) -> Result<Duration, Refusal> {
    let value = match form.get(name) {
        Some(text) => {
            text.parse::<u64>().map_err(|_| Refusal::bad(21208, format!("{name} must be a number of seconds")))?
        }
        None => default,
    };
    Ok(Duration::from_secs(value.min(most)))
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::is_e164;

    #[test]
    fn numbers_are_e164_or_refused() {
        assert!(is_e164("+14155550101") && is_e164("+4930123456"));
        for wrong in ["", "+", "14155550101", "+0123456789", "+1415555O101", "+1234567890123456"] {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }
}
