//! The telephone exchange: all that the parts of one running simulator share.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::account::pace::Pace;
use crate::call::Call;
use crate::clock::Clock;
use crate::fault::{Kind, RequestFate};
use crate::log::{Event, Log};
use crate::notification::Notifications;
use crate::recording;
use crate::settings::Settings;
use crate::signature::Signing;
use crate::speech::Speaker;
use crate::status::Status;
use crate::stream;
use crate::tasks::Tasks;

pub(crate) struct Exchange {
    pub(crate) settings: Settings,
    pub(crate) log: Log,
    pub(crate) tasks: Tasks,
    pub(crate) pace: Pace,
    pub(crate) clock: Clock,
    pub(crate) streams: stream::Book,
    /// Where the REST API is, as `http://127.0.0.1:4010`.
    pub(crate) base_url: String,
    pub(crate) recordings: recording::Book,
    pub(crate) speaker: Arc<Speaker>,
    /// What Twilio would put into its debugger.
    pub(crate) notifications: Notifications,
    /// When it was started.
    pub(crate) since: Timestamp,
    /// Whether the simulator ends.
    pub(crate) closing: watch::Sender<bool>,
    /// Requests to the REST API that are being answered.
    pub(crate) open_requests: AtomicUsize,
    book: Mutex<Book>,
    signing: RwLock<Signing>,
}

/// Every call there has been, and how often what was done.
#[derive(Default)]
struct Book {
    calls: Vec<Arc<Call>>,
    by_sid: HashMap<String, usize>,
    creates: u64,
    creates_by_number: HashMap<String, u64>,
    dials_by_number: HashMap<String, usize>,
    requests: HashMap<Kind, u64>,
}

impl Exchange {
    pub(crate) fn new(
        settings: Settings,
        log: Log,
        pace: Pace,
        clock: Clock,
        speaker: Speaker,
        base_url: String,
    ) -> Exchange {
        let signing = RwLock::new(settings.signing.clone());
        Exchange {
            settings,
            log,
            tasks: Tasks::new(),
            pace,
            clock,
            streams: stream::Book::default(),
            base_url,
            recordings: recording::Book::default(),
            speaker: Arc::new(speaker),
            notifications: Notifications::default(),
            since: Timestamp::now(),
            closing: watch::Sender::new(false),
            open_requests: AtomicUsize::new(0),
            book: Mutex::default(),
            signing,
        }
    }

    /// The path under which the account's resources are.
    pub(crate) fn account_path(&self) -> String {
        format!("/2010-04-01/Accounts/{}", self.settings.account_sid)
    }

    /// Where a list of things is that a call has, or the whole account.
    pub(crate) fn list_path(&self, call: Option<&str>, things: &str) -> String {
        match call {
            Some(sid) => format!("{}/Calls/{sid}/{things}.json", self.account_path()),
            None => format!("{}/{things}.json", self.account_path()),
        }
    }

    /// With what requests are signed now.
    pub(crate) fn signing(&self) -> Signing {
        self.signing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn sign_with(&self, signing: Signing) {
        *self.signing.write().unwrap_or_else(PoisonError::into_inner) = signing;
    }

    /// Numbers a create request: among all of them, and among those to `to`. Both from 0.
    pub(crate) fn next_create(&self, to: &str) -> (u64, u64) {
        let mut book = self.book();
        let ordinal = book.creates;
        book.creates += 1;
        let nth = book.creates_by_number.entry(to.to_owned()).or_default();
        *nth += 1;
        (ordinal, *nth - 1)
    }

    /// Waits until the simulator ends: what waits for anything else gives up then.
    pub(crate) async fn closed(&self) {
        // It holds the sender, so this cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// How long it has run.
    pub(crate) fn age(&self) -> Duration {
        Timestamp::now().duration_since(self.since).unsigned_abs()
    }

    /// Numbers a request that creates no call among those of its kind, and decides what becomes of it.
    pub(crate) fn next_request(&self, kind: Kind) -> RequestFate {
        let mut book = self.book();
        let count = book.requests.entry(kind).or_default();
        *count += 1;
        self.settings.faults.request_fate(self.settings.seed, kind, *count - 1, self.age())
    }

    /// Numbers a dialled call among those to `to`, from 0.
    pub(crate) fn next_dial(&self, to: &str) -> usize {
        let mut book = self.book();
        let nth = book.dials_by_number.entry(to.to_owned()).or_default();
        *nth += 1;
        *nth - 1
    }

    pub(crate) fn enter(&self, call: Arc<Call>) {
        let mut book = self.book();
        let index = book.calls.len();
        book.by_sid.insert(call.sid.clone(), index);
        book.calls.push(call);
    }

    pub(crate) fn call(&self, sid: &str) -> Option<Arc<Call>> {
        let book = self.book();
        let index = *book.by_sid.get(sid)?;
        book.calls.get(index).cloned()
    }

    /// Every call, the newest first.
    pub(crate) fn calls(&self) -> Vec<Arc<Call>> {
        self.book().calls.iter().rev().cloned().collect()
    }

    /// How many calls are dialled and not over.
    pub(crate) fn live_calls(&self) -> usize {
        self.book().calls.iter().filter(|call| call.status().is_live()).count()
    }

    /// Takes a call out of the list, and out of everything that is found by its SID.
    pub(crate) fn forget(&self, sid: &str) {
        let mut book = self.book();
        book.calls.retain(|call| call.sid != sid);
        book.by_sid = book.calls.iter().enumerate().map(|(index, call)| (call.sid.clone(), index)).collect();
    }

    /// Moves a call on, notes it, and tells its client. False if it did not stand at one of `from`.
    pub(crate) fn advance(self: &Arc<Self>, call: &Arc<Call>, from: &[Status], to: Status) -> bool {
        let was_queued = call.status() == Status::Queued;
        if !call.advance(from, to) {
            return false;
        }
        self.log.add(Event::Status { sid: call.sid.clone(), to: call.order.to.clone(), status: to });
        // Twilio tells nobody of a call that was taken back before it was dialled.
        if !(was_queued && to == Status::Canceled) {
            crate::callback::report(self, call, to);
        }
        true
    }

    /// Notes what Twilio would put into its debugger.
    pub(crate) fn warn(&self, sid: Option<&str>, code: u32, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!(sid, code, %message, "simulator");
        let call = sid.and_then(|sid| self.call(sid));
        self.notifications.note(call.as_deref(), code, &message);
        self.log.add(Event::Warning { sid: sid.map(str::to_owned), code, message });
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
