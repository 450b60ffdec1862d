//! Which misses are tried again, and when.

use jiff::{SignedDuration, Timestamp};

use crate::outcome::EndedReason;
use crate::rules::Rules;

/// When a gym is tried again after its `tries`-th try missed; none when that was the last.
///
/// Only a busy line and an unanswered ring are tried again. Whoever picked up was
/// disturbed once: a second call after a failed conversation is for a person to decide.
pub fn after_miss(missed: EndedReason, tries: u32, rules: &Rules, now: Timestamp) -> Option<Timestamp> {
    let again = matches!(missed, EndedReason::DialBusy | EndedReason::DialNoAnswer);
    (again && tries < rules.max_attempts).then(|| later(now, rules.redial_after))
}

/// Twilio's refusals of the moment are not tries, but they are not endless either.
pub const MAX_REQUESTS: usize = 100;

/// When a request that created nothing is made again: 1 s after the first, doubling up to 60 s.
pub fn after_refusal(requests: usize, now: Timestamp) -> Timestamp {
    let doublings = u32::try_from(requests.saturating_sub(1)).unwrap_or(6).min(6);
    later(now, SignedDuration::from_secs((1 << doublings).min(60)))
}

/// `now + wait`, and the end of time where that does not fit.
pub(crate) fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
