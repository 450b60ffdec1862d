//! Changing a call that is under way: taking it back, hanging up, another document.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::error::Refusal;
use super::form::Form;
use super::order::{fetch, inline};
use super::resource;
use crate::call::{Call, Command, Source};
use crate::exchange::Exchange;
use crate::status::Status;

/// How long a reply waits to show what became of the call.
const SETTLING: Duration = Duration::from_secs(2);

pub(super) async fn update(exchange: &Arc<Exchange>, call: &Arc<Call>, form: &Form) -> Result<Value, Refusal> {
    if let Some(to) = fetch(form, "StatusCallback", "StatusCallbackMethod")? {
        call.facts().callbacks.to = Some(to);
    }
    match form.get("Status") {
        Some("canceled") => end(exchange, call, Command::Cancel).await?,
        Some("completed") => end(exchange, call, Command::HangUp).await?,
        Some(other) => {
            return Err(Refusal::bad(20001, format!("{other} is not a status to set")));
        }
        None => redirect(call, form)?,
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

fn redirect(call: &Call, form: &Form) -> Result<(), Refusal> {
    let source = match fetch(form, "Url", "Method")? {
        Some(fetch) => Source::Fetched(fetch),
        None => match form.get("Twiml") {
            Some(text) => inline(text)?,
            None => return Ok(()),
        },
    };
    if call.status() != Status::InProgress {
        return Err(wrong_state("Call is not in-progress. Cannot redirect."));
    }
    call.command(Command::Redirect(source));
    Ok(())
}

fn wrong_state(message: &str) -> Refusal {
    Refusal::bad(21220, message)
}
