//! Everything that runs in the background, so that all of it ends with the simulator.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::task::{AbortHandle, JoinSet};

/// The running tasks; none after they have been ended.
#[derive(Debug)]
pub(crate) struct Tasks {
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks { running: Mutex::new(Some(JoinSet::new())) }
    }

    /// Starts a task, unless all have been ended: then it is dropped unstarted.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let set = running.as_mut()?;
        // Finished tasks are kept until somebody asks for them.
        while let Some(ended) = set.try_join_next() {
            // A call whose task has panicked stands still for ever: at least it is told why.
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "a task has panicked");
            }
        }
        Some(set.spawn(task))
    }

    /// Ends all tasks and waits for them.
    pub(crate) async fn end(&self) {
        let set = self.take();
        if let Some(mut set) = set {
            set.shutdown().await;
        }
    }

    /// Ends all tasks without waiting.
    pub(crate) fn abort(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<JoinSet<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
