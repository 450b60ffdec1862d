//! Figures for those who watch over the server, in the text that Prometheus reads.
//!
//! What happens in this process is counted as it happens ([`Metrics`]). How things stand on record is looked up when
//! somebody asks, so every server of one store tells the same of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::job::Status;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::Server;
use super::error::{Problem, StoreFailed};
use crate::twilio::callback::{AMD_PATH, GATHER_PATH, STATUS_PATH, VOICE_PATH};

/// The upper ends of the durations that requests are sorted by, in seconds.
const SECONDS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0];
/// How many records are looked at in one go.
const PAGE: u32 = 1_000;

/// What this process counts.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<Asked, Histogram>,
    /// By kind and by what they came to, in the order of [`KINDS`] and [`RESULTS`].
    webhooks: [[Counter; RESULTS.len()]; KINDS.len()],
    /// How long they took until Twilio had its answer.
    webhook_seconds: Family<Kind, Histogram>,
    /// Requests and webhooks that the store failed.
    store_errors: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Over {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Received {
    kind: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    status: &'static str,
}

const KINDS: [(&str, &str); 4] =
    [("voice", VOICE_PATH), ("status", STATUS_PATH), ("amd", AMD_PATH), ("gather", GATHER_PATH)];
const RESULTS: [&str; 3] = ["taken", "meaningless", "refused"];

/// What a webhook came to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Webhook {
    /// It is signed and tells of a call of ours.
    Taken,
    /// It is signed and means nothing to us.
    Meaningless,
    /// It is not signed by Twilio.
    Refused,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        Self {
            requests: Family::new_with_constructor(histogram),
            webhooks: Default::default(),
            webhook_seconds: Family::new_with_constructor(histogram),
            store_errors: Counter::default(),
        }
    }

    /// Counts a webhook by the path that it came to.
    pub(super) fn webhook(&self, path: &str, result: Webhook) {
        if let Some(kind) = kind_of(path) {
            self.webhooks[kind][result as usize].inc();
        }
    }

    fn look_for_store_errors(&self, response: &Response) {
        if response.extensions().get::<StoreFailed>().is_some() {
            self.store_errors.inc();
        }
    }
}

/// The place of a webhook's path in [`KINDS`]. A path of PUBLIC_BASE_URL may stand before it.
fn kind_of(path: &str) -> Option<usize> {
    KINDS.iter().position(|(_, known)| path.ends_with(known))
}

/// Measures how long Twilio waits for the answer to a webhook.
pub(super) async fn measure_webhook(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let (begun, kind) = (Instant::now(), kind_of(request.uri().path()));
    let response = next.run(request).await;
    if let Some(kind) = kind {
        let kind = Kind { kind: KINDS[kind].0 };
        server.metrics.webhook_seconds.get_or_create(&kind).observe(begun.elapsed().as_secs_f64());
    }
    server.metrics.look_for_store_errors(&response);
    response
}

/// Measures how long a user's request takes.
pub(super) async fn measure(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    };
    let response = next.run(request).await;
    let asked = Asked { method, route, status: response.status().as_u16() };
    server.metrics.requests.get_or_create(&asked).observe(begun.elapsed().as_secs_f64());
    server.metrics.look_for_store_errors(&response);
    response
}

