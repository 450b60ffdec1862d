//! Requests that were made, and that the store has forgotten.
//!
//! A store can lose its last writes: a Redis whose log was cut, say. A job whose dial had begun is then
//! waiting again, and would be dialled a second time. Whoever has proof of the first request, because it was
//! theirs or because Twilio names its secret, reminds the job of it.

use super::{Ledger, Told};
use crate::event::Event;
use crate::id::{JobId, Tag};
use crate::job::{CallJob, Phase};
use crate::store::StoreError;

impl Ledger {
    /// As [`Ledger::tell`], for news that proves that a request with `tag` was made: a waiting job that does not
    /// know the request is put back to where its dial had begun, past the gate, and then told the news.
    ///
    /// It stays as it is while another job's open attempt holds the number.
    pub async fn remind(&self, id: &JobId, tag: &Tag, event: Event) -> Result<Told, StoreError> {
        let told = self.tell(id, event.clone()).await?;
        match &told {
            Told::Ignored(_, job) if job.has_forgotten(tag) => {}
            _ => return Ok(told),
        }
        match self.tell(id, Event::DialBegun { tag: tag.clone() }).await {
            Ok(Told::Ignored(..) | Told::NoSuchJob) => self.tell(id, event).await,
            Ok(Told::Moved(_)) => {
                tracing::warn!(job_id = %id, "job {id}: the store had forgotten its dial, which is on record again");
                self.tell(id, event).await
            }
            Err(StoreError::Busy(why)) => {
                tracing::error!(job_id = %id, %why, "job {id}: its forgotten dial cannot be put on record yet: {why}");
                Ok(told)
            }
            Err(error) => Err(error),
        }
    }
}

impl CallJob {
    /// Whether this job waits to be dialled although a request with this secret was made for it. All secrets of
    /// a job are kept, so one that it does not know was lost.
    pub fn has_forgotten(&self, tag: &Tag) -> bool {
        matches!(self.phase(), Phase::Waiting { .. }) && !self.attempts().iter().any(|attempt| attempt.knows(tag))
    }
}
