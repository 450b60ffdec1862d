//! Jobs that come into being one at a time: single calls and redials.

use super::Ledger;
use crate::job::CallJob;
use crate::store::{JobWrite, NewEntry, ReplyWrite, StoreError, Write};

impl Ledger {
    /// Accepts a new job. `reply` claims the request's idempotency key in the same write.
    pub async fn accept(&self, job: CallJob, reply: Option<ReplyWrite>) -> Result<CallJob, StoreError> {
        let entry = NewEntry {
            at: job.created_at(),
            kind: "accepted".to_owned(),
            detail: serde_json::json!({}),
            ignored: None,
        };
        let write = Write {
            job: Some(JobWrite { entries: vec![entry], ..JobWrite::new(job.clone()) }),
            reply,
            ..Write::default()
        };
        self.store.commit(write).await?;
        tracing::info!(job_id = %job.id(), "job {}: accepted", job.id());
        Ok(job)
    }
}