/// Gives figures about this process and about what is on record, as Prometheus reads them.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, description = "The figures", body = String, content_type = "text/plain"))
)]
pub(super) async fn show(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let mut registry = Registry::with_prefix("gymcall");
    registry.register("build", "What runs here", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
    registry.register(
        "http_request_duration_seconds",
        "How long requests of users took, in this process",
        server.metrics.requests.clone(),
    );
    let webhooks = Family::<Received, Counter>::default();
    for (nth, (kind, _)) in KINDS.into_iter().enumerate() {
        for (counter, result) in server.metrics.webhooks[nth].iter().zip(RESULTS) {
            webhooks.get_or_create(&Received { kind, result }).inc_by(counter.get());
        }
    }
    registry.register("webhooks", "Webhooks of Twilio that came to this process, by what they came to", webhooks);
    registry.register(
        "webhook_duration_seconds",
        "How long Twilio waited for the answer to a webhook, in this process",
        server.metrics.webhook_seconds.clone(),
    );
    let store_errors = server.metrics.store_errors.clone();
    registry.register("store_errors", "Requests and webhooks that this process's store failed", store_errors);
    let over = Family::<Over, Counter>::default();
    for (ending, jobs) in server.ledger.over() {
        over.get_or_create(&Over { outcome: ending.as_str() }).inc_by(jobs);
    }
    registry.register("jobs_over", "Jobs that came to an end by this process, by outcome", over);
    on_record(&server, &mut registry).await?;
    let mut figures = String::new();
    if let Err(error) = text::encode(&mut figures, &registry) {
        let _ = writeln!(figures, "# {error}");
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], figures).into_response())
}

/// How things stand in the store.
async fn on_record(server: &Server, registry: &mut Registry) -> Result<(), Problem> {
    let store = server.ledger.store();
    let (jobs, campaigns) = (Family::<At, Gauge>::default(), Gauge::<i64>::default());
    for status in Status::ALL {
        drop(jobs.get_or_create(&At { status: status.as_str() }));
    }
    let (calls, ended, connected) = (Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default());
    let mut cursor = None;
    loop {
        let page = store.campaigns(cursor, PAGE).await?;
        for stored in page.items {
            if !matches!(stored.record.state, CampaignState::Running | CampaignState::Paused(_)) {
                continue;
            }
            let counts = store.counts(&stored.record.run).await?;
            if counts.open() == 0 {
                continue;
            }
            campaigns.inc();
            for status in Status::ALL {
                let number = i64::try_from(counts.of(*status)).unwrap_or(i64::MAX);
                jobs.get_or_create(&At { status: status.as_str() }).inc_by(number);
            }
            let tally = counts.tally();
            calls.inc_by(tally.calls);
            ended.inc_by(tally.ended);
            connected.inc_by(tally.connected);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    registry.register("campaigns_under_way", "Campaigns whose present run is not over", campaigns);
    registry.register("jobs", "Jobs of campaigns under way, by status", jobs);
    registry.register("calls_made", "Calls made for the present runs of campaigns under way", calls);
    registry.register("calls_ended", "Those of them that are over", ended);
    registry.register("calls_connected", "Those of them that a person answered", connected);

    let (mut in_use, mut cursor) = (0, None);
    loop {
        let page = store.open_jobs(cursor, PAGE).await?;
        in_use += i64::try_from(page.items.len()).unwrap_or(i64::MAX);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let overdue = store.overdue(PAGE).await?;
    let mut lag = 0.0;
    if let Some(first) = overdue.jobs.first()
        && let Some(job) = store.job(first).await?
        && let Some(deadline) = job.record.deadline(&server.ledger.rules_for(&job.record).await?)
    {
        lag = server.ledger.now().duration_since(deadline).as_secs_f64().max(0.0);
    }
    let capacity = server.ledger.capacity();
    let doubt = i64::from(store.doubts().borrow().is_some());
    let count = |value: i64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        gauge
    };
    let figure = |value: f64| {
        let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        gauge.set(value);
        gauge
    };
    registry.register("lines_in_use", "Calls under way, or that may be, of campaigns and single ones", count(in_use));
    registry.register("lines_limit", "Calls at once that the account may have", count(capacity.lines.into()));
    registry.register("calls_per_second_limit", "Calls begun per second, at most", figure(capacity.calls_per_second));
    let overdue = i64::try_from(overdue.jobs.len()).unwrap_or(i64::MAX);
    registry.register(
        "overdue_jobs",
        "Jobs past their deadline that the sweep has yet to tell, up to 1000",
        count(overdue),
    );
    registry.register("sweep_lag_seconds", "How long ago the oldest of those deadlines was", figure(lag));
    registry.register(
        "store_in_doubt",
        "1 while the store may have forgotten calls, so that nothing is dialled",
        count(doubt),
    );
    Ok(())
}
