//! Events that say "this call belongs to that attempt".

use super::{Applied, Effect, Ignored, Next};
use crate::attempt::CallStatus;
use crate::event::Event;
use crate::id::{CallSid, Tag};
use crate::job::Phase;

impl Next<'_> {
    /// Sorts out whose call it is, then lets the event speak.
    pub(super) fn claimed(&mut self, event: &Event) -> Applied {
        match event.claim() {
            Some((tag, call)) => {
                let attached = match self.attach(tag, call) {
                    Whose::Ours { attached } => attached,
                    Whose::Late => return self.late_facts(event),
                    Whose::Conflict { known: true } => return Err(Ignored::OldNews),
                    Whose::Conflict { known: false } => return Ok(()),
                    Whose::Nobodys => return Err(Ignored::ForeignTag),
                };
                // The news that a call exists is a move of its own, whatever else it says.
                match self.speak(event) {
                    Err(_) if attached => Ok(()),
                    spoken => spoken,
                }
            }
            // We asked by SID: only a call that is on record can be meant.
            None => match event {
                Event::CallNews { call, .. } if self.job.call() == Some(call) => self.speak(event),
                _ => self.late_facts(event),
            },
        }
    }

    fn speak(&mut self, event: &Event) -> Applied {
        match event {
            Event::Created { .. } => Err(Ignored::OldNews),
            Event::CallNews { status, at, .. } => {
                let noted = self.note_facts(event);
                match self.news(*status, *at) {
                    // It moves nothing, and may still tell a length, a price or who answered.
                    Err(_) if noted => Ok(()),
                    moved => moved,
                }
            }
            Event::VoiceRequested { .. } => self.picked_up(self.now),
            Event::StreamOpened { stream, .. } => self.streams(stream),
            Event::SpeechBegun { line_ms, .. } => self.speech_begins(*line_ms),
            Event::TurnHeard { turn, heard, line_ms, .. } => self.turn(*turn, heard, *line_ms),
            Event::Detected { answered_by, .. } => self.detected(*answered_by),
            Event::AnswerHeard { answer, .. } => self.heard(answer),
            Event::DoNotCallHeard { .. } => {
                self.effects.push(Effect::Suppress);
                Ok(())
            }
            Event::Reported { report, .. } => self.reported(*report),
            _ => Err(Ignored::OutOfPlace),
        }
    }

    /// Finds the attempt that the secret belongs to, and gives it the call if it has none.
    fn attach(&mut self, tag: &Tag, call: &CallSid) -> Whose {
        let open = self.job.open_attempt().is_some();
        let last = self.job.attempts.len().saturating_sub(1);
        let Some(index) = self.job.attempts.iter().rposition(|attempt| attempt.knows(tag)) else {
            return Whose::Nobodys;
        };
        let attempt = &mut self.job.attempts[index];
        let current = attempt.tag == *tag;
        match &attempt.call {
            Some(known) if known == call => {
                return if open && index == last { Whose::Ours { attached: false } } else { Whose::Late };
            }
            None if current && open && index == last => {}
            _ => {
                // A second call for one attempt, or a call for a request that Twilio had
                // declined: whoever is on that line must not be kept there.
                let known = attempt.conflicts.contains(call);
                if !known {
                    attempt.conflicts.push(call.clone());
                    self.effects.push(Effect::HangUp(call.clone()));
                }
                return Whose::Conflict { known };
            }
        }
        attempt.call = Some(call.clone());
        attempt.status = Some(CallStatus::Queued);
        self.job.phase = Phase::Placed {
            call: call.clone(),
            since: self.now,
            last_word: CallStatus::Queued,
            look_at: self.queued_until(),
        };
        if self.job.cancel_requested {
            self.hang_up_own();
        }
        Whose::Ours { attached: true }
    }

    /// Price, length and detection of a call that is over: kept with its attempt, moving nothing.
    fn late_facts(&mut self, event: &Event) -> Applied {
        // Understood late, and said all the same.
        if matches!(event, Event::DoNotCallHeard { .. }) {
            self.effects.push(Effect::Suppress);
            return Ok(());
        }
        if matches!(event, Event::CallNews { .. }) && self.note_facts(event) {
            return Ok(());
        }
        if let Event::Detected { call, answered_by, .. } = event
            && self.note_detection(call, *answered_by)
        {
            return Ok(());
        }
        Err(match self.job.phase {
            Phase::Done { .. } => Ignored::Final,
            _ => Ignored::OldNews,
        })
    }

    /// Writes down what the news tells of its call beyond the status; says whether that was new.
    fn note_facts(&mut self, event: &Event) -> bool {
        let Event::CallNews { call, status, at, duration_s, price, answered_by, .. } = event else {
            return false;
        };
        let found = self.job.attempts.iter_mut().find(|attempt| attempt.call.as_ref() == Some(call));
        let Some(attempt) = found else {
            return false;
        };
        let before = attempt.clone();
        let over = attempt.status.is_some_and(CallStatus::is_terminal);
        if !over && attempt.status.is_none_or(|known| known.rank() < status.rank()) {
            attempt.status = Some(*status);
        }
        if status.is_terminal() && !over {
            attempt.ended_at = Some(at.unwrap_or(self.now));
        }
        if *status == CallStatus::InProgress {
            // Told after the end, only Twilio's own time of it is one to keep.
            attempt.started_at = attempt.started_at.or(*at).or((!over).then_some(self.now));
        }
        if let Some(duration) = duration_s {
            attempt.duration_s.get_or_insert(*duration);
        }
        if let Some(price) = price {
            attempt.price.get_or_insert_with(|| price.clone());
        }
        if let Some(answered_by) = answered_by {
            attempt.answered_by.get_or_insert(*answered_by);
        }
        *attempt != before
    }
}

/// Whose call a claim turned out to be.
enum Whose {
    /// The open attempt's.
    Ours {
        /// Whether this claim is what made it known.
        attached: bool,
    },
    /// That of an attempt which is over.
    Late,
    /// A further call for an attempt that has one, or that asked again.
    Conflict {
        /// Whether it was recorded before.
        known: bool,
    },
    /// No attempt of this job.
    Nobodys,
}
