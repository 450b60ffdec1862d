//! Who is still to be called, as far as a forecast needs to know: numbers of gyms, not gyms.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::expectation::Experience;
use crate::job::{CallJob, Phase};
use crate::outcome::{Outcome, SkipReason};
use crate::rules::Rules;
use crate::zone::GymZone;

/// The gyms of a run, counted by their zone, their tries and when they are due; and what their calls have shown.
/// It grows with the zones and with the minutes in which redials are due, not with the gyms.
#[derive(Debug, Default)]
pub struct Outlook {
    pub(super) zones: Vec<Zone>,
    known: HashMap<String, usize>,
    /// Gyms that wait, by zone, tries so far, and the minute in which they are due, counted from the start of time.
    pub(super) waiting: BTreeMap<(usize, u32, i64), u64>,
    /// Calls under way, by zone and tries with this one.
    pub(super) live: BTreeMap<(usize, u32), u64>,
    pub(super) skipped: HashMap<SkipReason, u64>,
    pub(super) experience: Experience,
}

/// A zone that gyms are in, or the several that one may be in; none where no hours are kept.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) zone: Option<GymZone>,
}

const MINUTE: i64 = 60;

impl Outlook {
    /// Counts a job of the run. `suppressed`: its number may not be called. What is due before `from` counts as due then.
    pub fn count(&mut self, job: &CallJob, suppressed: bool, rules: &Rules, from: Timestamp) {
        self.experience.add(job, rules.line_limit());
        match job.phase() {
            Phase::Waiting { due, .. } => {
                let wait = due.duration_since(from).max(SignedDuration::ZERO);
                let minute = (wait.as_secs() + MINUTE - 1) / MINUTE;
                self.wait(job, suppressed, rules, job.tries(), minute);
            }
            Phase::Done { outcome: Outcome::Skipped(reason) } => self.skip(*reason),
            Phase::Done { .. } | Phase::Quarantined { .. } => {}
            Phase::Dialing { .. }
            | Phase::Unknown { .. }
            | Phase::Placed { .. }
            | Phase::Talking { .. }
            | Phase::Closing { .. } => {
                let zone = self.zone(job, rules);
                *self.live.entry((zone, job.tries())).or_default() += 1;
            }
        }
    }

    /// Counts a job of a run that is over as one of the next run, which will have the same gyms.
    pub fn count_anew(&mut self, job: &CallJob, suppressed: bool, rules: &Rules) {
        self.experience.add(job, rules.line_limit());
        self.wait(job, suppressed, rules, 0, 0);
    }

    /// Takes in the calls of a job of an earlier run.
    pub fn learn(&mut self, job: &CallJob, rules: &Rules) {
        self.experience.add(job, rules.line_limit());
    }

    /// How many calls it goes by.
    pub fn calls_seen(&self) -> u64 {
        self.experience.calls()
    }

    fn wait(&mut self, job: &CallJob, suppressed: bool, rules: &Rules, tries: u32, minute: i64) {
        if suppressed {
            self.skip(SkipReason::Suppressed);
        } else if rules.hours.is_some() && job.gym().timezone.is_none() {
            self.skip(SkipReason::NoTimezone);
        } else {
            let zone = self.zone(job, rules);
            *self.waiting.entry((zone, tries, minute)).or_default() += 1;
        }
    }

    fn skip(&mut self, reason: SkipReason) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    fn zone(&mut self, job: &CallJob, rules: &Rules) -> usize {
        let zone = job.gym().timezone.as_ref().filter(|_| rules.hours.is_some());
        let names = zone.map_or(&[][..], GymZone::candidates);
        let name = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
        *self.known.entry(name).or_insert_with_key(|name| {
            self.zones.push(Zone { name: name.clone(), zone: zone.cloned() });
            self.zones.len() - 1
        })
    }
}
