//! The wiring: what `gymcall serve` and `gymcall worker` are made of, on one page.

mod keeper;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gymcall_jobs::due::DueJobs;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::{Capacity, StoreError, redis, sqlite};
use gymcall_jobs::{scheduler, sweep};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{ConfigError, Settings, Speech, TwilioAccount};
use crate::dial::Dialer;
use crate::notify::deliver::Deliveries;
use crate::notify::sender::{Sender, SystemNames};
use crate::notify::target::Reach;
use crate::reconcile::Reconciler;
use crate::recover::Recovery;
use crate::server::{self, Parts, Server, Signatures};
use crate::twilio::client::{Account, Client, ClientError};
use crate::twilio::public_url::{PublicBase, PublicUrlError};
use crate::twilio::signature::Verifier;
use crate::voice::language::Voice;
use crate::worker;
use keeper::Keeper;

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves, and dials what is due.
    ServeAndDial,
    /// It serves, and leaves the dialling to others.
    Serve,
    /// It dials, and leaves the calls to the servers.
    Dial,
}

impl Role {
    const fn serves(self) -> bool {
        !matches!(self, Role::Dial)
    }

    const fn dials(self) -> bool {
        !matches!(self, Role::Serve)
    }
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The embedded store cannot be opened.
    #[error("{0}. GYMCALL_DATA_DIR names another folder")]
    Open(#[from] sqlite::OpenError),
    /// Redis cannot be used.
    #[error("REDIS_URL: {0}")]
    Redis(#[from] redis::OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}. GYMCALL_BIND, or --bind, names another address")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// No client for Twilio can be made.
    #[error(transparent)]
    Twilio(#[from] ClientError),
    /// PUBLIC_BASE_URL cannot be used.
    #[error("PUBLIC_BASE_URL: {0}")]
    PublicUrl(#[from] PublicUrlError),
}

/// A process at work.
pub struct Running {
    ledger: Ledger,
    serving: Option<Serving>,
    stop_dialling: CancellationToken,
    stop_serving: CancellationToken,
    worker: Option<JoinHandle<()>>,
    tasks: JoinSet<()>,
    keeper: Keeper,
}

/// The side that users and Twilio reach.
struct Serving {
    address: SocketAddr,
    server: Arc<Server>,
}

/// How long live calls may go on after the process was told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(30);

/// Starts everything that the role needs: store, sweep, worker, server.
///
/// `missing_credentials` is what to tell users when the settings hold no Twilio account.
pub async fn start(settings: &Settings, missing_credentials: String, role: Role) -> Result<Running, StartError> {
    let keeper = Keeper::open(settings).await?;
    let listener = if role.serves() { Some(listen(settings.bind).await?) } else { None };
    let address = listener.as_ref().map(|(_, address)| *address);
    let base = PublicBase::new(&public_url(settings, address)?)?;
    let store = keeper.store();
    let (ledger, orders) = Ledger::new(Arc::clone(&store), rules(settings), capacity(settings));
    let (stop_dialling, stop_serving) = (CancellationToken::new(), CancellationToken::new());
    let (mut worker, mut tasks) = (None, JoinSet::new());
    let mut twilio = None;
    if let Some(account) = &settings.twilio {
        let client = Arc::new(Client::new(account_of(settings, account), settings.http_timeout())?);
        twilio = Some(Arc::clone(&client));
        let reconciler =
            Reconciler::new(ledger.clone(), Arc::clone(&client), account.from_number.clone(), voice(settings));
        if !keeper.is_shared() {
            reconciler.recover().await?;
        }
        tasks.spawn(until(stop_serving.clone(), reconciler.run(orders)));
        let from_number = account.from_number.clone();
        let recovery = Recovery::new(ledger.clone(), Arc::clone(&client), from_number, settings.http_timeout());
        tasks.spawn(until(stop_serving.clone(), recovery.run()));
        if role.dials() {
            tracing::info!("dialling what is due: Twilio calls back at {}", base.http_url("/"));
            let detection = settings.machine_detection;
            let dialer = Dialer::new(ledger.clone(), client, base.clone(), detection, settings.http_timeout());
            let due = DueJobs::of(store, ledger.capacity());
            worker = Some(tokio::spawn(worker::run(due, dialer, stop_dialling.clone())));
        }
        tasks.spawn(until(stop_serving.clone(), sweep::deadlines(ledger.clone())));
        tasks.spawn(until(stop_serving.clone(), scheduler::run(ledger.clone(), rand::random)));
    }
    tasks.spawn(until(stop_serving.clone(), sweep::campaigns(ledger.clone())));
    tasks.spawn(until(stop_serving.clone(), sweep::resumed(ledger.clone())));
    let serving = listener.map(|(listener, address)| {
        let sender = Sender::new(reach(settings), Arc::new(SystemNames));
        let server = Arc::new(Server::new(Parts {
            ledger: ledger.clone(),
            base,
            signatures: signatures(settings),
            can_call: settings.twilio.as_ref().map(|_| ()).ok_or(missing_credentials),
            api_key: settings.api_key.clone(),
            stopping: stop_dialling.clone(),
            phones: settings.phone_rules.clone(),
            twilio,
            speech: settings.speech.clone(),
            machine_detection: settings.machine_detection,
            closing: stop_serving.clone(),
            sender: sender.clone(),
        }));
        let deliveries = Deliveries::new(Arc::clone(ledger.store()), sender, settings.webhook_waits.clone());
        tasks.spawn(deliveries.run(stop_serving.clone()));
        tasks.spawn(serve(listener, Arc::clone(&server), stop_serving.clone()));
        tracing::info!(%address, "listening on http://{address}");
        Serving { address, server }
    });
    Ok(Running { ledger, serving, stop_dialling, stop_serving, worker, tasks, keeper })
}

impl Running {
    /// Where it listens; none if it does not serve.
    pub fn url(&self) -> Option<String> {
        self.serving.as_ref().map(|serving| format!("http://{}", serving.address))
    }

    /// Its records, for whoever runs it in their own process.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns when a part of it has ended by itself: then it does its work no more, and should be
    /// started again.
    pub async fn broken(&mut self) {
        let worker = async {
            match &mut self.worker {
                Some(worker) => drop(worker.await),
                None => std::future::pending().await,
            }
        };
        let worker_ended = tokio::select! {
            () = worker => true,
            _ = self.tasks.join_next() => false,
        };
        if worker_ended {
            // Its end is told once.
            self.worker = None;
        }
    }

    /// Takes no new work, lets requests in flight and live calls end, then stops.
    pub async fn stop(mut self) {
        self.stop_dialling.cancel();
        if let Some(worker) = self.worker.take() {
            drop(worker.await);
        }
        if tokio::time::timeout(FINISH_WITHIN, self.calls_end()).await.is_err() {
            tracing::warn!("calls are still going on: they are looked up at the next start, or by their deadlines");
        }
        self.stop_serving.cancel();
        while tokio::time::timeout(FINISH_WITHIN, self.tasks.join_next()).await.is_ok_and(|next| next.is_some()) {}
        self.tasks.shutdown().await;
        let Self { ledger, serving, keeper, .. } = self;
        drop((ledger, serving));
        keeper.close().await;
    }

    /// Waits until the calls that hang on this process are over, and what was said in them is stored.
    async fn calls_end(&self) {
        let Some(serving) = &self.serving else { return };
        // Where other servers work on the same records, Twilio's callbacks find those. Alone, this one is
        // needed until no call rings or goes on.
        if !self.keeper.is_shared() {
            self.no_call_is_live().await;
        }
        serving.server.unfinished.close();
        serving.server.unfinished.wait().await;
    }

    async fn no_call_is_live(&self) {
        let store = self.ledger.store();
        let mut changes = store.changes();
        // A call whose fate is unclear is not waited for: its look-ups take an hour.
        let is_live = |job: &CallJob| job.call().is_some() || job.status() == Status::Dialing;
        while store.open_jobs(None, 1_000).await.is_ok_and(|open| open.items.iter().any(|job| is_live(&job.record))) {
            // Also after a while without news: one that was missed must not keep the server here.
            let _ = tokio::time::timeout(Duration::from_secs(1), changes.recv()).await;
        }
    }
}

async fn listen(bind: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |error| StartError::Bind { address: bind, error };
    let listener = TcpListener::bind(bind).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

async fn serve(listener: TcpListener, server: Arc<Server>, stop: CancellationToken) {
    let serving = axum::serve(listener, server::router(server)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "the server broke off: {error}");
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    let _ = stop.run_until_cancelled(work).await;
}

/// Without one in the settings: this process itself, or the server that a worker beside it is meant to work with.
pub(crate) fn public_url(settings: &Settings, address: Option<SocketAddr>) -> Result<Url, ConfigError> {
    match &settings.public_base_url {
        Some(url) => Ok(url.clone()),
        None => {
            let port = address.map_or(settings.bind.port(), |address| address.port());
            let text = format!("http://localhost:{port}");
            Url::parse(&text).map_err(|error| ConfigError::Refused(format!("{text}: {error}")))
        }
    }
}

/// Whoever may use a server that only this machine reaches can reach this machine without it, too.
fn reach(settings: &Settings) -> Reach {
    if settings.is_local() { Reach::PublicAndThisMachine } else { Reach::Public }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        dial_deadline: settings.dial_deadline,
        look_up_waits: settings.look_up_waits.clone(),
        price_waits: settings.price_waits.clone(),
        recording: settings.recording,
        price_per_minute: Some(settings.price_per_minute),
        ..Rules::default()
    }
}

/// The voice that leaves messages, also where conversations are held in tones.
fn voice(settings: &Settings) -> Voice {
    match &settings.speech {
        Speech::Twilio(voice) => voice.clone(),
        Speech::Tones => Voice::default(),
    }
}

fn capacity(settings: &Settings) -> Capacity {
    Capacity { calls_per_second: settings.calls_per_second, lines: settings.max_concurrent_calls }
}

pub(crate) fn signatures(settings: &Settings) -> Signatures {
    match &settings.twilio {
        _ if !settings.validate_signature => Signatures::Unchecked,
        Some(account) => Signatures::Checked(verifier(account)),
        None => Signatures::NoToken,
    }
}

pub(crate) fn verifier(account: &TwilioAccount) -> Verifier {
    let verifier = Verifier::new(account.auth_token.clone()).with_keys(account.webhook_keys.clone());
    match &account.secondary_token {
        Some(token) => verifier.with_secondary(token.clone()),
        None => verifier,
    }
}

pub(crate) fn account_of(settings: &Settings, account: &TwilioAccount) -> Account {
    Account {
        account_sid: account.account_sid.clone(),
        auth_token: account.auth_token.clone(),
        base_url: settings.twilio_api_base_url.clone(),
        from_number: account.from_number.clone(),
    }
}
