//! The sweep: tells every job whose deadline has passed that time has passed.
//!
//! Workers take waiting jobs; the sweep takes all the others. A job that anything forgot,
//! a lost callback, a dead process, a broken stream, is found here by its deadline.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::event::Event;
use crate::ledger::{Ledger, Told};
use crate::spread::Spread;
use crate::store::{Change, StoreError, pass_over};

/// How many overdue jobs are told at once.
const BATCH: u32 = 256;
/// How long the sweep rests at most: a deadline set meanwhile is seen this late at the latest.
const REST: SignedDuration = SignedDuration::from_millis(500);
/// By how much the sweeps of several processes differ that wait for the same deadline.
const APART: Duration = Duration::from_millis(50);

/// After what time changed hours are looked at again, while they may not be known everywhere.
const SETTLING: Duration = Duration::from_secs(1);
/// How long a changed campaign can go unnoticed.
const LONGEST: Duration = Duration::from_secs(30);

/// Sweeps deadlines until the future is dropped. A store that fails is asked again after a rest.
///
/// Only for a process that can also ask Twilio: without that, time alone would end calls that
/// somebody could still have asked about.
pub async fn deadlines(ledger: Ledger) {
    let mut spread = Spread::default();
    loop {
        let rest = match once(&ledger).await {
            Ok(Some(rest)) => rest.clamp(SignedDuration::from_millis(1), REST),
            Ok(None) => REST,
            Err(error) => {
                tracing::error!(%error, "the sweep cannot work: {error}");
                REST
            }
        };
        let rest = Duration::try_from(rest).unwrap_or(Duration::from_millis(500));
        tokio::time::sleep(rest + spread.within(APART)).await;
    }
}

/// One pass over everything that is overdue. Says how long until the next deadline, if one is known.
pub async fn once(ledger: &Ledger) -> Result<Option<SignedDuration>, StoreError> {
    loop {
        let overdue = ledger.store().overdue(BATCH).await?;
        if !overdue.jobs.is_empty() {
            crate::failpoint!("K1");
        }
        let ticks = overdue.jobs.iter().map(|id| ledger.tell(id, Event::Tick));
        let mut moved = false;
        for (id, told) in overdue.jobs.iter().zip(join_all(ticks).await) {
            moved |= matches!(pass_over(id, told)?, Some(Told::Moved(_)));
        }
        if !moved {
            return Ok(overdue.again_at.map(|at| at.duration_since(ledger.now())));
        }
    }
}

/// Resumes campaigns whose pause has a time to end, until the future is dropped.
pub async fn resumed(ledger: Ledger) {
    let mut changes = ledger.store().changes();
    let mut spread = Spread::default();
    loop {
        let rest = match ledger.resume_due().await {
            Ok(next) => next.map_or(LONGEST, |at| {
                Duration::try_from(at.duration_since(ledger.now())).unwrap_or_default().min(LONGEST)
            }),
            Err(error) => {
                tracing::error!(%error, "cannot resume paused campaigns: {error}");
                Duration::from_secs(1)
            }
        };
        let end = tokio::time::Instant::now() + rest + spread.within(APART);
        if campaigns_change(&mut changes, end).await == Feed::Closed {
            return;
        }
    }
}

/// Tells waiting jobs what has become of their campaigns, that they are cancelled, have a newer run or keep other hours:
/// after the start, and whenever a campaign changes.
pub async fn campaigns(ledger: Ledger) {
    let mut changes = ledger.store().changes();
    loop {
        let pass = async {
            let cleared = ledger.clear_cancelled().await? | ledger.clear_superseded().await?;
            Ok::<_, StoreError>((cleared, ledger.follow_hours().await?))
        };
        match pass.await {
            Ok((true, _)) => continue,
            Ok((false, true)) => {
                tokio::time::sleep(SETTLING).await;
                continue;
            }
            Ok((false, false)) => {}
            Err(error) => {
                tracing::error!(%error, "cannot tell what waits in campaigns that changed: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        }
        // Also after a while without news: what another process changed may be lost on its way here.
        if campaigns_change(&mut changes, tokio::time::Instant::now() + LONGEST).await == Feed::Closed {
            return;
        }
    }
}

/// Whether more news will come.
#[derive(PartialEq, Eq)]
enum Feed {
    Open,
    Closed,
}

/// Returns when a campaign may have changed, and at `until` at the latest.
async fn campaigns_change(changes: &mut Receiver<Change>, until: tokio::time::Instant) -> Feed {
    loop {
        match tokio::time::timeout_at(until, changes.recv()).await {
            Ok(Ok(Change::Campaign(_) | Change::Gap) | Err(RecvError::Lagged(_))) | Err(_) => return Feed::Open,
            Ok(Ok(_)) => {}
            Ok(Err(RecvError::Closed)) => return Feed::Closed,
        }
    }
}
