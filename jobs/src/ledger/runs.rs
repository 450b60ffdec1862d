//! Runs: their gyms are copied, what is left of replaced ones is cleared, and their ends are written down.

use super::{Ledger, MAX_RACES};
use crate::announcement::Announcement;
use crate::campaign::Campaign;
use crate::event::Event;
use crate::id::{ImportId, JobId, RunId};
use crate::job::{CallJob, Status};
use crate::run::Run;
use crate::store::{CampaignWrite, JobQuery, StoreError, Stored, Write, pass_over};

/// How many gyms are copied in one go: a page of jobs, and one piece of quiet work for the writer.
const PAGE: u32 = 500;
/// How many replaced jobs are told in one go.
const BATCH: u32 = 500;

impl Ledger {
    /// Stages a waiting job of `to`'s present run for each gym of `from`'s, and says how many there are.
    pub(super) async fn copy_gyms(
        &self,
        from: &Campaign,
        to: &Campaign,
        import: &ImportId,
        chance: fn() -> u128,
    ) -> Result<u64, StoreError> {
        let (mut cursor, mut gyms) = (None, 0);
        loop {
            let (campaign, run) = (Some(from.id.clone()), Some(from.run.clone()));
            let page = self.store.jobs(JobQuery { campaign, run, cursor, limit: PAGE, status: None }).await?;
            let now = self.now();
            let copy = |job: CallJob| {
                CallJob::new(JobId::new(now, chance()), Some(to.membership()), job.gym, now, now)
                    .keeping(to.policy.window.as_ref())
            };
            let jobs: Vec<_> = page.items.into_iter().map(|stored| copy(stored.record)).collect();
            if !jobs.is_empty() {
                // A gym that is there twice, because it was redialled, is taken once.
                let taken = self.store.stage(import, jobs).await?;
                gyms += taken.into_iter().map(u64::from).sum::<u64>();
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(gyms),
            }
        }
    }

    /// Ends what still waits in runs that a newer one has replaced, at most 500 jobs at a time; says whether some may
    /// be left. They are dialled no more since the write that replaced their run, so nothing depends on when this runs.
    pub async fn clear_superseded(&self) -> Result<bool, StoreError> {
        let jobs = self.store.superseded(BATCH).await?;
        let told = futures_util::future::join_all(jobs.iter().map(|id| self.supersede(id))).await;
        let mut moved = false;
        for (id, told) in jobs.iter().zip(told) {
            moved |= pass_over(id, told)?.unwrap_or(false);
        }
        Ok(moved)
    }

    /// Whose number was still held by an earlier attempt when the run ended is told so. Answers whether it still waited.
    async fn supersede(&self, id: &JobId) -> Result<bool, StoreError> {
        let waits = |stored: &Stored<CallJob>| stored.record.status() == Status::Waiting;
        let Some(stored) = self.store.job(id).await?.filter(waits) else { return Ok(false) };
        let held = self.store.number_holder(&stored.record.gym.phone).await?.is_some();
        self.tell(id, if held { Event::Overtaken } else { Event::Superseded }).await.map(|_| true)
    }

    /// Writes down that a run is over, if it is: no job of it waits or is being called. Once, whoever finds out first.
    pub async fn end_run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        for _ in 0..MAX_RACES {
            let Some(run) = self.store.run(id).await?.filter(|run| run.ended_at.is_none()) else { return Ok(None) };
            if self.store.counts(id).await?.open() > 0 {
                return Ok(None);
            }
            let campaign = self.store.campaign(&run.campaign).await?;
            let now = self.now();
            let ended = Run { ended_at: Some(now), ..run };
            let mut write = Write { ends: Some(ended.clone()), ..Write::default() };
            if let Some(Stored { record, version }) = campaign {
                // Of a run that was replaced it is the newer one that says how the campaign stands.
                let counts = self.store.counts(&record.run).await?;
                write.announce = vec![Announcement::of_end(&record, id, &counts, now)];
                // As it is: whoever changes it at this moment, to cancel it, say, sees the end or is seen here.
                write.campaign = Some(CampaignWrite { campaign: record, from: Some(version), begins: None });
            }
            match self.store.commit(write).await {
                Ok(()) => {
                    let Run { campaign, number, .. } = &ended;
                    tracing::info!(campaign_id = %campaign, run_id = %id, "campaign {campaign}: run {number} has ended");
                    return Ok(Some(ended));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
