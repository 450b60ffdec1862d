//! Changing a call that is under way: taking it back, hanging up, another document.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::error::Refusal;
use super::form::Form;
use super::order::{fetch, inline, time_limit};
use super::resource;
use crate::call::{Call, Command, Fetch, Source};
use crate::exchange::Exchange;
use crate::status::Status;

/// How long a reply waits to show what became of the call.
const SETTLING: Duration = Duration::from_secs(2);

/// What a client wants changed besides the status.
struct Change {
    source: Option<Source>,
    callback: Option<Fetch>,
    fallback: Option<Fetch>,
    limit: Option<Duration>,
}

impl Change {
    fn read(form: &Form) -> Result<Change, Refusal> {
        let source = match (fetch(form, "Url", "Method")?, form.get("Twiml")) {
            (Some(_), Some(_)) => return Err(Refusal::bad(21205, "Url and Twiml exclude each other")),
            (Some(fetch), None) => Some(Source::Fetched(fetch)),
            (None, Some(text)) => Some(inline(text)?),
            (None, None) => None,
        };
        Ok(Change {
            source,
            callback: fetch(form, "StatusCallback", "StatusCallbackMethod")?,
            fallback: fetch(form, "FallbackUrl", "FallbackMethod")?,
            limit: time_limit(form)?,
        })
    }
}

/// Reads everything first: a request that is refused changes nothing.
pub(super) async fn update(exchange: &Arc<Exchange>, call: &Arc<Call>, form: &Form) -> Result<Value, Refusal> {
    let change = Change::read(form)?;
    let ending = match form.get("Status") {
        Some("canceled") => Some(Command::Cancel),
        Some("completed") => Some(Command::HangUp),
        Some(other) => return Err(Refusal::bad(20001, format!("Invalid Status: {other} is not a status to set"))),
        None => None,
    };
    if change.source.is_some() && ending.is_none() && call.status() != Status::InProgress {
        return Err(wrong_state("Call is not in-progress. Cannot redirect."));
    }
    {
        let mut facts = call.facts();
        facts.callbacks.to = change.callback.or(facts.callbacks.to.take());
        facts.fallback = change.fallback.or(facts.fallback.take());
    }
    if let Some(limit) = change.limit {
        call.set_limit(limit);
    }
    match (ending, change.source) {
        (Some(command), _) => end(exchange, call, command).await?,
        (None, Some(source)) => call.command(Command::Redirect(source)),
        (None, None) => {}
    }
    Ok(resource::of(exchange, call))
}

async fn end(exchange: &Arc<Exchange>, call: &Arc<Call>, command: Command) -> Result<(), Refusal> {
    // A queued call has no life of its own yet that could hear a command.
    if exchange.advance(call, &[Status::Queued], Status::Canceled) {
        return Ok(());
    }
    let too_late = |status: Status| match command {
        Command::Cancel => status == Status::InProgress || status.is_final(),
        _ => status.is_final(),
    };
    if too_late(call.status()) {
        return Err(wrong_state("Call is not in a state in which it could be ended."));
    }
    let canceling = matches!(command, Command::Cancel);
    call.command(command);
    let mut status = call.watch();
    let settled = status.wait_for(|status| status.is_final() || (canceling && *status == Status::InProgress));
    // Streams get a moment to close; the reply does not wait longer than that.
    let settled = timeout(SETTLING, settled).await;
    match settled {
        Ok(Ok(status)) if canceling && *status != Status::Canceled => {
            Err(wrong_state("Call was answered and could not be canceled."))
        }
        _ => Ok(()),
    }
}

fn wrong_state(message: &str) -> Refusal {
    Refusal::bad(21220, message)
}
