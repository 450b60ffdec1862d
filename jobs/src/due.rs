//! Due jobs as an apalis backend: the queue is a view of the records, not a second truth.
//!
//! The stream asks the store what may be dialled now and hands it out. It sleeps until a job is
//! due, a token is there, or something changed (a line was freed, a campaign resumed, gyms were
//! imported). A job that is handed out twice does no harm, because only one dial can begin;
//! but a job that is being dealt with here is not handed out again meanwhile.
//!
//! To the worker this backend never fails and never ends: yielding an error, or the end, makes
//! the worker drop every handler it is running.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::RandomId;
use apalis_core::worker::context::WorkerContext;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

use crate::id::JobId;
use crate::job::Status;
use crate::spread::Spread;
use crate::store::{Capacity, Change, DueNow, Store};

/// How many jobs are asked for at once.
const BATCH: u32 = 64;
/// How long it sleeps at most: changes told by other processes may be lost on the way.
const MAX_SLEEP: Duration = Duration::from_secs(2);
/// How long after a look the next one is at the earliest. Every call of every worker is news, several times; looks
/// this far apart see all of it, and in time for every token.
const LOOKS_APART: Duration = Duration::from_millis(4);
/// By how much workers differ that wait for the same moment. The pace makes up for more lateness than this
/// and [`LOOKS_APART`] together.
const APART: Duration = Duration::from_millis(3);
/// How long it rests after the store failed.
const FAILURE_REST: Duration = Duration::from_secs(1);

/// A job that may be dialled. While it exists, this stream does not hand the job out again.
#[derive(Debug, Clone)]
pub struct DueJob {
    handed: Arc<Handed>,
}

impl DueJob {
    /// The job.
    pub fn id(&self) -> &JobId {
        &self.handed.id
    }
}

#[derive(Debug)]
struct Handed {
    id: JobId,
    desk: Arc<Desk>,
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.desk.out.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.desk.returned.notify_one();
        crate::failpoint!("W10");
    }
}

/// Which jobs are handed out.
#[derive(Debug, Default)]
struct Desk {
    out: Mutex<HashSet<JobId>>,
    returned: Notify,
}

/// The backend.
pub struct DueJobs {
    jobs: Pin<Box<dyn Stream<Item = DueJob> + Send>>,
}

impl DueJobs {
    /// The due jobs of a store, as many as the account's capacity allows.
    pub fn of(store: Arc<dyn Store>, capacity: Capacity) -> Self {
        let source = Source {
            changes: store.changes(),
            store,
            capacity,
            desk: Arc::default(),
            ready: VecDeque::new(),
            spread: Spread::default(),
            look_at: Instant::now(),
        };
        let jobs = stream::unfold(source, |mut source| async {
            let job = source.next().await;
            Some((job, source))
        });
        Self { jobs: jobs.boxed() }
    }
}

struct Source {
    store: Arc<dyn Store>,
    capacity: Capacity,
    changes: broadcast::Receiver<Change>,
    desk: Arc<Desk>,
    ready: VecDeque<JobId>,
    spread: Spread,
    /// Not before this.
    look_at: Instant,
}

impl Source {
    async fn next(&mut self) -> DueJob {
        loop {
            if let Some(id) = self.ready.pop_front() {
                self.desk.out.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
                return DueJob { handed: Arc::new(Handed { id, desk: Arc::clone(&self.desk) }) };
            }
            tokio::time::sleep_until(self.look_at).await;
            self.look_at = Instant::now() + LOOKS_APART;
            // What changed up to here is covered by the look that follows; what changes during
            // the look is still in the feed afterwards.
            self.changes = self.changes.resubscribe();
            match self.store.due(self.capacity, BATCH).await {
                Ok(due) => {
                    self.take(&due);
                    if self.ready.is_empty() {
                        self.sleep(&due).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "cannot see which jobs are due: {error}");
                    tokio::time::sleep(FAILURE_REST).await;
                }
            }
        }
    }

    fn take(&mut self, due: &DueNow) {
        let out = self.desk.out.lock().unwrap_or_else(PoisonError::into_inner);
        self.ready.extend(due.jobs.iter().filter(|id| !out.contains(*id)).cloned());
    }

    async fn sleep(&mut self, due: &DueNow) {
        let until_due = due.again_at.map(|at| at.duration_since(self.store.now()));
        let rest = until_due.map_or(MAX_SLEEP, |rest| Duration::try_from(rest).unwrap_or_default());
        let rest = rest.min(MAX_SLEEP) + self.spread.within(APART);
        let desk = Arc::clone(&self.desk);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = desk.returned.notified() => {}
            () = self.useful_change() => {}
        }
    }

    /// Waits for a change that can make a job due or free a line, or that took the pace token: then the
    /// time of the next one is known.
    async fn useful_change(&mut self) {
        loop {
            match self.changes.recv().await {
                Ok(Change::Job { status, .. }) if status.is_live() && status != Status::Dialing => {}
                Ok(Change::Suppression | Change::Endpoint) => {}
                Ok(Change::Job { .. } | Change::Campaign(_) | Change::Gap)
                | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The store is gone, and with it this process.
                Err(broadcast::error::RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}

impl Backend for DueJobs {
    type Task = Task<DueJob>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        match self.jobs.as_mut().poll_next(context) {
            Poll::Ready(Some(job)) => Poll::Ready(Some(Ok(TaskBuilder::new(job).build()))),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for DueJobs {
    type Args = DueJob;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = tower_layer::Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        tower_layer::Identity::new()
    }
}
