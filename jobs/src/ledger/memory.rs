//! What a ledger remembers, so that news for a call under way needs no read.
//!
//! A remembered job may be behind the store: another process may have moved it. That is safe in both
//! directions. A move made from it is compared and set like any other, and fails; and that it makes
//! nothing of some news is believed only after the store was asked.
//!
//! Remembered terms of a campaign may be behind too, by [`TERMS_FOR`] at most. Whether it is running is
//! asked at the gate of every dial, so what can be late is how often and how fast it redials.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::time::Instant;

use crate::id::{CampaignId, JobId, RunId};
use crate::job::CallJob;
use crate::rules::Rules;
use crate::store::{CampaignCapacity, Change};

/// Half of the jobs that are remembered at most: calls under way beyond that are read again for each of their news.
/// A record takes about 2 kB, so all of them 16 MB at most.
pub(super) const HALF: usize = 4_096;
/// How long terms are believed without asking.
const TERMS_FOR: Duration = Duration::from_secs(1);
/// Beyond this many campaigns at work in the same second, all terms are asked for again.
const CAMPAIGNS: usize = 256;

/// A job as it was last seen, and its version.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) job: Arc<CallJob>,
    pub(super) version: u64,
}

/// The rules and limits that a campaign gives its jobs.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) rules: Rules,
    pub(super) own: CampaignCapacity,
    /// The campaign's present run.
    pub(super) run: Option<RunId>,
    /// Calls that may begin on a day, and by whose clock.
    pub(super) calls_per_day: Option<u32>,
    pub(super) zone: TimeZone,
}

impl Terms {
    /// Those of a call that no campaign counts.
    pub(super) fn of_single_call(rules: Rules) -> Self {
        Self { rules, own: CampaignCapacity::default(), run: None, calls_per_day: None, zone: TimeZone::UTC }
    }
}

/// What is remembered of a job.
#[derive(Debug)]
enum Slot {
    Seen(Seen),
    /// Other processes write it too: what is remembered would mostly be old, and each old record costs a
    /// write that fails.
    Shared,
}

/// Jobs with a call under way, and terms of campaigns.
pub(super) struct Memory {
    state: Mutex<State>,
}

struct State {
    // Two halves: when the young one is full it becomes the old one, and what nobody asked for since
    // then is forgotten.
    young: HashMap<JobId, Slot>,
    old: HashMap<JobId, Slot>,
    terms: HashMap<CampaignId, (Arc<Terms>, Instant)>,
    changes: broadcast::Receiver<Change>,
}

impl Memory {
    pub(super) fn new(changes: broadcast::Receiver<Change>) -> Self {
        let state = State { young: HashMap::new(), old: HashMap::new(), terms: HashMap::new(), changes };
        Self { state: Mutex::new(state) }
    }

    /// The memory, with everything forgotten that is known to have changed.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match state.changes.try_recv() {
                Ok(Change::Campaign(id)) => drop(state.terms.remove(&id)),
                Ok(Change::Job { .. } | Change::Suppression | Change::Endpoint) => {}
                // Also if the store itself went back in time: a version counts only within one of its lives.
                Ok(Change::Gap) | Err(TryRecvError::Lagged(_)) => {
                    state.terms.clear();
                    state.young.clear();
                    state.old.clear();
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return state,
            }
        }
    }

    /// A job as it was last seen here.
    pub(super) fn job(&self, id: &JobId) -> Option<Seen> {
        match self.state().slot(id) {
            Some(Slot::Seen(seen)) => Some(seen.clone()),
            Some(Slot::Shared) | None => None,
        }
    }

    /// Remembers a job as this process has just written it.
    pub(super) fn wrote(&self, seen: Seen) {
        let mut state = self.state();
        let id = seen.job.id();
        if !seen.job.status().is_live() {
            state.young.remove(id);
            state.old.remove(id);
            return;
        }
        match state.slot(id) {
            Some(Slot::Shared) => {}
            // Of two writers of this process the later one may be here first.
            Some(Slot::Seen(known)) if known.version > seen.version => {}
            _ => state.put(id.clone(), Slot::Seen(seen)),
        }
    }

    /// Takes note of a job as it was read from the store.
    pub(super) fn read(&self, id: &JobId, version: u64) {
        let mut state = self.state();
        let Some(Slot::Seen(known)) = state.slot(id) else { return };
        match known.version.cmp(&version) {
            Ordering::Less => state.put(id.clone(), Slot::Shared),
            Ordering::Equal => {}
            // Written here meanwhile; or the store has forgotten the latest, and will use its number again.
            Ordering::Greater => drop(state.young.remove(id)),
        }
    }

    /// The terms of a campaign, if they were read lately.
    pub(super) fn terms(&self, id: &CampaignId) -> Option<Arc<Terms>> {
        let state = self.state();
        let (terms, read_at) = state.terms.get(id)?;
        (read_at.elapsed() < TERMS_FOR).then(|| Arc::clone(terms))
    }

    /// Forgets the terms of a campaign, which were found to be old.
    pub(super) fn forget_terms(&self, id: &CampaignId) {
        self.state().terms.remove(id);
    }

    /// Remembers the terms of a campaign, which were asked for at `asked_at`.
    pub(super) fn read_terms(&self, id: &CampaignId, terms: Arc<Terms>, asked_at: Instant) {
        let mut state = self.state();
        if state.terms.len() >= CAMPAIGNS {
            state.terms.clear();
        }
        state.terms.insert(id.clone(), (terms, asked_at));
    }
}

impl State {
    /// What is remembered of a job, which thereby becomes young again.
    fn slot(&mut self, id: &JobId) -> Option<&Slot> {
        if let Some((id, slot)) = self.old.remove_entry(id) {
            self.put(id, slot);
        }
        self.young.get(id)
    }

    fn put(&mut self, id: JobId, slot: Slot) {
        if self.young.len() >= HALF && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, slot);
    }
}
