//! Reads what calls cost, which Twilio names some time after their end.
//!
//! The record orders it: a job that is over keeps a deadline while a price is missing, for as long as
//! [`price_waits`](gymcall_jobs::rules::Rules::price_waits) says. Calls that ended a moment ago are many and stand at the
//! top of Twilio's list, so their prices are read off one page; those of later looks are few, and asked for one by one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gymcall_jobs::id::{CallSid, JobId};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::reconcile::news_of;
use crate::twilio::client::{Client, RemoteCall, RequestError};

/// Calls that were dialled no longer ago are looked for in the list.
const RECENT: SignedDuration = SignedDuration::from_mins(30);
/// Pages of the list that are read for one batch, of 200 calls each.
const PAGES: usize = 5;
/// Between two questions about one call each: there is no hurry, and Twilio counts requests that are open.
const BETWEEN: Duration = Duration::from_millis(100);
/// No batch is gathered for longer.
const GATHER: Duration = Duration::from_secs(10);

/// A call whose price is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Unpriced {
    pub(crate) job: JobId,
    pub(crate) call: CallSid,
    /// When it was dialled.
    pub(crate) since: Timestamp,
}

/// Reads prices. What it cannot read now is ordered again by the job's next deadline.
pub(crate) struct PriceReader {
    ledger: Ledger,
    twilio: Arc<Client>,
    from_number: String,
}

impl PriceReader {
    pub(crate) fn new(ledger: Ledger, twilio: Arc<Client>, from_number: String) -> Self {
        Self { ledger, twilio, from_number }
    }

    /// Reads the prices of the calls that are named, many together, until nobody can name any more.
    pub(crate) async fn run(self, mut wanted: UnboundedReceiver<Unpriced>) {
        let first_wait = self.ledger.rules().price_waits.first().copied().unwrap_or_default();
        let gather = Duration::try_from(first_wait / 6).unwrap_or(GATHER).min(GATHER);
        while let Some(first) = wanted.recv().await {
            tokio::time::sleep(gather).await;
            let mut batch = vec![first];
            while let Ok(more) = wanted.try_recv() {
                batch.push(more);
            }
            let calls = batch.len();
            match self.read(batch).await {
                Ok(read) => tracing::debug!("the prices of {read} of {calls} calls were read"),
                Err(error) => tracing::warn!(%error, "prices cannot be read now: {error}"),
            }
        }
    }

    /// Says how many prices there were.
    async fn read(&self, batch: Vec<Unpriced>) -> Result<usize, PriceError> {
        let recent_since = self.ledger.now().saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
        let mut wanted: HashMap<CallSid, Unpriced> = batch.into_iter().map(|one| (one.call.clone(), one)).collect();
        let oldest = wanted.values().map(|one| one.since).filter(|since| *since >= recent_since).min();
        let mut read = 0;
        if let Some(oldest) = oldest
            && wanted.len() > 1
        {
            read += self.read_list(&mut wanted, oldest).await?;
        }
        for (sid, one) in wanted {
            tokio::time::sleep(BETWEEN).await;
            read += usize::from(self.tell(&one.job, self.twilio.fetch(&sid).await?).await?);
        }
        Ok(read)
    }

    /// Reads what the newest pages of the list show, and takes those calls out of the batch.
    async fn read_list(&self, wanted: &mut HashMap<CallSid, Unpriced>, oldest: Timestamp) -> Result<usize, PriceError> {
        let (mut read, mut next) = (0, None);
        for _ in 0..PAGES {
            let page = self.twilio.list_from(&self.from_number, next.as_ref()).await?;
            let ahead =
                page.server_date.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(self.ledger.now()));
            let begin = oldest.saturating_add(ahead - crate::reconcile::MATCH_WITHIN).unwrap_or(Timestamp::MIN);
            let past = page.calls.last().is_some_and(|last| last.date_created.is_some_and(|made| made < begin));
            for call in page.calls {
                if let Some(one) = wanted.remove(&call.sid) {
                    read += usize::from(self.tell(&one.job, call).await?);
                }
            }
            next = page.next;
            if wanted.is_empty() || past || next.is_none() {
                break;
            }
        }
        Ok(read)
    }

    /// Says whether there was a price to tell.
    async fn tell(&self, job: &JobId, call: RemoteCall) -> Result<bool, StoreError> {
        let priced = call.price.is_some();
        if priced {
            self.ledger.tell(job, news_of(None, call)).await?;
        }
        Ok(priced)
    }
}

/// Why prices were not read.
#[derive(Debug, thiserror::Error)]
enum PriceError {
    #[error(transparent)]
    Twilio(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
