//! The pace: calls are dialled at most so many a second, in order; the rest stay queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::call::{self, Call, Command};
use crate::exchange::Exchange;
use crate::status::Status;

/// A call and the commands it will get.
pub(crate) type Queued = (Arc<Call>, mpsc::UnboundedReceiver<Command>);

/// The entrance of the queue.
pub(crate) struct Pace {
    entrance: mpsc::UnboundedSender<Queued>,
    /// The same calls, and when each has waited for too long.
    ageing: mpsc::UnboundedSender<(Arc<Call>, Instant)>,
    longest: Duration,
    waiting: AtomicU64,
    between: Duration,
}

impl Pace {
    /// A queue dialling `calls_per_second`, in which no call waits longer than `longest`, and its other end for
    /// [`dial`].
    pub(crate) fn new(calls_per_second: f64, longest: Duration) -> (Pace, Exit) {
        let (entrance, calls) = mpsc::unbounded_channel();
        let (ageing, old) = mpsc::unbounded_channel();
        let between = Duration::from_secs_f64(1.0 / calls_per_second);
        let pace = Pace { entrance, ageing, longest, waiting: AtomicU64::new(0), between };
        (pace, Exit { calls, old })
    }

    /// How long a call created now would stay queued, in milliseconds: an estimate.
    pub(crate) fn estimate_ms(&self) -> u64 {
        let ahead = self.waiting.load(Ordering::Relaxed);
        (self.between.as_secs_f64() * 1000.0 * ahead as f64) as u64
    }

    pub(crate) fn enqueue(&self, queued: Queued) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The other ends live as long as the simulator.
        let _ = self.ageing.send((Arc::clone(&queued.0), Instant::now() + self.longest));
        let _ = self.entrance.send(queued);
    }
}

/// The other end of the queue.
pub(crate) struct Exit {
    calls: mpsc::UnboundedReceiver<Queued>,
    old: mpsc::UnboundedReceiver<(Arc<Call>, Instant)>,
}

/// Dials queued calls one after the other until the simulator ends.
pub(crate) async fn dial(exchange: Arc<Exchange>, exit: Exit) {
    let Exit { mut calls, old } = exit;
    exchange.tasks.spawn(take_back(Arc::clone(&exchange), old));
    let mut free_at = Instant::now();
    while let Some((call, commands)) = calls.recv().await {
        if call.status() == Status::Queued {
            sleep_until(free_at).await;
        }
        let most = exchange.settings.account.most_live_calls();
        if most.is_some_and(|most| exchange.live_calls() >= most) {
            refuse(&exchange, &call);
        } else if exchange.advance(&call, &[Status::Queued], Status::Initiated) {
            // It may have been taken back while it waited; that costs no pace.
            free_at = free_at.max(Instant::now()) + exchange.pace.between;
            let life = call::live(Arc::clone(&exchange), call, commands);
            exchange.tasks.spawn(life);
        }
        exchange.pace.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call above the account's limit is not held back until there is room: it fails.
fn refuse(exchange: &Arc<Exchange>, call: &Arc<Call>) {
    call.facts().sip = 503;
    if exchange.advance(call, &[Status::Queued], Status::Failed) {
        exchange.warn(Some(&call.sid), 10004, "Call concurrency limit exceeded");
    }
}

/// Cancels what has been queued for too long. The queue is first in, first out, so the oldest is always the next.
async fn take_back(exchange: Arc<Exchange>, mut old: mpsc::UnboundedReceiver<(Arc<Call>, Instant)>) {
    while let Some((call, at)) = old.recv().await {
        if call.status() == Status::Queued {
            sleep_until(at).await;
            exchange.advance(&call, &[Status::Queued], Status::Canceled);
        }
    }
}
