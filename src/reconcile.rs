//! Carries out what the records order: hang up, take back, ask after a call, look up an unclear one,
//! read a price.
//!
//! Every order may be lost with its process and may be carried out twice: the job's deadline gives
//! it again. What Twilio says is told to the ledger like any other news.

use std::sync::Arc;

use gymcall_jobs::event::Event;
use gymcall_jobs::failpoint;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::{Ledger, Order};
use gymcall_jobs::step::Effect;
use gymcall_jobs::store::{NewEntry, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, mpsc};

use crate::price::{PriceReader, Unpriced};
use crate::twilio::client::{Client, Listing, RemoteCall, RequestError};
use crate::twilio::twiml;
use crate::voice::brief::Brief;
use crate::voice::language::Voice;

/// How many orders are carried out at once.
const AT_ONCE: usize = 16;
/// How far Twilio's `date_created`, in whole seconds, may be from the time of the request.
pub(crate) const MATCH_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Characters that Twilio takes of a document in an update.
const MOST_TWIML: usize = 4_000;

/// Carries out orders against Twilio. Cheap to clone.
#[derive(Clone)]
pub struct Reconciler {
    ledger: Ledger,
    twilio: Arc<Client>,
    from_number: String,
    voice: Voice,
}

impl Reconciler {
    /// A reconciler for calls that come from `from_number`, and whose messages are left in this voice.
    pub fn new(ledger: Ledger, twilio: Arc<Client>, from_number: String, voice: Voice) -> Self {
        Self { ledger, twilio, from_number, voice }
    }

    /// Carries out orders until nobody can give any.
    pub async fn run(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let (unpriced, wanted) = mpsc::unbounded_channel();
        let prices = PriceReader::new(self.ledger.clone(), Arc::clone(&self.twilio), self.from_number.clone());
        // They end together: a price that is not read now is ordered again.
        tokio::select! {
            () = self.obey(&mut orders, &unpriced) => {}
            () = prices.run(wanted) => {}
        }
    }

    async fn obey(&self, orders: &mut mpsc::UnboundedReceiver<Order>, unpriced: &mpsc::UnboundedSender<Unpriced>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Some(order) = orders.recv().await {
            // Nobody waits for those, and a hang-up must not wait behind them.
            if let Effect::ReadPrice { call, since } = order.effect {
                let _ = unpriced.send(Unpriced { job: order.job, call, since });
                continue;
            }
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let reconciler = self.clone();
            tokio::spawn(async move {
                reconciler.carry_out(order).await;
                drop(place);
            });
        }
    }

