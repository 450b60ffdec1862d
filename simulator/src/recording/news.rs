//! Recording status callbacks.

use std::sync::Arc;

use super::{Recording, RecordingStatus, Subscription};
use crate::call::Call;
use crate::date;
use crate::exchange::Exchange;
use crate::webhook;

/// Tells the recording's own callback where it stands now, if it wants to know.
pub(super) fn report(exchange: &Arc<Exchange>, call: &Arc<Call>, recording: &Recording, status: RecordingStatus) {
    let event = match status {
        RecordingStatus::InProgress => Subscription::InProgress,
        RecordingStatus::Completed => Subscription::Completed,
        RecordingStatus::Absent => Subscription::Absent,
        // Nobody can ask to hear of a pause.
        RecordingStatus::Paused => return,
    };
    let Some(to) = recording.plan.callback.clone().filter(|_| recording.plan.events.contains(&event)) else {
        return;
    };
    let params = params(exchange, recording, status);
    let (shared, call) = (Arc::clone(exchange), Arc::clone(call));
    exchange.tasks.spawn(async move {
        let problem = match webhook::request(&shared, &call, &to, &params).await {
            Ok(reply) if reply.status < 400 => return,
            Ok(reply) => (15003, format!("recording callback answered with {}", reply.status)),
            Err(failure) => (11200, format!("recording callback lost: {failure}")),
        };
        shared.warn(Some(&call.sid), problem.0, problem.1);
    });
}

fn params(exchange: &Exchange, recording: &Recording, status: RecordingStatus) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = [
        ("AccountSid", exchange.settings.account_sid.clone()),
        ("CallSid", recording.call_sid.clone()),
        ("RecordingSid", recording.sid.clone()),
        ("RecordingUrl", recording.url(exchange)),
        ("RecordingStatus", status.as_str().to_owned()),
        ("RecordingChannels", recording.plan.channels.count().to_string()),
        ("RecordingTrack", recording.plan.track.as_str().to_owned()),
        ("RecordingSource", recording.plan.origin.as_str().to_owned()),
        ("RecordingStartTime", date::rfc2822(recording.started)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if status.is_final() {
        params.push(("RecordingDuration".to_owned(), recording.duration_s().to_string()));
    }
    params
}
