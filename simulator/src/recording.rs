//! Recordings: both directions of a call's line, written down as they sound.
//!
//! A recording taps the line from its start to its end, 20 ms at a time, so its length is counted in
//! samples and not by a clock. The call's [`Tape`] has the ones that run; the [`Book`] has all.

mod book;
mod news;
mod plan;
mod tape;
mod wav;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::call::{Call, whole_seconds};
use crate::exchange::Exchange;
use crate::log::Event;
use crate::mulaw::FRAME;
use crate::sid;

pub(crate) use book::Book;
pub(crate) use plan::{Channels, Origin, PauseBehavior, Plan, Subscription, Track};
pub(crate) use tape::{Sound, Tape};
pub(crate) use wav::Coding;

/// One recording of a call.
#[derive(Debug)]
pub(crate) struct Recording {
    /// `RE` and 32 hexadecimal digits.
    pub(crate) sid: String,
    pub(crate) call_sid: String,
    pub(crate) plan: Plan,
    pub(crate) started: Timestamp,
    state: Mutex<State>,
    has_ended: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    status: RecordingStatus,
    pause: PauseBehavior,
    updated: Timestamp,
    sound: Sound,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingStatus {
    InProgress,
    Paused,
    Completed,
    /// It has ended, and there was nothing to keep.
    Absent,
}

impl RecordingStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RecordingStatus::InProgress => "in-progress",
            RecordingStatus::Paused => "paused",
            RecordingStatus::Completed => "completed",
            RecordingStatus::Absent => "absent",
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, RecordingStatus::Completed | RecordingStatus::Absent)
    }
}

impl Recording {
    /// Starts to record what sounds on the line of `call`, and tells whom the plan names.
    pub(crate) fn start(exchange: &Arc<Exchange>, call: &Arc<Call>, plan: Plan) -> Arc<Recording> {
        let now = Timestamp::now();
        let state = State {
            status: RecordingStatus::InProgress,
            pause: PauseBehavior::Silence,
            updated: now,
            sound: Sound::new(plan.track),
        };
        let recording = Arc::new(Recording {
            sid: sid::recording(),
            call_sid: call.sid.clone(),
            plan,
            started: now,
            state: Mutex::new(state),
            has_ended: watch::Sender::new(false),
        });
        exchange.recordings.enter(Arc::clone(&recording));
        call.tape.add(Arc::clone(&recording));
        recording.tell(exchange, call);
        recording
    }

    pub(crate) fn status(&self) -> RecordingStatus {
        self.state().status
    }

    pub(crate) fn updated(&self) -> Timestamp {
        self.state().updated
    }

    /// What has been recorded so far, in samples counted; after the end, without what was trimmed.
    pub(crate) fn duration(&self) -> Duration {
        self.state().sound.duration()
    }

    /// The duration in whole seconds, as Twilio gives it.
    pub(crate) fn duration_s(&self) -> u64 {
        whole_seconds(self.duration())
    }

    /// How long the recorded tracks have been silent by now.
    pub(crate) fn trailing_silence(&self) -> Duration {
        self.state().sound.trailing_silence()
    }

    /// Holds a running recording; false if it does not run.
    pub(crate) fn pause(&self, behavior: PauseBehavior) -> bool {
        let mut state = self.state();
        let running = state.status == RecordingStatus::InProgress;
        if running {
            state.pause = behavior;
            state.turn_to(RecordingStatus::Paused);
        }
        running
    }

    /// Goes on with a paused recording; false if it is not paused.
    pub(crate) fn resume(&self) -> bool {
        let mut state = self.state();
        let paused = state.status == RecordingStatus::Paused;
        if paused {
            state.turn_to(RecordingStatus::InProgress);
        }
        paused
    }

    /// Ends it, trims it if the plan says so, and tells of it; false if it had ended before.
    pub(crate) fn stop(&self, exchange: &Arc<Exchange>, call: &Arc<Call>) -> bool {
        {
            let mut state = self.state();
            if state.status.is_final() {
                return false;
            }
            if self.plan.trims {
                state.sound.trim();
            }
            let kept = !state.sound.is_empty();
            state.turn_to(if kept { RecordingStatus::Completed } else { RecordingStatus::Absent });
        }
        self.has_ended.send_replace(true);
        self.tell(exchange, call);
        true
    }

    /// Waits until it has ended, whoever ends it.
    pub(crate) async fn ended(&self) {
        // It holds the sender, so this cannot fail.
        let _ = self.has_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// A WAV file of it, 8000 samples a second, in the plan's channels or in so many as asked for.
    pub(crate) fn wav(&self, coding: Coding, channels: Option<Channels>) -> Vec<u8> {
        wav::file(&self.state().sound, coding, channels.unwrap_or(self.plan.channels))
    }

    /// Where its sound can be had, without an ending; `.json` is its resource.
    pub(crate) fn url(&self, exchange: &Exchange) -> String {
        format!("{}{}/Recordings/{}", exchange.base_url, exchange.account_path(), self.sid)
    }

    /// Takes 20 ms of the line; false once it has ended.
    fn frame(&self, inbound: Option<&[u8; FRAME]>, outbound: &[u8; FRAME]) -> bool {
        let mut state = self.state();
        match (state.status, state.pause) {
            (RecordingStatus::InProgress, _) => state.sound.frame(inbound, Some(outbound)),
            (RecordingStatus::Paused, PauseBehavior::Silence) => state.sound.frame(None, None),
            (RecordingStatus::Paused, PauseBehavior::Skip) => {}
            (RecordingStatus::Completed | RecordingStatus::Absent, _) => return false,
        }
        true
    }

    fn tell(&self, exchange: &Arc<Exchange>, call: &Arc<Call>) {
        let status = self.status();
        exchange.log.add(Event::Recording {
            sid: self.call_sid.clone(),
            recording_sid: self.sid.clone(),
            status: status.as_str().to_owned(),
            duration_ms: self.duration().as_millis() as u64,
        });
        news::report(exchange, call, self, status);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn_to(&mut self, status: RecordingStatus) {
        self.status = status;
        self.updated = Timestamp::now();
    }
}

#[cfg(test)]
mod tests;
