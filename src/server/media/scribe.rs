//! Writes down what a conversation says, in order, beside the sound and not in its way.

use std::time::Duration;

use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::store::{NewEntry, StoreError};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::voice::conversation::AgentEvent;
use crate::voice::turn::Turn;

/// The call that is written about.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) job: JobId,
    pub(super) tag: Tag,
    pub(super) sid: CallSid,
}

/// Takes events and stores them one after the other.
pub(super) struct Scribe {
    events: mpsc::UnboundedSender<AgentEvent>,
    writing: JoinHandle<()>,
}

/// How often one event is tried, the wait doubling from 20 ms: about 40 s. What cannot be stored then, ends as a
/// broken stream does.
const TRIES: u32 = 11;

impl Scribe {
    /// A scribe for one call.
    pub(super) fn start(ledger: Ledger, call: Call) -> Self {
        let (events, mut receiver) = mpsc::unbounded_channel();
        let writing = tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                if !keep(&ledger, &call, &event).await {
                    // A report that hides a lost answer would be a lie: without one, what was stored decides.
                    break;
                }
            }
        });
        Self { events, writing }
    }

    /// Hands over an event. Returns at once.
    pub(super) fn write(&self, event: AgentEvent) {
        // Nobody listens any more once an event could not be stored.
        let _ = self.events.send(event);
    }

    /// Waits until everything is stored.
    pub(super) async fn finish(self) {
        drop(self.events);
        let _ = self.writing.await;
    }
}

/// Whether it is stored now.
async fn keep(ledger: &Ledger, call: &Call, event: &AgentEvent) -> bool {
    let mut wait = Duration::from_millis(20);
    for _ in 0..TRIES {
        match store(ledger, call, event).await {
            Ok(()) => return true,
            Err(error) => {
                let job = &call.job;
                tracing::error!(job_id = %job, %error, "job {job}: what was said cannot be stored: {error}");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
    }
    false
}

async fn store(ledger: &Ledger, call: &Call, event: &AgentEvent) -> Result<(), StoreError> {
    let Call { job, tag, sid } = call.clone();
    let (tag, call) = (tag, sid);
    let news = match event {
        AgentEvent::Said(turn) => return note(ledger, &job, "agent_said", turn).await,
        AgentEvent::Heard(turn) => return note(ledger, &job, "gym_said", turn).await,
        AgentEvent::Answer(answer) => Event::AnswerHeard { tag, call, answer: answer.clone() },
        AgentEvent::DoNotCall { quote } => Event::DoNotCallHeard { tag, call, quote: quote.clone() },
        AgentEvent::Ended(report) => Event::Reported { tag, call, report: *report },
    };
    ledger.tell(&job, news).await.map(drop)
}

async fn note(ledger: &Ledger, job: &JobId, kind: &str, turn: &Turn) -> Result<(), StoreError> {
    tracing::info!(job_id = %job, text = %turn.text, "job {job}: {kind}: {}", turn.text);
    let detail = json!({
        "text": turn.text,
        "from_ms": turn.from_ms,
        "to_ms": turn.to_ms,
        "damaged": turn.damaged,
        "interrupted": turn.interrupted,
    });
    let entry = NewEntry { at: ledger.now(), kind: kind.to_owned(), detail, ignored: None };
    ledger.note(job, vec![entry]).await
}
