//! Starting and ending a simulator.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::account::pace::{self, Pace};
use crate::clock::Clock;
use crate::exchange::Exchange;
use crate::log::Log;
use crate::rest;
use crate::settings::Settings;
use crate::signature::Signing;
use crate::speech::{Speaker, SpeechError};
use crate::webhook;
use crate::wire::{Cutter, Door};

/// How long open requests may take to end with the simulator.
const LAST_REPLIES: Duration = Duration::from_secs(1);

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, io::Error),
    /// The log file cannot be opened.
    #[error("cannot open the log: {0}")]
    Log(io::Error),
    /// The thread that keeps the time of the lines cannot be started.
    #[error("cannot start the clock: {0}")]
    Clock(io::Error),
    /// The program that was to speak does not.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The pace is not a number of calls above zero.
    #[error("{0} is not a pace: calls per second must be above 0")]
    Pace(f64),
}

/// Why the app gave no reply to [`Simulator::post_json`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostError(String);

/// A running Twilio. It ends, with everything it has started, when this is dropped.
pub struct Simulator {
    exchange: Arc<Exchange>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Starts to listen. Must be called inside a tokio runtime with time and I/O.
    pub async fn start(settings: Settings) -> Result<Simulator, StartError> {
        let pace = settings.calls_per_second;
        // Above zero, and not so slow that the wait between two calls has no length any more.
        if !(pace.is_finite() && pace >= 1e-6) {
            return Err(StartError::Pace(pace));
        }
        let speaker = Speaker::start(settings.speech).await?;
        let log = Log::open(settings.log_path.as_deref()).map_err(StartError::Log)?;
        let bind = settings.bind;
        let failed = |error| StartError::Bind(bind, error);
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (entrance, queue) = Pace::new(pace, settings.account.longest_queue());
        let clock = Clock::start().map_err(StartError::Clock)?;
        let exchange = Arc::new(Exchange::new(settings, log, entrance, clock, speaker, format!("http://{address}")));
        exchange.tasks.spawn(pace::dial(Arc::clone(&exchange), queue));
        let mut closed = exchange.closing.subscribe();
        let router = rest::router(Arc::clone(&exchange)).into_make_service_with_connect_info::<Cutter>();
        let server = axum::serve(Door(listener), router).with_graceful_shutdown(async move {
            let _ = closed.wait_for(|closing| *closing).await;
        });
        // Not among the tasks: it ends by the door, so that its open connections end with it.
        let server = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the REST API has ended");
            }
        });
        Ok(Simulator { exchange, server })
    }

    /// Base URL of the REST API, as `http://127.0.0.1:4010`.
    pub fn url(&self) -> String {
        self.exchange.base_url.clone()
    }

    /// What it has done so far.
    pub fn log(&self) -> &Log {
        &self.exchange.log
    }

    /// Signs every request from now on with `signing`: so it goes while tokens are changed.
    pub fn sign_with(&self, signing: Signing) {
        self.exchange.sign_with(signing);
    }

    /// Posts the JSON `body` to `url`, signed as Twilio signs JSON: over the URL, which carries the body's
    /// hash as `bodySHA256`. Gives the status of the app's reply.
    pub async fn post_json(&self, url: &str, body: &str) -> Result<u16, PostError> {
        let reply = webhook::post_json(&self.exchange, url, body).await;
        reply.map(|reply| reply.status).map_err(|failure| PostError(failure.to_string()))
    }

    /// Ends everything and waits for it. Calls are cut off without a word, as by a power failure.
    pub async fn shutdown(mut self) {
        self.exchange.closing.send_replace(true);
        self.exchange.tasks.end().await;
        // A client that holds a half-sent request open must not hold this up.
        let _ = timeout(LAST_REPLIES, &mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.exchange.closing.send_replace(true);
        self.exchange.tasks.abort();
    }
}
