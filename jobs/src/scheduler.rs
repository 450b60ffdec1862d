//! The scheduler: begins runs when their time comes, and writes down when they are over.
//!
//! Every process with a Twilio account runs one, on the store's clock. It sleeps until the next time or until something
//! changes; what another process may have told in vain, it finds after a while by itself.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::id::{CampaignId, RunId};
use crate::ledger::{Firings, Ledger};
use crate::spread::Spread;
use crate::store::{Change, StoreError, pass_over};

/// How long it sleeps at most.
const LONGEST: Duration = Duration::from_secs(30);
/// How long it waits for more news before it looks. A run of thousands of jobs is looked at some times a second.
const TOGETHER: Duration = Duration::from_millis(100);
/// How long it rests after the store failed.
const FAILURE_REST: Duration = Duration::from_secs(1);
/// By how much processes differ that wait for the same time.
const APART: Duration = Duration::from_millis(20);
/// How many runs are looked at in one go.
const PAGE: u32 = 100;

/// Begins and ends runs until the future is dropped. New ids are made of `chance`.
pub async fn run(ledger: Ledger, chance: fn() -> u128) {
    let mut changes = ledger.store().changes();
    let mut firings = Firings::new(ledger.clone(), chance);
    let mut spread = Spread::default();
    let mut look = Look::everything();
    let mut everything_at = Instant::now() + LONGEST;
    loop {
        // Whatever becomes of the one, the other has its time.
        let (ended, fired) = (look.ends(&ledger).await, firings.once().await);
        let rest = match ended.and(fired) {
            Ok(again_at) => {
                look = Look::default();
                again_at.map_or(LONGEST, |at| until(at, ledger.now()).min(LONGEST))
            }
            Err(error) => {
                tracing::error!(%error, "cannot see which runs begin or have ended: {error}");
                FAILURE_REST
            }
        };
        let mut wake = Instant::now() + rest + spread.within(APART);
        loop {
            match tokio::time::timeout_at(wake, changes.recv()).await {
                Err(_) => break,
                Ok(Ok(change)) => {
                    if look.note(change) {
                        wake = wake.min(Instant::now() + TOGETHER);
                    }
                }
                Ok(Err(RecvError::Lagged(_))) => {
                    look = Look::everything();
                    wake = wake.min(Instant::now() + TOGETHER);
                }
                Ok(Err(RecvError::Closed)) => return,
            }
        }
        if Instant::now() >= everything_at {
            everything_at = Instant::now() + LONGEST;
            look = Look::everything();
        }
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// Which runs may be over.
#[derive(Debug, Default)]
struct Look {
    everything: bool,
    runs: HashSet<RunId>,
    campaigns: HashSet<CampaignId>,
}

impl Look {
    fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Whether a change is a reason to look.
    fn note(&mut self, change: Change) -> bool {
        match change {
            Change::Job { run: Some(run), status, .. } if status.is_final() => self.runs.insert(run),
            Change::Campaign(campaign) => {
                self.campaigns.insert(campaign);
                true
            }
            Change::Gap => {
                self.everything = true;
                true
            }
            _ => false,
        }
    }

    /// Writes down which of them are over.
    async fn ends(&mut self, ledger: &Ledger) -> Result<(), StoreError> {
        let store = ledger.store();
        let mut cursor = None;
        while self.everything {
            let page = store.open_runs(cursor, PAGE).await?;
            self.runs.extend(page.items.into_iter().map(|run| run.id));
            cursor = page.next;
            self.everything = cursor.is_some();
        }
        for campaign in self.campaigns.drain() {
            let stored = pass_over(&campaign, store.campaign(&campaign).await)?.flatten();
            self.runs.extend(stored.map(|stored| stored.record.run));
        }
        for run in std::mem::take(&mut self.runs) {
            pass_over(&run, ledger.end_run(&run).await)?;
        }
        Ok(())
    }
}
