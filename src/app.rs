//! The wiring: what `gymcall serve` is made of, on one page.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gymcall_jobs::due::DueJobs;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::sqlite::{self, SqliteStore};
use gymcall_jobs::store::{Capacity, Store, StoreError};
use gymcall_jobs::sweep;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{ConfigError, Settings, TwilioAccount};
use crate::dial::Dialer;
use crate::reconcile::Reconciler;
use crate::server::{self, Parts, Server, Signatures};
use crate::twilio::client::{Account, Client, ClientError};
use crate::twilio::public_url::{PublicBase, PublicUrlError};
use crate::twilio::signature::Verifier;
use crate::worker;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The embedded store cannot be opened.
    #[error(transparent)]
    Open(#[from] sqlite::OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
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

/// A server at work.
pub struct Running {
    address: SocketAddr,
    server: Arc<Server>,
    stop_dialling: CancellationToken,
    stop_serving: CancellationToken,
    worker: Option<JoinHandle<()>>,
    tasks: JoinSet<()>,
    store: Arc<SqliteStore>,
}

/// How long live calls may go on after the server was told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(30);

/// Starts everything: store, sweep, worker, server.
///
/// `missing_credentials` is what to tell users when the settings hold no Twilio account.
/// With `with_worker` false nothing is dialled here.
pub async fn start(settings: &Settings, missing_credentials: String, with_worker: bool) -> Result<Running, StartError> {
    let store = Arc::new(SqliteStore::open(&settings.data_dir, Arc::new(SystemClock))?);
    let listener =
        TcpListener::bind(settings.bind).await.map_err(|error| StartError::Bind { address: settings.bind, error })?;
    let address = listener.local_addr().map_err(|error| StartError::Bind { address: settings.bind, error })?;
    let base = PublicBase::new(&public_url(settings, address)?)?;
    let keeper: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    let (ledger, orders) = Ledger::new(Arc::clone(&keeper), rules(settings), capacity(settings));
    let (stop_dialling, stop_serving) = (CancellationToken::new(), CancellationToken::new());
    let server = Arc::new(Server::new(Parts {
        ledger: ledger.clone(),
        base: base.clone(),
        signatures: signatures(settings),
        can_call: settings.twilio.as_ref().map(|_| ()).ok_or(missing_credentials),
        api_key: settings.api_key.clone(),
        stopping: stop_dialling.clone(),
        phones: settings.phone_rules.clone(),
    }));
    let (mut worker, mut tasks) = (None, JoinSet::new());
    if let Some(account) = &settings.twilio {
        let client = Arc::new(Client::new(account_of(settings, account), settings.http_timeout())?);
        let reconciler = Reconciler::new(ledger.clone(), Arc::clone(&client), account.from_number.clone());
        reconciler.recover().await?;
        tasks.spawn(until(stop_serving.clone(), reconciler.run(orders)));
        if with_worker {
            let dialer = Dialer::new(ledger.clone(), client, base, settings.http_timeout());
            let due = DueJobs::of(keeper, ledger.capacity());
            worker = Some(tokio::spawn(worker::run(due, dialer, stop_dialling.clone())));
        }
        tasks.spawn(until(stop_serving.clone(), sweep::deadlines(ledger.clone())));
    }
    tasks.spawn(until(stop_serving.clone(), sweep::cancelled(ledger)));
    let router = server::router(Arc::clone(&server));
    let stop = stop_serving.clone();
    tasks.spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "the server broke off: {error}");
        }
    });
    tracing::info!(%address, "listening on http://{address}");
    Ok(Running { address, server, stop_dialling, stop_serving, worker, tasks, store })
}

impl Running {
    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its records, for whoever runs it in their own process.
    pub fn ledger(&self) -> &Ledger {
        &self.server.ledger
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
            tracing::warn!("calls are still going on: they are looked up at the next start");
        }
        self.stop_serving.cancel();
        while tokio::time::timeout(FINISH_WITHIN, self.tasks.join_next()).await.is_ok_and(|next| next.is_some()) {}
        self.tasks.shutdown().await;
        drop(self.server);
        if let Some(store) = Arc::into_inner(self.store) {
            store.close().await;
        }
    }

    /// Waits until no call is ringing or going on, and what was said in them is stored.
    async fn calls_end(&self) {
        let store = self.server.ledger.store();
        let mut changes = store.changes();
        // A call whose fate is unclear is not waited for: its look-ups take an hour.
        let is_live = |job: &CallJob| job.call().is_some() || job.status() == Status::Dialing;
        while store.open_jobs(None, 1_000).await.is_ok_and(|open| open.items.iter().any(|job| is_live(&job.record))) {
            // Also after a while without news: one that was missed must not keep the server here.
            let _ = tokio::time::timeout(Duration::from_secs(1), changes.recv()).await;
        }
        self.server.unfinished.close();
        self.server.unfinished.wait().await;
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    let _ = stop.run_until_cancelled(work).await;
}

fn public_url(settings: &Settings, address: SocketAddr) -> Result<Url, ConfigError> {
    match &settings.public_base_url {
        Some(url) => Ok(url.clone()),
        None => {
            let text = format!("http://localhost:{}", address.port());
            Url::parse(&text).map_err(|error| ConfigError::Refused(format!("{text}: {error}")))
        }
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules { dial_deadline: settings.dial_deadline, look_up_waits: settings.look_up_waits.clone(), ..Rules::default() }
}

fn capacity(settings: &Settings) -> Capacity {
    Capacity { calls_per_second: settings.calls_per_second, lines: settings.max_concurrent_calls }
}

fn signatures(settings: &Settings) -> Signatures {
    match &settings.twilio {
        _ if !settings.validate_signature => Signatures::Unchecked,
        Some(account) => Signatures::Checked(Verifier::new(account.auth_token.clone())),
        None => Signatures::NoToken,
    }
}

fn account_of(settings: &Settings, account: &TwilioAccount) -> Account {
    Account {
        account_sid: account.account_sid.clone(),
        auth_token: account.auth_token.clone(),
        base_url: settings.twilio_api_base_url.clone(),
        from_number: account.from_number.clone(),
    }
}
