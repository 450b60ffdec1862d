//! Writes down what a conversation says, in order, beside the sound and not in its way.

use std::time::Duration;

use gymcall_jobs::ledger::{Ledger, News};
use gymcall_jobs::store::StoreError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::server::minutes::{self, Call};
use crate::voice::conversation::AgentEvent;

/// Takes events and stores them one after the other.
pub(super) struct Scribe {
    events: mpsc::UnboundedSender<AgentEvent>,
    writing: JoinHandle<()>,
}

/// How long one event is tried. What cannot be stored then, ends as a broken stream does.
const KEEP_FOR: Duration = Duration::from_secs(40);
/// The longest wait between two tries, well under the time that a call's hang-up waits for its report.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Scribe {
    /// A scribe for one call.
    pub(super) fn start(ledger: Ledger, call: Call) -> Self {
        let (events, mut receiver) = mpsc::unbounded_channel();
        let writing = tokio::spawn(async move {
            let mut whole = true;
            while let Some(event) = receiver.recv().await {
                // Once an answer is lost, a report that hides it would be a lie: without one, what was stored
                // decides. A wish not to be called holds whenever it is stored.
                if whole || matches!(event, AgentEvent::DoNotCall { .. }) {
                    whole &= keep(&ledger, &call, &event).await || is_note(&event);
                } else {
                    tracing::error!(job_id = %call.job, ?event, "job {}: lost: {event:?}", call.job);
                }
            }
        });
        Self { events, writing }
    }

    /// Hands over an event. Returns at once.
    pub(super) fn write(&self, event: AgentEvent) {
        // The task ends only after `finish`, so somebody listens.
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
    let give_up = Instant::now() + KEEP_FOR;
    let mut wait = Duration::from_millis(20);
    loop {
        let Err(error) = store(ledger, call, event).await else { return true };
        let job = &call.job;
        tracing::error!(job_id = %job, %error, "job {job}: what was said cannot be stored: {error}");
        if Instant::now() >= give_up {
            return false;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether it is a line of the history alone.
fn is_note(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::Said(_) | AgentEvent::Heard(_))
}

async fn store(ledger: &Ledger, call: &Call, event: &AgentEvent) -> Result<(), StoreError> {
    match minutes::news_of(call, event, ledger.now()) {
        News::Event(event) => ledger.tell(&call.job, event).await.map(drop),
        News::Note(entry) => {
            ledger.note(&call.job, vec![entry]).await?;
            minutes::log(call, event);
            Ok(())
        }
    }
}
