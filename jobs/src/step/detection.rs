//! Twilio's word on who answered, which comes beside the call and at any time.

use super::{Applied, Effect, Ignored, Next};
use crate::id::CallSid;
use crate::job::{Half, Phase};
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use crate::retry::later;

impl Next<'_> {
    /// A machine's call is ended, after a message where the campaign leaves one. A detector may be wrong:
    /// whoever has answered a question is a person whatever it says, and who may be one is not hung up on.
    pub(super) fn detected(&mut self, answered_by: AnsweredBy) -> Applied {
        let _ = self.picked_up(self.now);
        let Some(call) = self.job.call().cloned() else { return Err(Ignored::OldNews) };
        let noted = if self.note_detection(&call, answered_by) { Ok(()) } else { Err(Ignored::OldNews) };
        match &self.job.phase {
            Phase::Talking { .. } if answered_by.is_machine() && !self.is_person(answered_by) => {
                if !(answered_by.is_at_beep() && self.leave_message(&call)) {
                    self.effects.push(Effect::HangUp(call.clone()));
                }
                let report = Report {
                    disposition: Disposition::Voicemail,
                    ended_reason: EndedReason::VoicemailReached,
                    answered_by,
                };
                self.job.phase = Phase::Closing { call, since: self.now, half: Half::Reported { report } };
                Ok(())
            }
            // Its words have told it before: only the beep was waited for. "Unknown" is Twilio's word once it has
            // listened for as long as it does: it will not tell of a beep any more.
            Phase::Closing { half: Half::Reported { report }, .. }
                if report.disposition == Disposition::Voicemail
                    && (answered_by.is_at_beep() || answered_by == AnsweredBy::Unknown) =>
            {
                if self.leave_message(&call) { Ok(()) } else { noted }
            }
            _ => noted,
        }
    }

    /// Whether somebody has answered a question. The first words may be a greeting that told something unasked, and
    /// a machine's; then a beep is believed.
    fn is_person(&self, answered_by: AnsweredBy) -> bool {
        let first = self.job.open_attempt().and_then(|attempt| attempt.turns.first()).map_or(0, |turn| turn.to_ms);
        let mut told = self.job.answers.iter().filter(|answer| answer.value.is_told());
        told.any(|answer| !answered_by.is_at_beep() || answer.to_ms > first)
    }

    /// Orders the message, once; says whether it did.
    fn leave_message(&mut self, call: &CallSid) -> bool {
        let Some(length) = self.rules.message.filter(|_| !self.job.cancel_requested) else {
            return false;
        };
        let speaks_until = later(self.now, length);
        match self.job.attempts.last_mut() {
            Some(attempt) if !attempt.message => {
                attempt.message = true;
                attempt.speaks_until = Some(speaks_until);
            }
            _ => return false,
        }
        self.effects.push(Effect::LeaveMessage(call.clone()));
        true
    }

    /// Keeps who answered with the call's attempt; says whether that was new.
    pub(super) fn note_detection(&mut self, call: &CallSid, answered_by: AnsweredBy) -> bool {
        let mut attempts = self.job.attempts.iter_mut();
        match attempts.find(|attempt| attempt.call.as_ref() == Some(call)) {
            Some(attempt) if attempt.answered_by.is_none() => {
                attempt.answered_by = Some(answered_by);
                true
            }
            _ => false,
        }
    }
}
