//! The HTTP server: the interface for users, and the side that Twilio talks to.
//!
//! [`router`] is every route on one page, each with what describes it in [`openapi`]. Users' routes need the key
//! ([`auth`]); Twilio's are signed ([`webhooks`], [`media`]). A handler reads its input, asks the ledger or the store, and
//! shows what came of it; what a job becomes is decided nowhere here.

mod auth;
mod calls;
mod campaigns;
mod changes;
pub mod doorway;
mod endpoints;
pub mod error;
mod events;
mod forecast;
mod gather;
mod gyms;
mod health;
mod idempotency;
mod input;
mod jobs;
mod limit;
mod media;
mod metrics;
mod minutes;
mod openapi;
mod page;
mod query;
mod recording;
mod redial;
mod reply;
pub mod results;
mod rows_report;
mod run;
mod runs;
mod schedule;
pub(crate) mod sheet;
mod suppressions;
mod test_call;
mod upload;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::phone::PhoneRules;
use secrecy::SecretString;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::config::Speech;
use crate::notify::sender::Sender;
use crate::twilio::client::Client;
use crate::twilio::public_url::PublicBase;
use crate::twilio::signature::Verifier;
use error::Problem;

/// What the handlers share.
pub struct Server {
    /// Who keeps the records.
    pub(crate) ledger: Ledger,
    /// How Twilio reaches us.
    pub(crate) base: PublicBase,
    /// Checks Twilio's signatures.
    pub(crate) signatures: Signatures,
    /// Whether calls can be placed; if not, what to tell whoever asks for one.
    pub(crate) can_call: Result<(), String>,
    /// The key of the interface.
    pub(crate) api_key: Option<SecretString>,
    /// Which numbers may be called.
    pub(crate) phones: PhoneRules,
    /// Who keeps the recordings, where there is an account.
    pub(crate) twilio: Option<Arc<Client>>,
    /// What speaks and listens.
    pub(crate) speech: Speech,
    /// Whether Twilio listens for machines.
    pub(crate) machine_detection: bool,
    /// Whether nothing new is dialled any more.
    pub(crate) stopping: CancellationToken,
    /// Whether the server ends: then whoever watches is let go.
    pub(crate) closing: CancellationToken,
    /// Who delivers events: it knows where they may be delivered to.
    pub(crate) sender: Sender,
    /// One for each who may watch.
    pub(crate) watchers: Arc<Semaphore>,
    /// Conversations and imports that are going on: the server ends when they have ended.
    pub(crate) unfinished: TaskTracker,
    metrics: metrics::Metrics,
    streams: media::OpenStreams,
    in_flight: idempotency::InFlight,
    limit: limit::Limit,
    /// What was found last when two runs were compared. Whoever has it compares.
    compared: Mutex<Option<changes::Compared>>,
    /// One for each recording that may be in memory.
    listeners: Arc<Semaphore>,
}

/// How signatures are checked.
pub enum Signatures {
    /// With the account's auth token.
    Checked(Verifier),
    /// Not at all: allowed where only this machine can reach us.
    Unchecked,
    /// There is no token to check with, so nothing is believed.
    NoToken,
}

/// What a server is made of.
pub struct Parts {
    /// Who keeps the records.
    pub ledger: Ledger,
    /// How Twilio reaches us.
    pub base: PublicBase,
    /// How signatures are checked.
    pub signatures: Signatures,
    /// Whether calls can be placed; if not, what to tell whoever asks for one.
    pub can_call: Result<(), String>,
    /// The key of the interface.
    pub api_key: Option<SecretString>,
    /// Which numbers may be called.
    pub phones: PhoneRules,
    /// Who keeps the recordings, where there is an account.
    pub twilio: Option<Arc<Client>>,
    /// What speaks and listens.
    pub speech: Speech,
    /// Whether Twilio listens for machines.
    pub machine_detection: bool,
    /// Cancelled once nothing new is dialled any more.
    pub stopping: CancellationToken,
    /// Cancelled once the server ends.
    pub closing: CancellationToken,
    /// Who delivers events.
    pub sender: Sender,
}

