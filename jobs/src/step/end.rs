//! How a call ends: report and hang-up in either order, misses, and what time alone does.

use jiff::{SignedDuration, Timestamp};

use super::{Applied, Effect, Ignored, Next};
use crate::answer::AnswerValue;
use crate::attempt::CallStatus;
use crate::job::{Half, Phase};
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Miss, Outcome, Report};
use crate::retry::{self, later};

/// How often a call that goes on is asked after, in case its last callback was lost.
pub(super) const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// How often a call is told to end that was told before.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

impl Next<'_> {
    /// The conversation's own account of how it went.
    pub(super) fn reported(&mut self, report: Report) -> Applied {
        match self.job.phase.clone() {
            Phase::Placed { call, .. } | Phase::Talking { call, .. } => {
                let half = Half::Reported { report };
                self.job.phase = Phase::Closing { call, since: self.now, half };
                Ok(())
            }
            Phase::Closing { half: Half::Ended { .. }, .. } => {
                self.conclude(report);
                Ok(())
            }
            _ => Err(Ignored::OldNews),
        }
    }

    /// Both halves are here.
    pub(super) fn conclude(&mut self, report: Report) {
        if self.job.cancel_requested {
            return self.finish(Outcome::Cancelled);
        }
        // Nobody was reached, or nobody can tell: neither is an answer.
        let missed =
            matches!(report.disposition, Disposition::NoContact | Disposition::Voicemail | Disposition::NeedsReview);
        if missed {
            let Report { disposition, ended_reason, answered_by } = report;
            self.miss(Miss { disposition, ended_reason, answered_by });
        } else {
            self.finish(Outcome::Answered(report));
        }
    }

    /// The call is over and the conversation never reported: what was heard decides.
    fn conclude_without_report(&mut self, ended_reason: EndedReason) {
        let told = self.job.answers.iter().any(|answer| answer.value != AnswerValue::NotAsked);
        let (disposition, answered_by) = if told {
            (Disposition::AnsweredPartial, AnsweredBy::Human)
        } else {
            // Somebody, or something, picked up: that nobody was reached is more than we know.
            (Disposition::NeedsReview, AnsweredBy::Unknown)
        };
        self.conclude(Report { disposition, ended_reason, answered_by });
    }

    /// A try that reached nobody: again later, or the end.
    pub(super) fn miss(&mut self, miss: Miss) {
        match retry::after_miss(miss.ended_reason, self.job.tries(), self.rules, self.now) {
            Some(due) => self.wait_until(due),
            None => self.finish(Outcome::GaveUp(miss)),
        }
    }

    /// The deadline is here. Whatever else is broken, repeating this ends every job.
    pub(super) fn tick(&mut self) -> Applied {
        let Some(deadline) = self.job.deadline(self.rules) else {
            return Err(self.out_of_place());
        };
        if self.now < deadline {
            return Err(Ignored::TooEarly);
        }
        match self.job.phase.clone() {
            Phase::Dialing { .. } => self.unclear(None, "no reply within the dial deadline"),
            Phase::Unknown { .. } => self.look_up(),
            Phase::Placed { call, since, last_word, look_at } => {
                let over = later(since, self.rules.line_limit());
                // Not by the clock: while nobody looked, Twilio was not asked either.
                if look_at >= over {
                    self.effects.push(Effect::HangUp(call));
                    return self.give_up_on_call();
                }
                self.effects.push(match last_word {
                    _ if self.job.cancel_requested => Effect::HangUp(call),
                    CallStatus::Queued => Effect::TakeBack(call),
                    _ => Effect::Fetch(call),
                });
                self.look_again_in(ASK_AGAIN);
                Ok(())
            }
            Phase::Talking { call, since, .. } => {
                let limit = later(since, self.rules.time_limit + LOOK_AGAIN);
                if self.now >= limit {
                    self.effects.push(Effect::HangUp(call.clone()));
                    return self.hung_up(EndedReason::MaxDurationReached);
                }
                let ask_again = if self.job.cancel_requested { ASK_AGAIN } else { LOOK_AGAIN };
                self.effects.push(if self.job.cancel_requested { Effect::HangUp(call) } else { Effect::Fetch(call) });
                self.look_again_in(ask_again);
                Ok(())
            }
            Phase::Closing { call, half, .. } => {
                match half {
                    Half::Reported { report } => {
                        // The hang-up was never told: make sure that nobody is left on the line.
                        self.effects.push(Effect::HangUp(call));
                        self.close_attempt();
                        self.conclude(report);
                    }
                    Half::Ended { reason } => match reason.and_then(|reason| self.spoken_report(reason)) {
                        Some(report) => self.conclude(report),
                        None => self.conclude_without_report(EndedReason::ErrorStream),
                    },
                }
                Ok(())
            }
            Phase::Done { .. } => self.look_for_price(deadline),
            Phase::Waiting { .. } | Phase::Quarantined { .. } => Err(self.out_of_place()),
        }
    }

    /// A time at which prices are asked for has come; those that passed while nobody looked count as one.
    fn look_for_price(&mut self, deadline: Timestamp) -> Applied {
        let waits = &self.rules.price_waits;
        let looked = usize::try_from(self.job.price_looks).unwrap_or(usize::MAX);
        let Some(ended) = waits.get(looked).and_then(|wait| deadline.checked_sub(*wait).ok()) else {
            return Err(self.out_of_place());
        };
        let come = waits.iter().filter(|wait| later(ended, **wait) <= self.now).count().max(looked + 1);
        let unpriced = self.job.unpriced().filter_map(|attempt| Some((attempt.call.clone()?, attempt.begun_at)));
        let orders: Vec<Effect> = unpriced.map(|(call, since)| Effect::ReadPrice { call, since }).collect();
        self.job.price_looks = u32::try_from(come).unwrap_or(u32::MAX);
        self.effects.extend(orders);
        Ok(())
    }

    /// Twilio never told how this call ended, and it cannot go on any more.
    fn give_up_on_call(&mut self) -> Applied {
        self.close_attempt();
        if self.job.cancel_requested {
            self.finish(Outcome::Cancelled);
        } else {
            self.finish(Outcome::GaveUp(Miss {
                disposition: Disposition::NeedsReview,
                ended_reason: EndedReason::ErrorUnknown,
                answered_by: AnsweredBy::Unknown,
            }));
        }
        Ok(())
    }
}
