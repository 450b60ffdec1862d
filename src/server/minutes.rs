//! What is said in a call, as its record keeps it: the same over a stream and in turns.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::ledger::News;
use gymcall_jobs::store::{NewEntry, StoreError};
use jiff::Timestamp;
use serde_json::json;

use super::Server;
use crate::voice::brief::Brief;
use crate::voice::conversation::AgentEvent;
use crate::voice::turn::Turn;

/// The call that is written about.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) job: JobId,
    pub(super) tag: Tag,
    pub(super) sid: CallSid,
}

/// What a job's call is about, and the campaign that it belongs to.
pub(super) async fn brief_of(server: &Server, job: &CallJob) -> Result<(Brief, Option<Campaign>), StoreError> {
    let campaign = server.ledger.campaign_of(job).await?;
    Ok((Brief::of(job, campaign.as_ref()), campaign))
}

/// An event of the conversation, for the record.
pub(super) fn news_of(call: &Call, event: &AgentEvent, at: Timestamp) -> News {
    let Call { tag, sid: call, .. } = call.clone();
    News::Event(match event {
        AgentEvent::Said(turn) => return note("agent_said", turn, at),
        AgentEvent::Heard(turn) => return note("gym_said", turn, at),
        AgentEvent::Answer(answer) => Event::AnswerHeard { tag, call, answer: answer.clone() },
        AgentEvent::DoNotCall { quote } => Event::DoNotCallHeard { tag, call, quote: quote.clone() },
        AgentEvent::Ended(report) => Event::Reported { tag, call, report: *report },
    })
}

fn note(kind: &str, turn: &Turn, at: Timestamp) -> News {
    let detail = json!({
        "text": turn.text,
        "from_ms": turn.from_ms,
        "to_ms": turn.to_ms,
        "damaged": turn.damaged,
        "interrupted": turn.interrupted,
    });
    News::Note(NewEntry { at, kind: kind.to_owned(), detail, ignored: None })
}

/// Shows in the log what was said.
pub(super) fn log(call: &Call, event: &AgentEvent) {
    let job = &call.job;
    match event {
        AgentEvent::Said(turn) => tracing::info!(job_id = %job, "job {job}: agent_said: {}", turn.text),
        AgentEvent::Heard(turn) => tracing::info!(job_id = %job, "job {job}: gym_said: {}", turn.text),
        AgentEvent::Answer(_) | AgentEvent::DoNotCall { .. } | AgentEvent::Ended(_) => {}
    }
}
