//! A call that Twilio itself speaks and hears: its turns, and its end.

use jiff::SignedDuration;

use super::{Applied, Ignored, Next};
use crate::job::Phase;
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use crate::retry::later;
use crate::turn::SpokenTurn;

impl Next<'_> {
    /// Twilio was told the first line. An attempt whose sound is on a stream has its agent there.
    pub(super) fn speech_begins(&mut self, line_ms: u64) -> Applied {
        let _ = self.picked_up(self.now);
        if !matches!(self.job.phase, Phase::Talking { .. }) {
            return Err(Ignored::OldNews);
        }
        let speaks_until = self.after_line(line_ms);
        match self.job.attempts.last_mut() {
            Some(attempt) if attempt.stream.is_none() && !attempt.spoken => {
                attempt.spoken = true;
                attempt.speaks_until = Some(speaks_until);
                Ok(())
            }
            _ => Err(Ignored::OldNews),
        }
    }

    /// A turn was heard: the next one and no other, while the call is talked on or its end is only just known.
    pub(super) fn turn(&mut self, turn: usize, heard: &SpokenTurn, line_ms: u64) -> Applied {
        let _ = self.picked_up(self.now);
        if !matches!(self.job.phase, Phase::Talking { .. }) && !self.job.phase.awaits_last_words() {
            return Err(Ignored::OldNews);
        }
        let speaks_until = self.after_line(line_ms);
        let Some(attempt) = self.job.attempts.last_mut() else { return Err(Ignored::OutOfPlace) };
        match turn.cmp(&attempt.turns.len()) {
            std::cmp::Ordering::Less => Err(Ignored::OldNews),
            // The store has forgotten the turns between: what they came to cannot be guessed.
            std::cmp::Ordering::Greater => Err(Ignored::OutOfPlace),
            std::cmp::Ordering::Equal => {
                attempt.spoken = true;
                attempt.turns.push(heard.clone());
                attempt.speaks_until = Some(speaks_until);
                Ok(())
            }
        }
    }

    /// When a line that begins now has been said. No line takes hours.
    pub(super) fn after_line(&self, line_ms: u64) -> jiff::Timestamp {
        later(self.now, SignedDuration::from_millis(i64::try_from(line_ms).unwrap_or_default().min(3_600_000)))
    }

    /// The open attempt is spoken, and its line was dead before our goodbye: how it went. No stream is there to
    /// report it.
    pub(super) fn spoken_report(&self, ended_reason: EndedReason) -> Option<Report> {
        let attempt = self.job.open_attempt().filter(|attempt| attempt.spoken)?;
        let words = attempt.turns.iter().any(|turn| !turn.damaged && turn.text.chars().any(char::is_alphanumeric));
        let disposition = if self.job.answers.iter().any(|answer| answer.value.is_told()) {
            Disposition::AnsweredPartial
        } else if attempt.turns.iter().any(|turn| !turn.is_silence()) {
            Disposition::NeedsReview
        } else {
            Disposition::NoContact
        };
        let answered_by = if words { AnsweredBy::Human } else { AnsweredBy::Unknown };
        Some(Report { disposition, ended_reason, answered_by })
    }
}
