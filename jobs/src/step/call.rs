//! The life of a call that Twilio has: ringing, talking, news and answers.

use jiff::Timestamp;

use super::{Applied, Ignored, Next};
use crate::answer::Answer;
use crate::attempt::CallStatus;
use crate::job::{Half, Phase};
use crate::outcome::{EndedReason, Outcome};
use crate::retry::later;

impl Next<'_> {
    /// Twilio's word on the open call.
    pub(super) fn news(&mut self, status: CallStatus, at: Option<Timestamp>) -> Applied {
        match status {
            CallStatus::Queued | CallStatus::Initiated | CallStatus::Ringing => self.rings(status),
            CallStatus::InProgress => self.picked_up(at.unwrap_or(self.now)),
            CallStatus::Completed => self.hung_up(EndedReason::UserHangup),
            CallStatus::Busy => self.missed(EndedReason::DialBusy),
            CallStatus::NoAnswer => self.missed(EndedReason::DialNoAnswer),
            CallStatus::Failed => self.missed(EndedReason::DialFailed),
            CallStatus::Canceled => self.taken_back(),
        }
    }

    fn rings(&mut self, status: CallStatus) -> Applied {
        let ring_timeout = self.rules.ring_timeout;
        let (now, cancelled) = (self.now, self.job.cancel_requested);
        match &mut self.job.phase {
            Phase::Placed { last_word, look_at, .. } if last_word.rank() < status.rank() => {
                *last_word = status;
                // A call that is to be hung up is looked at sooner, until it has ended.
                if !cancelled {
                    // Twilio may add some seconds to the ring; its own word comes first then.
                    *look_at = later(now, ring_timeout + jiff::SignedDuration::from_secs(15));
                }
                Ok(())
            }
            _ => Err(Ignored::OldNews),
        }
    }

    pub(super) fn picked_up(&mut self, at: Timestamp) -> Applied {
        let Phase::Placed { call, .. } = &self.job.phase else {
            return Err(Ignored::OldNews);
        };
        let call = call.clone();
        if let Some(attempt) = self.job.attempts.last_mut() {
            attempt.started_at.get_or_insert(at);
            attempt.status = Some(CallStatus::InProgress);
        }
        self.job.phase = Phase::Talking { call, since: self.now, look_at: later(self.now, super::end::LOOK_AGAIN) };
        if self.job.cancel_requested {
            self.hang_up_own();
        }
        Ok(())
    }

    /// The call's sound is on this stream from now on. A second one would be a second agent on the same line,
    /// and it may have reached another server, which knows nothing of the first.
    pub(super) fn streams(&mut self, stream: &str) -> Applied {
        let _ = self.picked_up(self.now);
        if !matches!(self.job.phase, Phase::Talking { .. }) {
            return Err(Ignored::OldNews);
        }
        match self.job.attempts.last_mut() {
            Some(attempt) if attempt.stream.is_none() && !attempt.spoken => attempt.stream = Some(stream.to_owned()),
            _ => return Err(Ignored::OldNews),
        }
        Ok(())
    }

    pub(super) fn heard(&mut self, answer: &Answer) -> Applied {
        // A stream that talks is a call that was picked up, whatever callbacks are missing.
        let _ = self.picked_up(self.now);
        match self.job.answers.iter_mut().find(|known| known.key == answer.key) {
            Some(known) if known == answer => return Err(Ignored::OldNews),
            Some(known) => *known = answer.clone(),
            None => self.job.answers.push(answer.clone()),
        }
        Ok(())
    }

    /// It was answered and is over. `spoken` says why where no stream reports it.
    pub(super) fn hung_up(&mut self, spoken: EndedReason) -> Applied {
        match self.job.phase.clone() {
            Phase::Placed { call, .. } | Phase::Talking { call, .. } => {
                let reason = if self.was_too_long() { EndedReason::MaxDurationReached } else { spoken };
                let reason = self.job.open_attempt().filter(|attempt| attempt.spoken).map(|_| reason);
                self.close_attempt();
                if self.job.cancel_requested {
                    self.finish(Outcome::Cancelled);
                } else {
                    // Twilio tells the last words and the end apart, in any order and perhaps to two servers.
                    self.job.phase = Phase::Closing { call, since: self.now, half: Half::Ended { reason } };
                }
                Ok(())
            }
            Phase::Closing { half: Half::Reported { report }, .. } => {
                self.close_attempt();
                self.conclude(report);
                Ok(())
            }
            _ => Err(Ignored::OldNews),
        }
    }

    /// Whether the call was as long as Twilio lets it be: then it was Twilio that ended it.
    fn was_too_long(&self) -> bool {
        let limit = self.rules.time_limit;
        let duration = self.job.open_attempt().and_then(|attempt| attempt.duration_s);
        match (duration, &self.job.phase) {
            (Some(seconds), _) => i64::from(seconds) >= limit.as_secs(),
            (None, Phase::Talking { since, .. }) => self.now >= later(*since, limit),
            (None, _) => false,
        }
    }

    /// Busy, no answer or failed.
    fn missed(&mut self, ended_reason: EndedReason) -> Applied {
        if !matches!(self.job.phase, Phase::Placed { .. }) {
            // A call that was picked up and then failed is over all the same.
            return self.hung_up(EndedReason::ErrorStream);
        }
        self.close_attempt();
        if self.job.cancel_requested {
            self.finish(Outcome::Cancelled);
        } else {
            self.miss(super::miss(ended_reason));
        }
        Ok(())
    }

    /// `canceled`: Twilio gave the call back before it rang through.
    fn taken_back(&mut self) -> Applied {
        if !matches!(self.job.phase, Phase::Placed { .. }) {
            return self.hung_up(EndedReason::ErrorStream);
        }
        self.close_attempt();
        if self.job.cancel_requested {
            self.finish(Outcome::Cancelled);
            return Ok(());
        }
        // Nobody's phone was the reason: it does not count as a try of this gym.
        if let Some(attempt) = self.job.attempts.last_mut() {
            attempt.counts = false;
        }
        if self.job.attempts.len() >= crate::retry::MAX_REQUESTS {
            self.finish(Outcome::GaveUp(super::miss(EndedReason::DialFailed)));
        } else {
            self.wait_until(later(self.now, self.rules.queued_limit));
        }
        Ok(())
    }
}
