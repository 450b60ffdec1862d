//! The worker: apalis hands due jobs to the dialler.
//!
//! A task ends when its call is placed; the conversation is the server's. The handler awaits a
//! spawned dial, because apalis drops its handlers at shutdown and after failures, and a dial that
//! has begun must reach its end: it is never an error, and never retried.

use std::any::Any;

use apalis::layers::catch_panic::{CatchPanicLayer, PanicError};
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
    let worker = WorkerBuilder::new("dialler")
        .backend(due)
        .layer(CatchPanicLayer::with_panic_handler(panicked))
        .data(desk)
        .build(dial);
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

/// A panic must stay with its task: uncaught, it would take every other handler down with it.
// The signature is apalis's.
#[allow(clippy::borrowed_box)]
fn panicked(_: &Box<dyn Any + Send>) -> PanicError {
    PanicError("a handler panicked".to_owned())
}

async fn dial(due: DueJob, desk: Data<Desk>) {
    gymcall_jobs::failpoint!("W1");
    let dialer = desk.dialer.clone();
    let dial = desk.dials.spawn(async move {
        dialer.dial(due.id()).await;
    });
    if let Err(error) = dial.await {
        // Its intent is stored: the sweep takes it from here.
        tracing::error!(%error, "a dial broke off: {error}");
    }
}