impl Server {
    /// A server of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { ledger, base, signatures, can_call, api_key, phones, twilio, speech, .. } = parts;
        let Parts { machine_detection, stopping, closing, sender, .. } = parts;
        Self {
            ledger,
            base,
            signatures,
            can_call,
            api_key,
            phones,
            twilio,
            speech,
            machine_detection,
            stopping,
            closing,
            sender,
            watchers: Arc::new(Semaphore::new(events::WATCHERS)),
            unfinished: TaskTracker::new(),
            metrics: metrics::Metrics::new(),
            streams: media::OpenStreams::default(),
            in_flight: idempotency::InFlight::default(),
            limit: limit::Limit::new(),
            compared: Mutex::new(None),
            listeners: Arc::new(Semaphore::new(recording::AT_ONCE)),
        }
    }

    /// Carries out a request in a task of its own. A client that leaves takes its request's handler with it: what was
    /// begun must not be left half done, and what was opened must be closed.
    async fn see_through(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<Response, Problem>> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.unfinished.spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "{what} broke off: {error}");
            Err(Problem::internal())
        })
    }
}

/// The most that a JSON body or a webhook may be, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// The most that an uploaded CSV may be, in bytes: a million wide rows, in UTF-16 too.
const UPLOAD_LIMIT: usize = 512 * 1024 * 1024;

/// Routes that need the key.
fn users() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(calls::place))
        .routes(routes!(calls::show))
        .routes(routes!(recording::wav))
        .routes(routes!(campaigns::create, campaigns::list))
        .routes(routes!(campaigns::show, campaigns::change, campaigns::delete))
        .routes(routes!(campaigns::start))
        .routes(routes!(campaigns::pause))
        .routes(routes!(campaigns::resume))
        .routes(routes!(campaigns::cancel))
        .routes(routes!(runs::duplicate))
        .routes(routes!(runs::list))
        .routes(routes!(gyms::import).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)))
        .routes(routes!(gyms::template::show))
        .routes(routes!(forecast::show))
        .routes(routes!(jobs::of_campaign))
        .routes(routes!(results::json))
        .routes(routes!(results::csv))
        .routes(routes!(changes::json))
        .routes(routes!(changes::csv))
        .routes(routes!(redial::many))
        .routes(routes!(test_call::place))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::events))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::redial))
        .routes(routes!(jobs::resolve))
        .routes(routes!(suppressions::list, suppressions::add).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)))
        .routes(routes!(suppressions::export::csv))
        .routes(routes!(suppressions::remove))
        .routes(routes!(events::follow))
        .routes(routes!(endpoints::list, endpoints::create))
        .routes(routes!(endpoints::remove))
        .routes(routes!(metrics::show))
}

/// Routes that Twilio asks, and signs.
fn twilio() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::voice))
        .routes(routes!(webhooks::status))
        .routes(routes!(gather::heard))
        .routes(routes!(webhooks::amd))
        .routes(routes!(media::open))
}

/// Routes that are open to everybody.
fn open() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::show))
        .routes(routes!(openapi::docs))
}

/// Every route.
pub fn router(server: Arc<Server>) -> Router {
    let users = Router::from(users())
        // The last is asked first: who has no key must not use up the limit of those who have one.
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), limit::keep))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), auth::require_key))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), metrics::measure));
    let twilio = Router::from(twilio())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), metrics::measure_webhook));
    // A segment of a path in PUBLIC_BASE_URL may begin with a colon, which an older axum had a meaning for.
    let ours = Router::new().merge(users).merge(twilio.clone()).without_v07_checks();
    // A proxy may take that path away before it asks us, or leave it.
    let ours = match server.base.prefix() {
        "" => ours,
        prefix => ours.nest(prefix, twilio),
    };
    ours.merge(Router::from(open()))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "no such page"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this page does not take that method")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::map_response(error::as_problem))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(|_panic: Box<dyn std::any::Any + Send>| {
            Problem::internal().into_response()
        }))
        .with_state(server)
}
