//! Answering machine detection: finding out who has picked up, from what is really heard of them.
//!
//! The line gives every 20 ms of the callee to the call's [`Ear`] until there is a verdict. It is one
//! of the call's facts from then on, and in the news of it.

mod detector;
mod news;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::call::Call;
use crate::log::{Event, Log};
use crate::mulaw::FRAME;

pub(crate) use detector::{Detector, Rules};
pub(crate) use news::{in_voice_request, tell};

/// Who has picked up. The words of the wire are made here only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnsweredBy {
    Human,
    MachineStart,
    MachineEndBeep,
    MachineEndSilence,
    MachineEndOther,
    Fax,
    Unknown,
}

impl AnsweredBy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            AnsweredBy::Human => "human",
            AnsweredBy::MachineStart => "machine_start",
            AnsweredBy::MachineEndBeep => "machine_end_beep",
            AnsweredBy::MachineEndSilence => "machine_end_silence",
            AnsweredBy::MachineEndOther => "machine_end_other",
            AnsweredBy::Fax => "fax",
            AnsweredBy::Unknown => "unknown",
        }
    }
}

/// What was found, and how long after the pick-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) answered_by: AnsweredBy,
    pub(crate) after_ms: u64,
}

/// Listens to one call's callee until it is known who that is.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    detector: Mutex<Option<Detector>>,
    verdict: watch::Sender<Option<Verdict>>,
}

impl Ear {
    /// Begins to listen: somebody has just picked up.
    pub(crate) fn open(&self, rules: Rules) {
        *self.detector() = Some(Detector::new(rules));
    }

    /// The verdict, waiting for it if need be.
    pub(crate) async fn verdict(&self) -> Option<Verdict> {
        let mut verdict = self.verdict.subscribe();
        // The sender is `self`, so this cannot fail while it is waited for.
        let found = verdict.wait_for(Option::is_some).await;
        found.ok().and_then(|found| *found)
    }

    fn detector(&self) -> MutexGuard<'_, Option<Detector>> {
        self.detector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears 20 ms of the callee, if somebody wants to know who it is.
pub(crate) fn hear(call: &Call, inbound: Option<&[u8; FRAME]>, log: &Log) {
    let found = {
        let mut detector = call.ear.detector();
        let Some(listening) = detector.as_mut() else {
            return;
        };
        let Some(answered_by) = listening.frame(inbound) else {
            return;
        };
        let after_ms = listening.elapsed_ms();
        *detector = None;
        Verdict { answered_by, after_ms }
    };
    settle(call, found, log);
}

/// The call is over: if nothing was found by now, that is what was found.
pub(crate) fn end(call: &Call, log: &Log) {
    let listening = call.ear.detector().take();
    if let Some(detector) = listening {
        let verdict = Verdict { answered_by: AnsweredBy::Unknown, after_ms: detector.elapsed_ms() };
        settle(call, verdict, log);
    }
}

fn settle(call: &Call, verdict: Verdict, log: &Log) {
    call.facts().answered_by = Some(verdict);
    log.add(Event::Detected {
        sid: call.sid.clone(),
        answered_by: verdict.answered_by.as_str().to_owned(),
        after_ms: verdict.after_ms,
    });
    call.ear.verdict.send_replace(Some(verdict));
}
