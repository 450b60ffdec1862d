//! Firing: a campaign's time has come, and its next run begins.
//!
//! Any number of processes watch the same times. What decides is one write, which compares and sets the campaign's
//! record: its present run, its next time, and the jobs of the run, all at once. Whoever comes second finds the record
//! changed, and drops what it had prepared. Whoever dies before that write has changed nothing: the time is still due.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Ledger, MAX_RACES};
use crate::announcement::Announcement;
use crate::campaign::{Campaign, CampaignState, Counts, PausedReason};
use crate::id::{CampaignId, ImportId, RunId};
use crate::run::{Cause, Run};
use crate::schedule::Missed;
use crate::store::{CampaignWrite, StoreError, Stored, Write, pass_over};

/// How late a time may be seen first and still count as kept. Later than this, nobody was there.
const IN_TIME: SignedDuration = SignedDuration::from_secs(5);
/// How soon a campaign whose gyms are being imported, here or elsewhere, is looked at again.
const BUSY: SignedDuration = SignedDuration::from_secs(1);
/// How many campaigns are looked at in one go.
const BATCH: u32 = 256;

/// What a campaign makes of its time.
#[derive(Debug, Clone, PartialEq)]
enum Firing {
    /// It has not come, or somebody has to act first.
    Nothing,
    /// It was missed, and is let go.
    LetGo(Campaign),
    /// The run that the imports filled begins.
    Begin(Campaign, Run),
    /// A new run begins, with the gyms of the present one.
    Anew(Campaign, Run),
}

impl Campaign {
    /// What becomes of it at `now`. `kept` says whether somebody was there at its time.
    fn fire(&self, kept: bool, run: &RunId, now: Timestamp) -> Firing {
        let Some(due_at) = self.fires_at().filter(|due_at| *due_at <= now) else { return Firing::Nothing };
        let schedule = self.schedule.as_ref();
        let mut next = Campaign { updated_at: now, ..self.clone() };
        next.next_fire = schedule.and_then(|schedule| schedule.next(now));
        // A run that its cap has stopped is not replaced at some other hour: it may be about to be resumed.
        let stopped = self.paused_reason() == Some(PausedReason::Budget);
        if !kept && (stopped || schedule.is_some_and(|schedule| schedule.missed() == Missed::Skip)) {
            if self.state == CampaignState::Scheduled && next.next_fire.is_none() {
                next.state = CampaignState::Failed;
            }
            return Firing::LetGo(next);
        }
        if !self.has_begun() {
            let run = next.begin_run(Cause::Schedule, Some(due_at), now);
            return Firing::Begin(next, run);
        }
        next.run = run.clone();
        let run = next.begin_run(Cause::Schedule, Some(due_at), now);
        Firing::Anew(next, run)
    }
}

/// Fires what is due, for one process.
pub struct Firings {
    ledger: Ledger,
    chance: fn() -> u128,
    /// Campaigns whose time has come, and since when somebody was here to see it.
    seen: HashMap<CampaignId, Timestamp>,
    /// When the latest look began and ended: copying long lists takes its time.
    latest_look: Option<(Timestamp, Timestamp)>,
    /// Imports that the store may still hold open.
    left_open: Vec<ImportId>,
}

impl Firings {
    /// Firings of a ledger. New ids are made of `chance`.
    pub fn new(ledger: Ledger, chance: fn() -> u128) -> Self {
        Self { ledger, chance, seen: HashMap::new(), latest_look: None, left_open: Vec::new() }
    }

    /// Fires everything that is due, and says when to look again.
    pub async fn once(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.close_left_open().await;
        let began = self.ledger.now();
        let looked = self.look(began).await;
        self.latest_look = Some((began, self.ledger.now()));
        looked
    }

    async fn look(&mut self, began: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let fires = self.ledger.store.fires(BATCH).await?;
        // What came during the look before was not missed: it only had to wait until that was over.
        let before = self.latest_look.filter(|(_, ended)| began.duration_since(*ended) <= IN_TIME);
        let here_since = before.map_or(began, |(before, _)| before);
        self.seen.retain(|id, _| fires.campaigns.contains(id));
        for id in &fires.campaigns {
            self.seen.entry(id.clone()).or_insert(here_since);
        }
        let mut again_at = fires.again_at;
        for id in &fires.campaigns {
            match pass_over(id, self.fire(id).await)? {
                Some(true) => drop(self.seen.remove(id)),
                Some(false) => {
                    let soon = self.ledger.now() + BUSY;
                    again_at = Some(again_at.map_or(soon, |at| at.min(soon)));
                }
                None => {}
            }
        }
        Ok(again_at)
    }

