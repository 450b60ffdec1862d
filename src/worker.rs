//! The worker: apalis hands due jobs to the dialler.
//!
//! A task ends when its call is placed; the conversation is the server's. The handler awaits a
//! spawned dial, because apalis drops its handlers at shutdown and after failures, and a dial that
//! has begun must reach its end: it is never an error, and never retried.

use apalis::prelude::*;
use gymcall_jobs::due::{DueJob, DueJobs};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dial::Dialer;

/// What a task needs.
#[derive(Clone)]
struct Desk {
    dialer: Dialer,
    dials: TaskTracker,
}

/// Dials due jobs until told to stop, then waits for the requests in flight.
pub async fn run(due: DueJobs, dialer: Dialer, stop: CancellationToken) {
    let dials = TaskTracker::new();
    let desk = Desk { dialer, dials: dials.clone() };
    let worker = WorkerBuilder::new("dialler").backend(due).catch_panic().data(desk).build(dial);
    let stopped = stop.clone();
    let signal = async move {
        stopped.cancelled().await;
        Ok::<(), std::io::Error>(())
    };
    if let Err(error) = worker.run_until(signal).await
        && !stop.is_cancelled()
    {
        tracing::error!(%error, "the worker stopped: {error}");
    }
    dials.close();
    dials.wait().await;
}

async fn dial(due: DueJob, desk: Data<Desk>) {
    let dialer = desk.dialer.clone();
    let dial = desk.dials.spawn(async move {
        dialer.dial(due.id()).await;
    });
    if let Err(error) = dial.await {
        // Its intent is stored: the sweep takes it from here.
        tracing::error!(%error, "a dial broke off: {error}");
    }
}
