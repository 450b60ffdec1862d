//! Status callbacks: what a client is told of its calls, and the faults of that news.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::call::{Call, Fetch};
use crate::date;
use crate::exchange::Exchange;
use crate::recording::Origin;
use crate::sid;
use crate::status::Status;
use crate::webhook;

/// A callback that waits to be overtaken by the next one.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    to: Fetch,
    params: Vec<(String, String)>,
    /// Whether it tells of the call's end.
    is_last: bool,
}

/// Tells the client that `call` now stands at `status`, if it wants to know. Callbacks are made in
/// order and travel on their own: Twilio promises no order of arrival.
pub(crate) fn report(exchange: &Arc<Exchange>, call: &Arc<Call>, status: Status) {
    let Some(news) = news(exchange, call, status) else {
        return;
    };
    let batch = if call.fate.shuffled {
        let mut facts = call.facts();
        match facts.held.take() {
            Some(earlier) => vec![news, earlier],
            // After the last status nothing comes that could overtake it.
            None if status.is_final() => vec![news],
            None => {
                facts.held = Some(news);
                return;
            }
        }
    } else {
        vec![news]
    };
    let (shared, call) = (Arc::clone(exchange), Arc::clone(call));
    exchange.tasks.spawn(async move {
        if call.fate.late() > Duration::ZERO {
            sleep(call.fate.late()).await;
        }
        for held in &batch {
            let token = sid::uuid();
            deliver(&shared, &call, held, &token).await;
            if call.fate.twice {
                deliver(&shared, &call, held, &token).await;
            }
        }
    });
}

fn news(exchange: &Exchange, call: &Call, status: Status) -> Option<Held> {
    let event = status.event()?;
    let mut facts = call.facts();
    if !facts.callbacks.events.contains(&event) {
        return None;
    }
    let to = facts.callbacks.to.clone()?;
    let mut params = identity(exchange, call, status);
    let mut push = |name: &str, value: String| params.push((name.to_owned(), value));
    push("Timestamp", date::rfc2822(Timestamp::now()));
    push("CallbackSource", "call-progress-events".to_owned());
    push("SequenceNumber", facts.sequence.to_string());
    if let Some(verdict) = facts.answered_by {
        push("AnsweredBy", verdict.answered_by.as_str().to_owned());
    }
    if status.is_final() {
        let seconds = facts.duration_s().unwrap_or(0);
        push("CallDuration", seconds.to_string());
        push("Duration", seconds.div_ceil(60).to_string());
        push("SipResponseCode", facts.sip.to_string());
        // Twilio names the call's own recording only, not one that a verb or a request made.
        let of_call = exchange.recordings.of_call(&call.sid);
        if let Some(recording) = of_call.iter().find(|recording| recording.plan.origin == Origin::OutboundApi) {
            push("RecordingUrl", recording.url(exchange));
            push("RecordingSid", recording.sid.clone());
            push("RecordingDuration", recording.duration_s().to_string());
        }
    }
    facts.sequence += 1;
    Some(Held { to, params, is_last: status.is_final() })
}

async fn deliver(exchange: &Exchange, call: &Call, held: &Held, token: &str) {
    let delivered = if call.fate.loses(held.is_last) {
        webhook::lose(exchange, call, &held.to, &held.params)
    } else {
        webhook::request_with(exchange, call, &held.to, &held.params, token).await
    };
    let problem = match delivered {
        Ok(reply) if reply.status < 400 => return,
        Ok(reply) => (15003, format!("callback answered with {}", reply.status)),
        Err(failure) => (11200, format!("callback lost: {failure}")),
    };
    exchange.warn(Some(&call.sid), problem.0, problem.1);
}

/// The parameters that every webhook of a call carries. Twilio knows no geography of these numbers;
/// the empty values are sent and signed all the same.
pub(crate) fn identity(exchange: &Exchange, call: &Call, status: Status) -> Vec<(String, String)> {
    let (to, from) = (call.order.to.as_str(), call.order.from.as_str());
    let mut params: Vec<(String, String)> = [
        ("CallSid", call.sid.as_str()),
        ("AccountSid", exchange.settings.account_sid.as_str()),
        ("To", to),
        ("From", from),
        ("Called", to),
        ("Caller", from),
        ("CallStatus", status.as_str()),
        ("ApiVersion", "2010-04-01"),
        ("Direction", call.direction()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    params.extend(call.parent.clone().map(|parent| ("ParentCallSid".to_owned(), parent)));
    for end in ["From", "To", "Caller", "Called"] {
        for part in ["City", "State", "Zip", "Country"] {
            params.push((format!("{end}{part}"), String::new()));
        }
    }
    params
}