    /// Whether the campaign's time is dealt with: not so while an import into it is under way.
    async fn fire(&mut self, id: &CampaignId) -> Result<bool, StoreError> {
        let run = RunId::new(self.ledger.now(), (self.chance)());
        for _ in 0..MAX_RACES {
            let Some(Stored { record, version }) = self.ledger.store.campaign(id).await? else { return Ok(true) };
            let (campaign, begins) = match self.decide(&record, &run) {
                Firing::Nothing => return Ok(true),
                Firing::LetGo(campaign) => {
                    tracing::warn!(campaign_id = %id, "campaign {id}: a run was missed and is let go");
                    (campaign, None)
                }
                Firing::Begin(campaign, run) => (campaign, Some(run)),
                Firing::Anew(..) => return self.begin_anew(id, &run).await,
            };
            let announce = self.begin_of(&record, &campaign);
            let campaign = Some(CampaignWrite { campaign, from: Some(version), begins: begins.clone() });
            match self.ledger.store.commit(Write { campaign, announce, ..Write::default() }).await {
                Ok(()) => {
                    begins.iter().for_each(log_begin);
                    return Ok(true);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    fn decide(&self, campaign: &Campaign, run: &RunId) -> Firing {
        let now = self.ledger.now();
        let here_since = self.seen.get(&campaign.id).copied().unwrap_or(now);
        let kept = campaign.fires_at().is_some_and(|due_at| here_since.duration_since(due_at) <= IN_TIME);
        campaign.fire(kept, run, now)
    }

    async fn begin_anew(&mut self, id: &CampaignId, run: &RunId) -> Result<bool, StoreError> {
        let import = ImportId::new(self.ledger.now(), (self.chance)());
        match self.ledger.store.open_import(&import, id, run).await {
            Ok(()) => {}
            Err(StoreError::Busy(_)) => return Ok(false),
            Err(error) => {
                self.left_open.push(import);
                return Err(error);
            }
        }
        let published = self.copy_and_publish(id, run, &import).await;
        if !matches!(published, Ok(true)) {
            self.left_open.push(import);
            self.close_left_open().await;
        }
        published.map(|_| true)
    }

    /// Whether the run has begun: it has not if the campaign was paused, say, while its gyms were copied.
    async fn copy_and_publish(&mut self, id: &CampaignId, run: &RunId, import: &ImportId) -> Result<bool, StoreError> {
        let mut copied_by = None;
        for _ in 0..MAX_RACES {
            // Only now: whoever changes the present run holds the campaign's one import while doing so.
            let Some(Stored { record, version }) = self.ledger.store.campaign(id).await? else { return Ok(false) };
            let Firing::Anew(campaign, begins) = self.decide(&record, run) else { return Ok(false) };
            if copied_by.is_none() {
                self.ledger.copy_gyms(&record, &campaign, import, self.chance).await?;
                copied_by = Some(campaign.policy.window.clone());
            }
            let announce = self.begin_of(&record, &campaign);
            let write = CampaignWrite { campaign, from: Some(version), begins: Some(begins.clone()) };
            match self.ledger.store.publish_import(import, None, Some(write), announce).await {
                Ok(()) => {
                    log_begin(&begins);
                    // They may have changed while the gyms were copied.
                    self.ledger.check_windows(id, copied_by.flatten().as_ref()).await;
                    return Ok(true);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    fn begin_of(&self, before: &Campaign, after: &Campaign) -> Vec<Announcement> {
        Announcement::of_campaign(before, after, &Counts::default(), self.ledger.now()).into_iter().collect()
    }

    async fn close_left_open(&mut self) {
        for import in std::mem::take(&mut self.left_open) {
            match self.ledger.store.drop_import(&import).await {
                Ok(()) | Err(StoreError::Missing(_)) => {}
                Err(error) => {
                    tracing::error!(%error, "an import cannot be dropped: {error}");
                    self.left_open.push(import);
                }
            }
        }
    }
}

fn log_begin(run: &Run) {
    let Run { id, campaign, number, cause, .. } = run;
    tracing::info!(campaign_id = %campaign, run_id = %id, "campaign {campaign}: run {number} begins ({cause})");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, WrittenSchedule};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn nightly(missed: Missed) -> Schedule {
        let (cron, timezone) = (Some("0 22 * * *".to_owned()), Some("Europe/Berlin".to_owned()));
        WrittenSchedule { cron, timezone, missed: Some(missed), at: None }.try_into().unwrap()
    }

    fn campaign(schedule: Schedule, due_at: Timestamp) -> Campaign {
        let (id, run) = (CampaignId::new(due_at, 1), RunId::new(due_at, 1));
        Campaign {
            state: CampaignState::Scheduled,
            schedule: Some(schedule),
            next_fire: Some(due_at),
            ..Campaign::new(id, run, "Nightly".to_owned(), due_at)
        }
    }

    #[test]
    fn the_first_time_begins_the_run_that_is_there_and_the_next_a_new_one() {
        let due_at = at("2026-10-24T20:00:00Z");
        let new = RunId::new(due_at, 2);
        let first = campaign(nightly(Missed::RunOnce), due_at);
        assert_eq!(first.fire(true, &new, at("2026-10-24T19:59:59Z")), Firing::Nothing);
        let Firing::Begin(running, run) = first.fire(true, &new, due_at) else { panic!("no run began") };
        assert_eq!((&run.id, run.number, run.due_at), (&first.run, 1, Some(due_at)));
        assert_eq!(running.state, CampaignState::Running);
        // The clocks are changed that night: the same hour is an hour later.
        assert_eq!(running.next_fire, Some(at("2026-10-25T21:00:00Z")));
        let Firing::Anew(second, run) = running.fire(true, &new, at("2026-10-25T21:00:00Z")) else {
            panic!("no run began")
        };
        assert_eq!((&run.id, run.number, &second.run), (&new, 2, &new));
        assert_eq!(second.next_fire, Some(at("2026-10-26T21:00:00Z")));
    }

    #[test]
    fn missed_times_run_once_or_are_let_go() {
        let (due_at, late) = (at("2026-05-01T20:00:00Z"), at("2026-05-04T08:00:00Z"));
        let new = RunId::new(due_at, 2);
        let Firing::Begin(made_up, _) = campaign(nightly(Missed::RunOnce), due_at).fire(false, &new, late) else {
            panic!("nothing made up for the missed times")
        };
        assert_eq!(made_up.fires_at(), Some(at("2026-05-04T20:00:00Z")));
        let Firing::LetGo(waits) = campaign(nightly(Missed::Skip), due_at).fire(false, &new, late) else {
            panic!("a missed time was not let go")
        };
        assert_eq!((waits.state, waits.run_begun), (CampaignState::Scheduled, false));
        assert_eq!(waits.fires_at(), Some(at("2026-05-04T20:00:00Z")));
        assert!(matches!(campaign(nightly(Missed::Skip), due_at).fire(true, &new, due_at), Firing::Begin(..)));
    }

    #[test]
    fn a_campaign_whose_one_time_was_let_go_has_failed_and_says_so() {
        let (due_at, late) = (at("2026-05-01T20:00:00Z"), at("2026-05-01T21:00:00Z"));
        let written = WrittenSchedule { at: Some(due_at), missed: Some(Missed::Skip), ..WrittenSchedule::default() };
        let once = campaign(written.try_into().unwrap(), due_at);
        let Firing::LetGo(failed) = once.fire(false, &RunId::new(due_at, 2), late) else { panic!("it was not let go") };
        assert_eq!((failed.state, failed.fires_at()), (CampaignState::Failed, None));
    }

    #[test]
    fn what_is_paused_fires_only_if_the_cap_of_its_run_has_stopped_it() {
        let due_at = at("2026-05-01T20:00:00Z");
        for reason in PausedReason::ALL {
            let state = CampaignState::Paused(*reason);
            let paused = Campaign { state, run_begun: true, ..campaign(nightly(Missed::RunOnce), due_at) };
            let fired = paused.fire(true, &RunId::new(due_at, 2), due_at);
            match reason {
                PausedReason::Budget => {
                    let Firing::Anew(next, _) = fired else { panic!("{fired:?}") };
                    assert_eq!(next.state, CampaignState::Running);
                    let late = at("2026-05-02T09:00:00Z");
                    let Firing::LetGo(waits) = paused.fire(false, &RunId::new(due_at, 2), late) else {
                        panic!("a run that is stopped was replaced at some other hour")
                    };
                    assert_eq!((waits.state, waits.fires_at()), (state, Some(at("2026-05-02T20:00:00Z"))));
                }
                _ => assert_eq!(fired, Firing::Nothing, "{reason}"),
            }
        }
    }
}
