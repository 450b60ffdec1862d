//! How many requests users may make: enough for any honest program, too few to drown the webhooks.
//!
//! Twilio's routes are not limited here. Their senders are known by signature, and news that is
//! turned away is news that may be lost.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};

use super::Server;
use super::error::Problem;

/// Requests per second in the long run.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// Requests at once.
const BURST: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// The limit that all users of this server share.
pub(super) struct Limit {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Limit {
    pub(super) fn new() -> Self {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        Self { limiter: DefaultDirectRateLimiter::direct(quota), clock: DefaultClock::default() }
    }

    /// How long to wait, if this request comes too soon.
    fn wait(&self) -> Option<Duration> {
        let too_soon = self.limiter.check().err()?;
        Some(too_soon.wait_time_from(self.clock.now()))
    }
}

/// Answers 429 past the limit, and says when to come back.
pub(super) async fn keep(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let Some(wait) = server.limit.wait() else {
        return next.run(request).await;
    };
    let detail = "too many requests: wait as long as Retry-After says";
    Problem::busy(StatusCode::TOO_MANY_REQUESTS, wait.as_secs() + 1, detail).into_response()
}
