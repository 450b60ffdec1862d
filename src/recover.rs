//! A store that forgot: finds out at Twilio which calls were made, and writes them back.
//!
//! A Redis that lost its last writes shows jobs as waiting whose gyms were called. While the store is in doubt
//! ([`gymcall_jobs::store::Store::doubts`]) it lets no dial begin. Here every call that may have been forgotten is
//! listed, and the URLs that Twilio requested for it say whose it was: the job and the tag are in them. Then the
//! doubt is dispelled. Any process may do this, all at once, and as often as they like: it only repeats news.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::CallSid;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::{Ledger, Told};
use gymcall_jobs::store::{Doubt, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use url::Url;

use crate::reconcile::{MATCH_WITHIN, news_of};
use crate::twilio::callback::CallbackQuery;
use crate::twilio::client::{Client, RemoteCall, RequestError};

/// How many calls are asked after at once.
const AT_ONCE: usize = 16;
/// How long after the last possible request Twilio may take to list its call.
const LISTED_WITHIN: Duration = Duration::from_secs(2);
/// How long Twilio may take to show what it has requested for a call that is beyond its queue. A call without
/// any request after that is not one of ours.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
/// No call is older than this that the store may have forgotten while it still knows the job: only a store that
/// was emptied does not know since when it forgot.
const AT_MOST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long to wait before Twilio is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long a doubt that was dispelled may take to go away before it is looked into again.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// Clears up doubts. Cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    ledger: Ledger,
    twilio: Arc<Client>,
    from_number: String,
    /// How long after a doubt arose a request may be in flight that was let go before.
    in_flight: Duration,
}

impl Recovery {
    /// For calls from `from_number`, placed by diallers whose requests take at most `http_timeout`.
    pub fn new(ledger: Ledger, twilio: Arc<Client>, from_number: String, http_timeout: Duration) -> Self {
        let deadline = Duration::try_from(ledger.rules().dial_deadline).unwrap_or_default();
        // The dialler sends within a second at least, however long its request may take.
        let in_flight = deadline.max(http_timeout + Duration::from_secs(1));
        Self { ledger, twilio, from_number, in_flight }
    }

    /// Waits for doubts, and clears up each.
    pub async fn run(self) {
        let mut doubts = self.ledger.store().doubts();
        loop {
            let doubt = doubts.borrow_and_update().clone();
            let Some(doubt) = doubt else {
                if doubts.changed().await.is_err() {
                    return std::future::pending().await;
                }
                continue;
            };
            // Another process may be faster, or the store may forget once more meanwhile.
            let over = doubts.wait_for(|now| now.as_ref() != Some(&doubt));
            tokio::select! {
                () = self.clear_up(&doubt) => {}
                _ = over => continue,
            }
            let _ = tokio::time::timeout(GONE_WITHIN, doubts.changed()).await;
        }
    }

