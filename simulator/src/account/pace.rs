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
    waiting: AtomicU64,
    between: Duration,
}

impl Pace {
    /// A queue dialling `calls_per_second`, and its other end for [`dial`].
    pub(crate) fn new(calls_per_second: f64) -> (Pace, mpsc::UnboundedReceiver<Queued>) {
        let (entrance, exit) = mpsc::unbounded_channel();
        let pace =
            Pace { entrance, waiting: AtomicU64::new(0), between: Duration::from_secs_f64(1.0 / calls_per_second) };
        (pace, exit)
    }

    /// How long a call created now would stay queued, in milliseconds: an estimate.
    pub(crate) fn estimate_ms(&self) -> u64 {
        let ahead = self.waiting.load(Ordering::Relaxed);
        (self.between.as_secs_f64() * 1000.0 * ahead as f64) as u64
    }

    pub(crate) fn enqueue(&self, queued: Queued) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The other end lives as long as the simulator.
        let _ = self.entrance.send(queued);
    }
}

/// Dials queued calls one after the other until the simulator ends.
pub(crate) async fn dial(exchange: Arc<Exchange>, mut queue: mpsc::UnboundedReceiver<Queued>) {
    let mut free_at = Instant::now();
    while let Some((call, commands)) = queue.recv().await {
        if call.status() == Status::Queued {
            sleep_until(free_at).await;
        }
        // It may have been taken back while it waited; that costs no pace.
        if exchange.advance(&call, &[Status::Queued], Status::Initiated) {
            free_at = free_at.max(Instant::now()) + exchange.pace.between;
            let life = call::live(Arc::clone(&exchange), call, commands);
            exchange.tasks.spawn(life);
        }
        exchange.pace.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