    /// After the start of the only process on a store: nobody else can have a request in flight,
    /// and every call that is on record may have ended while nobody listened.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            let page = self.ledger.store().open_jobs(cursor, 200).await?;
            for job in page.items.iter().map(|stored| &stored.record) {
                if let Phase::Dialing { .. } = job.phase()
                    && let Err(error) = self.ledger.tell(job.id(), Event::DialerDied).await
                {
                    // Its deadline says the same some seconds later; the others need not wait for it.
                    tracing::error!(job_id = %job.id(), %error, "job {}: cannot be recovered: {error}", job.id());
                }
                if let Some(call) = job.call() {
                    self.ledger.order(job.id(), [Effect::Fetch(call.clone())]);
                }
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn carry_out(&self, Order { job, effect }: Order) {
        let done = match &effect {
            Effect::Fetch(call) => self.news(&job, self.twilio.fetch(call).await).await,
            Effect::HangUp(call) => self.end(&job, call, self.twilio.hang_up(call).await).await,
            Effect::TakeBack(call) => self.end(&job, call, self.twilio.take_back(call).await).await,
            Effect::LeaveMessage(call) => self.leave_message(&job, call).await,
            Effect::LookUp { tag, since } => self.look_up(&job, tag, *since).await,
            Effect::ReadPrice { .. } | Effect::Suppress => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(job_id = %job, ?effect, %error, "job {job}: an order failed: {error}");
        }
    }

    /// Has the call say the campaign's message and end. Once only: a message that is asked for twice begins anew.
    async fn leave_message(&self, id: &JobId, call: &CallSid) -> Result<(), ReconcileError> {
        let store = self.ledger.store();
        let Some(job) = store.job(id).await?.map(|stored| stored.record) else { return Ok(()) };
        let campaign = self.ledger.campaign_of(&job).await?;
        let brief = Brief::of(&job, campaign.as_ref());
        let Some(message) = campaign.as_ref().and_then(|campaign| campaign.policy.message()) else {
            return self.end(id, call, self.twilio.hang_up(call).await).await;
        };
        let message = brief.fill(message);
        let voice = self.voice.for_job(&job);
        let document = twiml::leave_message(0, &message, voice.name.as_deref(), voice.said_in());
        let refused = match document {
            Ok(document) if document.chars().count() <= MOST_TWIML => self.twilio.instruct(call, &document).await.err(),
            // Its columns hold a novel.
            Ok(_) | Err(_) => {
                self.note(id, "message_too_long", "the message is too long for Twilio".to_owned()).await?;
                return self.end(id, call, self.twilio.hang_up(call).await).await;
            }
        };
        match refused {
            None => {
                tracing::info!(job_id = %id, call_sid = %call, "job {id}: a message is left for a machine");
                self.note(id, "message_left", message).await
            }
            Some(error) => self.note(id, "message_failed", error.to_string()).await,
        }?;
        Ok(())
    }

    /// An end that Twilio refuses is mostly a call that has ended: so ask.
    async fn end(
        &self,
        job: &JobId,
        call: &CallSid,
        reply: Result<RemoteCall, RequestError>,
    ) -> Result<(), ReconcileError> {
        match reply {
            Ok(remote) => self.news(job, Ok(remote)).await,
            Err(RequestError::NoReply { why }) => Err(RequestError::NoReply { why }.into()),
            Err(_) => self.news(job, self.twilio.fetch(call).await).await,
        }
    }

    async fn news(&self, job: &JobId, reply: Result<RemoteCall, RequestError>) -> Result<(), ReconcileError> {
        self.ledger.tell(job, news_of(None, reply?)).await?;
        Ok(())
    }

    /// Searches Twilio's list for the call that an unclear request may have made. Whatever comes of it
    /// is in the job's history: a person may have to decide by it.
    async fn look_up(&self, id: &JobId, tag: &Tag, since: Timestamp) -> Result<(), ReconcileError> {
        let Some(job) = self.ledger.store().job(id).await? else {
            return Ok(());
        };
        if !matches!(job.record.phase(), Phase::Unknown { tag: open, .. } if open == tag) {
            // Somebody found out before.
            return Ok(());
        }
        let searched = self.search(&job.record, tag, since).await;
        if let Err(error) = &searched {
            self.note(id, "look_up_failed", error.to_string()).await?;
        }
        let Searched { listed, silent, found } = searched?;
        if found.is_empty() {
            let to = &job.record.gym().phone;
            let detail = match silent {
                None => format!("{listed} calls to {to} are listed, none of them made by this request"),
                Some(RemoteCall { sid, status, .. }) => format!(
                    "{listed} calls to {to} are listed: call {sid} ({status}) is of that moment, and Twilio does not \
                     show what it has asked for it"
                ),
            };
            self.ledger.tell(id, Event::NotFound { tag: tag.clone(), detail }).await?;
        }
        for call in found {
            let detail = format!("call {} is listed, and was made by this request", call.sid);
            self.note(id, "found", detail).await?;
            self.ledger.tell(id, news_of(Some(tag.clone()), call)).await?;
        }
        failpoint!("K3");
        Ok(())
    }

    /// The calls whose own requests to us carry the tag: that alone proves that one was made for it.
    ///
    /// Number, time and being the only one do not. Somebody else may call the gym from the same number of
    /// the account, Twilio's list may show that call before ours, and its events later than the list. A
    /// stranger's call that was taken for ours would have ours hung up as a second one, and its end
    /// would have the gym called again. So a call that shows nothing yet is not taken.
    async fn search(&self, job: &CallJob, tag: &Tag, since: Timestamp) -> Result<Searched, RequestError> {
        let listing = self.twilio.list(job.gym().phone.as_str(), &self.from_number).await?;
        failpoint!("K2");
        let listed = listing.calls.len();
        let (mut found, mut silent) = (Vec::new(), None);
        for call in candidates(listing, since, self.ledger.rules().dial_deadline, self.ledger.now()) {
            if is_on_record(job, &call.sid) {
                continue;
            }
            let urls = self.twilio.request_urls(&call.sid).await?;
            if urls.iter().any(|url| url.contains(tag.as_str())) {
                found.push(call);
            } else if urls.is_empty() {
                silent = Some(call);
            }
        }
        Ok(Searched { listed, silent, found })
    }

    async fn note(&self, id: &JobId, kind: &str, detail: String) -> Result<(), StoreError> {
        let detail = serde_json::json!({ "detail": detail });
        self.ledger
            .note(id, vec![NewEntry { at: self.ledger.now(), kind: kind.to_owned(), detail, ignored: None }])
            .await
    }
}

/// What Twilio's list shows.
struct Searched {
    /// How many calls to the number, from whenever.
    listed: usize,
    /// One of the moment of the request that shows no requests of its own.
    silent: Option<RemoteCall>,
    /// Those that the request made: one, or more if Twilio did something strange.
    found: Vec<RemoteCall>,
}

/// Whether an attempt of this job has the call already: then it is not the one that is looked for.
fn is_on_record(job: &CallJob, call: &CallSid) -> bool {
    job.attempts().iter().any(|attempt| attempt.call.as_ref() == Some(call) || attempt.conflicts.contains(call))
}

/// The listed calls that were made when this request was, by Twilio's clock.
fn candidates(
    listing: Listing,
    since: Timestamp,
    dial_deadline: SignedDuration,
    now: Timestamp,
) -> impl Iterator<Item = RemoteCall> {
    let ahead = listing.server_date.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(now));
    let from = since.saturating_add(ahead - MATCH_WITHIN).unwrap_or(Timestamp::MIN);
    let to = since.saturating_add(ahead + dial_deadline + MATCH_WITHIN).unwrap_or(Timestamp::MAX);
    listing.calls.into_iter().filter(move |call| call.date_created.is_some_and(|made| from <= made && made <= to))
}

/// What Twilio's record of a call says, as news of the attempt with this tag.
pub(crate) fn news_of(tag: Option<Tag>, remote: RemoteCall) -> Event {
    Event::CallNews {
        tag,
        call: remote.sid,
        status: remote.status,
        at: None,
        duration_s: remote.duration_s,
        price: remote.price,
        answered_by: remote.answered_by,
    }
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
enum ReconcileError {
    #[error(transparent)]
    Twilio(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
