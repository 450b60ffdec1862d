//! A request whose fate is unclear: looked up, never repeated, shown to a person in the end.

use jiff::SignedDuration;

use super::{Applied, Effect, Ignored, Next};
use crate::id::Tag;
use crate::job::Phase;
use crate::retry::later;

/// How long the last look-up may take before the job is quarantined without its result.
const LAST_LOOK_UP: SignedDuration = SignedDuration::from_secs(30);

impl Next<'_> {
    /// Dialing to Unknown.
    pub(super) fn unclear(&mut self, tag: Option<&Tag>, detail: &str) -> Applied {
        let Phase::Dialing { since, tag: open } = self.job.phase.clone() else {
            return Err(self.out_of_place());
        };
        if tag.is_some_and(|tag| *tag != open) {
            return Err(Ignored::ForeignTag);
        }
        if let Some(attempt) = self.job.attempts.last_mut() {
            attempt.trouble = Some(detail.to_owned());
        }
        let first = self.rules.look_up_waits.first().copied().unwrap_or_default();
        self.job.phase = Phase::Unknown { since, tag: open, look_up_at: later(since, first), tries: 0 };
        Ok(())
    }

    /// A look-up's time has come; those that were missed while nobody looked count as one.
    pub(super) fn look_up(&mut self) -> Applied {
        let now = self.now;
        let Phase::Unknown { since, tag, tries, look_up_at } = &mut self.job.phase else {
            return Err(Ignored::OutOfPlace);
        };
        let waits = &self.rules.look_up_waits;
        let begun = usize::try_from(*tries).unwrap_or(usize::MAX);
        // At least one look-up comes before quarantine, even with no waits configured.
        if begun >= waits.len().max(1) {
            let (since, tag) = (*since, tag.clone());
            self.job.phase = Phase::Quarantined { since, tag };
            return Ok(());
        }
        let come = waits.iter().filter(|wait| later(*since, **wait) <= now).count().max(begun + 1);
        *tries = u32::try_from(come).unwrap_or(u32::MAX);
        *look_up_at = match waits.get(come) {
            Some(wait) => later(*since, *wait),
            None => later(now, LAST_LOOK_UP),
        };
        self.effects.push(Effect::LookUp { tag: tag.clone(), since: *since });
        Ok(())
    }

    /// The look-up found nothing: after the last one, a person decides.
    pub(super) fn not_found(&mut self, found_for: &Tag) -> Applied {
        let Phase::Unknown { since, tag, tries, .. } = &self.job.phase else {
            return Err(self.out_of_place());
        };
        if tag != found_for {
            return Err(Ignored::ForeignTag);
        }
        let begun = usize::try_from(*tries).unwrap_or(usize::MAX);
        if begun < self.rules.look_up_waits.len().max(1) {
            // Worth a line in the history, and no move: the next look-up is set already.
            return Err(Ignored::TooEarly);
        }
        self.job.phase = Phase::Quarantined { since: *since, tag: tag.clone() };
        Ok(())
    }
}
