//! Creating a call: check the order, meet the faults, write the log, then enter the queue.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tokio::time::{sleep, timeout};

use super::error::Refusal;
use super::fidelity::{Answer, Fidelity};
use super::form::Form;
use super::order::{self, Oddity, Terms};
use super::resource;
use crate::account::Standing;
use crate::call::{Call, Order};
use crate::exchange::Exchange;
use crate::fault::Fate;
use crate::log::Event;
use crate::sid;

/// Longest that a reply is held for the fault `before_reply`.
const HELD_REPLY: Duration = Duration::from_secs(3);

pub(super) async fn create(exchange: &Arc<Exchange>, form: &Form) -> Answer {
    let to = form.get("To").unwrap_or_default();
    let (ordinal, nth) = exchange.next_create(to);
    let settings = &exchange.settings;
    let fate = settings.faults.fate(settings.seed, ordinal, to, nth, exchange.age());
    let decided = if fate.throttle {
        Err(Refusal::throttled())
    } else if fate.error_before_create || fate.reset_before_create || fate.silence_before_create {
        Err(Refusal::internal())
    } else if settings.account.standing != Standing::Active {
        Err(Refusal::not_active())
    } else {
        order::read(Terms::Account(settings), form)
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
        Ok((order, odd)) => place(exchange, form, ordinal, order, odd, fate).await,
    }
}

async fn place(
    exchange: &Arc<Exchange>,
    form: &Form,
    ordinal: u64,
    order: Order,
    odd: Vec<Oddity>,
    fate: Fate,
) -> Answer {
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
    for Oddity { code, message } in odd {
        exchange.warn(Some(&call.sid), code, message);
    }
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
