//! What the records say after the storm, and said while it blew.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gymcall_jobs::id::JobId;
use gymcall_jobs::job::Status;
use gymcall_jobs::store::{Change, Store};
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::news::News;

/// How often which news is in the history.
pub type Heard = BTreeMap<News, usize>;

/// Looks at every move while the storm blows.
pub struct Watch(JoinHandle<Watched>);

#[derive(Default)]
pub struct Watched {
    pub seen: usize,
    /// Moves that were over before somebody looked.
    pub overlooked: u64,
    /// Moves to a status that comes before the one that the job was at.
    pub fell: Vec<String>,
}

impl Watch {
    pub fn begin(store: &Arc<dyn Store>, jobs: &[JobId]) -> Self {
        let ranks = jobs.iter().map(|job| (job.clone(), 0)).collect();
        Self(tokio::spawn(watch(store.changes(), ranks)))
    }

    /// What was seen, once the store that was watched is closed.
    pub async fn end(self) -> Watched {
        self.0.await.unwrap()
    }
}

async fn watch(mut changes: Receiver<Change>, mut ranks: HashMap<JobId, u8>) -> Watched {
    let mut watched = Watched::default();
    loop {
        match changes.recv().await {
            Ok(Change::Job { id, status, .. }) => {
                watched.seen += 1;
                let before = ranks.insert(id.clone(), rank(status)).unwrap();
                if rank(status) < before {
                    watched.fell.push(format!("{id} fell to {status}"));
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(moves)) => watched.overlooked += moves,
            Err(RecvError::Closed) => return watched,
        }
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Waiting | Status::Dialing | Status::Unknown | Status::Quarantined => 0,
        Status::Placed => 1,
        Status::InProgress => 2,
        Status::Closing => 3,
        Status::Completed | Status::Failed | Status::Skipped | Status::Cancelled => 4,
    }
}

/// Every webhook that is in the jobs' histories, whether it moved anything or not.
pub async fn history(store: &Arc<dyn Store>, jobs: &[JobId]) -> Heard {
    let mut heard = Heard::new();
    for job in jobs {
        for entry in store.entries(job, 0, 10_000).await.unwrap() {
            if entry.entry.kind == "call_news" {
                let [call, status] =
                    ["call", "status"].map(|name| entry.entry.detail[name].as_str().unwrap().to_owned());
                *heard.entry((job.clone(), call, status)).or_default() += 1;
            }
        }
    }
    heard
}

/// The records without what two runs cannot share, which is names and the times of this machine; and the
/// foreign calls in them, each with the number of its job.
pub async fn endings(store: &Arc<dyn Store>, jobs: &[JobId]) -> (Vec<Value>, BTreeSet<(usize, String)>) {
    let (mut endings, mut conflicts) = (Vec::new(), BTreeSet::new());
    for (nth, id) in jobs.iter().enumerate() {
        let job = store.job(id).await.unwrap().unwrap().record;
        assert!(job.outcome().is_some(), "{id} is not over");
        conflicts.extend(job.attempts()[0].conflicts.iter().map(|call| (nth, call.as_str().to_owned())));
        let mut ending = serde_json::to_value(&job).unwrap();
        for own in ["id", "created_at", "updated_at"] {
            ending.as_object_mut().unwrap().remove(own).unwrap();
        }
        // The news is of this morning, so prices are asked for at once, as often as this machine gets to it.
        ending.as_object_mut().unwrap().remove("price_looks");
        let attempt = ending["attempts"][0].as_object_mut().unwrap();
        attempt.remove("begun_at").unwrap();
        attempt.remove("conflicts");
        endings.push(ending);
    }
    (endings, conflicts)
}