    async fn clear_up(&self, doubt: &Doubt) {
        tracing::error!(
            "the store may have forgotten what happened since {}: nothing is dialled until Twilio was asked",
            doubt.since
        );
        tokio::time::sleep(self.in_flight + LISTED_WITHIN).await;
        let mut search = Search { begun: Instant::now(), cleared: HashSet::new() };
        loop {
            match self.write_back(doubt, &mut search).await {
                Ok(0) => match self.ledger.store().dispel(doubt).await {
                    Ok(()) => break,
                    Err(error) => tracing::error!(%error, "the store takes no word of what was cleared up: {error}"),
                },
                Ok(open) => tracing::warn!("{open} calls cannot be told yet whose they are: dialling waits for them"),
                Err(error) => tracing::error!(%error, "what the store forgot cannot be found out yet: {error}"),
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
        let calls = search.cleared.len();
        tracing::warn!("{calls} calls since {} were looked at: dialling goes on", doubt.since);
    }

    /// Writes back what can be. Says of how many calls it cannot be told yet whose they are.
    async fn write_back(&self, doubt: &Doubt, search: &mut Search) -> Result<usize, RecoveryError> {
        let mut calls = self.made_since(doubt).await?;
        calls.retain(|call| !search.cleared.contains(&call.sid));
        // Oldest first: of two calls to a gym, the second was a new attempt.
        calls.reverse();
        let asked = stream::iter(calls).map(async |call| (self.twilio.request_urls(&call.sid).await, call));
        let mut asked = std::pin::pin!(asked.buffered(AT_ONCE));
        let mut open = 0;
        while let Some((urls, call)) = asked.next().await {
            let sid = call.sid.clone();
            let urls = urls?;
            let cleared = match urls.iter().find_map(|url| ours(url)) {
                Some(query) => self.settle(&query, call).await?,
                None => !urls.is_empty() || search.is_nobodys(&call),
            };
            if cleared {
                search.cleared.insert(sid);
            } else {
                open += 1;
            }
        }
        Ok(open)
    }

    /// All calls that may have been forgotten, the newest first.
    async fn made_since(&self, doubt: &Doubt) -> Result<Vec<RemoteCall>, RequestError> {
        let (mut calls, mut next) = (Vec::new(), None);
        let oldest = self.ledger.now().saturating_sub(AT_MOST).unwrap_or(Timestamp::MIN);
        let forgotten_since = doubt.since.max(oldest);
        loop {
            let page = self.twilio.list_from(&self.from_number, next.as_ref()).await?;
            let now = self.ledger.now();
            let ahead = page.server_date.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(now));
            let since = forgotten_since.saturating_add(ahead - MATCH_WITHIN).unwrap_or(Timestamp::MIN);
            // One without a date may be as new as any.
            let listed = page.calls.len();
            let new = page.calls.into_iter().filter(|call| call.date_created.is_none_or(|made| made >= since));
            let before = calls.len();
            calls.extend(new);
            next = page.next;
            // The list is in order, but for calls of the same moment: a whole page of old ones ends it.
            if next.is_none() || (listed > 0 && calls.len() == before) {
                return Ok(calls);
            }
        }
    }

    /// Tells the job of a call that is ours. Says whether the job has it on record now, or never will.
    async fn settle(&self, query: &CallbackQuery, call: RemoteCall) -> Result<bool, StoreError> {
        let (id, sid) = (&query.job, call.sid.clone());
        let Some(stored) = self.ledger.store().job(id).await? else {
            tracing::error!(
                call_sid = %sid,
                "call {sid} was made for job {id}, which the store has forgotten whole: import its gyms again with care"
            );
            return Ok(true);
        };
        if is_settled(&stored.record, &sid) {
            return Ok(true);
        }
        let told = self.ledger.remind(id, &query.tag, news_of(Some(query.tag.clone()), call)).await?;
        let Told::Ignored(_, job) = told else { return Ok(true) };
        if !job.has_forgotten(&query.tag) {
            return Ok(true);
        }
        // Another job's attempt holds the number. It ends soon, or a person has to say how it ended; until then
        // this job cannot say that its gym was called, so it must not be dialled at all.
        if self.holder_is_quarantined(&job).await? {
            self.ledger.tell(id, Event::Overtaken).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn holder_is_quarantined(&self, job: &CallJob) -> Result<bool, StoreError> {
        let store = self.ledger.store();
        let Some(holder) = store.number_holder(&job.gym().phone).await? else { return Ok(false) };
        Ok(store.job(&holder).await?.is_some_and(|holder| holder.record.status() == Status::Quarantined))
    }
}

/// What was found out up to now.
struct Search {
    begun: Instant,
    /// Calls that need no further look.
    cleared: HashSet<CallSid>,
}

impl Search {
    /// Whether a call that Twilio has requested nothing for can be left alone.
    fn is_nobodys(&self, call: &RemoteCall) -> bool {
        match call.status {
            // Its first request is still to come.
            CallStatus::Queued => false,
            // It was taken back before anything happened: no phone rang.
            CallStatus::Canceled => true,
            // Twilio shows its requests with a delay.
            _ => self.begun.elapsed() > SHOWN_WITHIN,
        }
    }
}

/// The job and the tag, if this is a URL that we gave to Twilio.
fn ours(url: &str) -> Option<CallbackQuery> {
    CallbackQuery::parse(Url::parse(url).ok()?.query()?).ok()
}

/// Whether the job has the call on record, and that it is over: there is nothing to tell.
fn is_settled(job: &CallJob, call: &CallSid) -> bool {
    let attempt = job.attempts().iter().find(|attempt| attempt.call.as_ref() == Some(call));
    attempt.is_some_and(|attempt| attempt.status.is_some_and(CallStatus::is_terminal))
}

/// Why the calls were not written back.
#[derive(Debug, thiserror::Error)]
enum RecoveryError {
    #[error(transparent)]
    Twilio(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
