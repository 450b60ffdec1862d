//! Telling the client who has picked up.

use std::sync::Arc;

use super::Verdict;
use crate::call::{Call, Fetch, Telling};
use crate::exchange::Exchange;
use crate::webhook;

/// What the first request for TwiML carries besides who is called, if it waited for the verdict.
pub(crate) fn in_voice_request(call: &Call) -> Vec<(String, String)> {
    let waited =
        call.order.detection.as_ref().is_some_and(|ordered| matches!(ordered.telling, Telling::InVoiceRequest));
    let verdict = call.facts().answered_by.filter(|_| waited);
    verdict.map(params).into_iter().flatten().collect()
}

fn params(verdict: Verdict) -> [(String, String); 2] {
    [
        ("AnsweredBy".to_owned(), verdict.answered_by.as_str().to_owned()),
        ("MachineDetectionDuration".to_owned(), verdict.after_ms.to_string()),
    ]
}

/// Tells `to`, once it is known; at most once, and with four parameters only.
pub(crate) async fn tell(exchange: Arc<Exchange>, call: Arc<Call>, to: Fetch) {
    let Some(verdict) = call.ear.verdict().await else {
        return;
    };
    let mut news = vec![
        ("CallSid".to_owned(), call.sid.clone()),
        ("AccountSid".to_owned(), exchange.settings.account_sid.clone()),
    ];
    news.extend(params(verdict));
    let problem = match webhook::request(&exchange, &call, &to, &news).await {
        Ok(reply) if reply.status < 400 => return,
        Ok(reply) => (15003, format!("detection callback answered with {}", reply.status)),
        Err(failure) => (11200, format!("detection callback lost: {failure}")),
    };
    exchange.warn(Some(&call.sid), problem.0, problem.1);
}
