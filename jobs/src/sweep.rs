//! The sweep: tells every job whose deadline has passed that time has passed.
//!
//! Workers take waiting jobs; the sweep takes all the others. A job that anything forgot,
//! a lost callback, a dead process, a broken stream, is found here by its deadline.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::sync::broadcast::error::RecvError;

use crate::event::Event;
use crate::ledger::Ledger;
use crate::store::{Change, StoreError};

/// How many overdue jobs are told at once.
const BATCH: u32 = 256;
/// How long the sweep rests at most: a deadline set meanwhile is seen this late at the latest.
const REST: SignedDuration = SignedDuration::from_millis(500);

/// Sweeps until the future is dropped. A store that fails is asked again after a rest.
pub async fn run(ledger: Ledger) {
    tokio::join!(deadlines(&ledger), cancelled(&ledger));
}

async fn deadlines(ledger: &Ledger) {
    loop {
        let rest = match once(ledger).await {
            Ok(Some(rest)) => rest.clamp(SignedDuration::from_millis(1), REST),
            Ok(None) => REST,
            Err(error) => {
                tracing::error!(%error, "the sweep cannot work: {error}");
                REST
            }
        };
        tokio::time::sleep(Duration::try_from(rest).unwrap_or(Duration::from_millis(500))).await;
    }
}

/// One pass over everything that is overdue. Says how long until the next deadline, if one is known.
pub async fn once(ledger: &Ledger) -> Result<Option<SignedDuration>, StoreError> {
    loop {
        let overdue = ledger.store().overdue(BATCH).await?;
        let ticks = overdue.jobs.iter().map(|id| ledger.tell(id, Event::Tick));
        for told in join_all(ticks).await {
            told?;
        }
        if overdue.jobs.is_empty() {
            return Ok(overdue.again_at.map(|at| at.duration_since(ledger.now())));
        }
    }
}

/// Cancels what waits in cancelled campaigns: after the start, and whenever a campaign changes.
async fn cancelled(ledger: &Ledger) {
    let mut changes = ledger.store().changes();
    loop {
        match ledger.clear_cancelled().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "cannot clear cancelled campaigns: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        }
        loop {
            match changes.recv().await {
                Ok(Change::Campaign(_)) | Err(RecvError::Lagged(_)) => break,
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}
