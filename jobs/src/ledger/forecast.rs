//! The forecast of a campaign's run: what the store knows of it, counted page by page.

use super::Ledger;
use crate::calling_day::CallingDay;
use crate::campaign::{Campaign, CampaignState};
use crate::forecast::{self, Forecast, Outlook, Terms};
use crate::id::RunId;
use crate::job::CallJob;
use crate::phone::PhoneNumber;
use crate::spend::Amount;
use crate::store::{JobQuery, StoreError};

/// How many records are read in one go.
const BATCH: u32 = 1_000;
/// From so many calls on, those of the run before teach nothing more.
const ENOUGH: u64 = 500;
/// How many jobs of the run before are read at most: more do not make its calls known better.
const PAGES_OF_THE_RUN_BEFORE: u32 = 10;

impl Ledger {
    /// What is left of the campaign's present run comes to this; or, where that is over and another one will begin, the
    /// next run. And by which terms. Reads each job of the run once and keeps but counts of them, and one number for
    /// each suppression.
    pub async fn forecast(&self, campaign: &Campaign) -> Result<(Forecast, Terms), StoreError> {
        let (policy, counts) = (&campaign.policy, self.store.counts(&campaign.run).await?);
        let (rules, now) = (self.rules.for_policy(policy), self.now());
        let begins = match campaign.state {
            CampaignState::Draft => campaign.schedule.as_ref().and_then(|schedule| schedule.first(now)),
            CampaignState::Paused(_) => campaign.resumes_at,
            _ => campaign.fires_at(),
        };
        let anew = campaign.has_begun() && begins.is_some() && counts.open() == 0;
        let waits = anew || !campaign.has_begun() || campaign.resumes_at.is_some();
        let from = begins.filter(|_| waits).unwrap_or(now).max(now);
        let zone = campaign.zone();
        let today = CallingDay::at(from, &zone);
        let mut begun_today = 0;
        let suppressed = self.suppressed_numbers().await?;
        let mut outlook = Outlook::default();
        self.each_job(campaign, &campaign.run, u32::MAX, |job| {
            let begun = job.attempts().iter().map(|attempt| CallingDay::at(attempt.begun_at, &zone));
            begun_today += u32::try_from(begun.filter(|day| *day == today).count()).unwrap_or(u32::MAX);
            let listed = suppressed.binary_search(&number(&job.gym().phone)).is_ok();
            if anew { outlook.count_anew(job, listed, &rules) } else { outlook.count(job, listed, &rules, from) }
        })
        .await?;
        if outlook.calls_seen() < ENOUGH
            && let Some(before) = self.run_before(campaign).await?
        {
            self.each_job(campaign, &before, PAGES_OF_THE_RUN_BEFORE, |job| outlook.learn(job, &rules)).await?;
        }
        let pace = self.capacity.calls_per_second;
        let terms = Terms {
            from,
            hours: rules.hours.clone(),
            calls_per_second: policy.calls_per_second.map_or(pace, |own| own.min(pace)),
            lines: policy.max_concurrent_calls.map_or(self.capacity.lines, |own| own.min(self.capacity.lines)),
            max_attempts: rules.max_attempts,
            redial_after: rules.redial_after,
            price_per_minute: rules.price_per_minute.unwrap_or(Amount::ZERO),
            reserve: rules.reserve().map_or(Amount::ZERO, |reserve| reserve.whole()),
            spent: if anew { Amount::ZERO } else { Amount::from_micros(counts.tally().cost) },
            spend_cap: policy.spend_cap,
            calls_per_day: policy.max_calls_per_day,
            begun_today,
            days_in: zone,
        };
        // A million gyms are a second's work, which would keep this thread from everybody else.
        let played = tokio::task::spawn_blocking(move || (forecast::forecast(&terms, &outlook), terms)).await;
        played.map_err(|error| StoreError::Failed(format!("the forecast broke off: {error}")))
    }

    async fn each_job(
        &self,
        campaign: &Campaign,
        run: &RunId,
        pages: u32,
        mut take: impl FnMut(&CallJob) + Send,
    ) -> Result<(), StoreError> {
        let (campaign, run) = (Some(campaign.id.clone()), Some(run.clone()));
        let mut query = JobQuery { campaign, run, limit: BATCH, ..JobQuery::default() };
        for _ in 0..pages {
            let page = self.store.jobs(query.clone()).await?;
            page.items.iter().for_each(|stored| take(&stored.record));
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        Ok(())
    }

    /// The latest run that began before the present one.
    async fn run_before(&self, campaign: &Campaign) -> Result<Option<RunId>, StoreError> {
        let runs = self.store.runs(&campaign.id, None, 2).await?;
        Ok(runs.items.into_iter().map(|run| run.id).find(|run| *run != campaign.run))
    }

    /// The suppression list in order, as numbers: it may be long.
    async fn suppressed_numbers(&self) -> Result<Vec<u64>, StoreError> {
        let (mut numbers, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.store.suppressions(cursor, BATCH).await?;
            numbers.extend(page.items.iter().map(|suppression| number(&suppression.phone)));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// A phone number's digits: at most 15, by E.164.
fn number(phone: &PhoneNumber) -> u64 {
    phone.as_str().trim_start_matches('+').parse().unwrap_or_default()
}
