//! The sound of a recording, and the recordings that a call's line feeds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Recording, Track};
use crate::call::Call;
use crate::exchange::Exchange;
use crate::mulaw::{self, FRAME, SILENCE};

const FRAME_MS: u64 = 20;

/// The recordings of one call that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    running: Mutex<Vec<Arc<Recording>>>,
}

impl Tape {
    pub(super) fn add(&self, recording: Arc<Recording>) {
        self.lock().push(recording);
    }

    /// 20 ms of the line: what the callee says (`None` is silence), and what is played to it.
    pub(crate) fn frame(&self, inbound: Option<&[u8; FRAME]>, outbound: &[u8; FRAME]) {
        self.lock().retain(|recording| recording.frame(inbound, outbound));
    }

    /// Ends all of them: the call is over.
    pub(crate) fn end(&self, exchange: &Arc<Exchange>, call: &Arc<Call>) {
        let running = std::mem::take(&mut *self.lock());
        for recording in running {
            recording.stop(exchange, call);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Recording>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The recorded tracks as μ-law, of one length. A track that is not recorded stays empty.
#[derive(Debug)]
pub(crate) struct Sound {
    pub(super) inbound: Vec<u8>,
    pub(super) outbound: Vec<u8>,
    track: Track,
    frames: usize,
    /// First frame with speech in it, and the one after the last.
    speech: Option<(usize, usize)>,
}

impl Sound {
    pub(super) fn new(track: Track) -> Sound {
        Sound { inbound: Vec::new(), outbound: Vec::new(), track, frames: 0, speech: None }
    }

    pub(super) fn frame(&mut self, inbound: Option<&[u8; FRAME]>, outbound: Option<&[u8; FRAME]>) {
        let mut spoken = false;
        if self.track != Track::Outbound {
            spoken |= add(&mut self.inbound, inbound);
        }
        if self.track != Track::Inbound {
            spoken |= add(&mut self.outbound, outbound);
        }
        if spoken {
            let first = self.speech.map_or(self.frames, |(first, _)| first);
            self.speech = Some((first, self.frames + 1));
        }
        self.frames += 1;
    }

    pub(super) fn duration(&self) -> Duration {
        Duration::from_millis(self.frames as u64 * FRAME_MS)
    }

    pub(super) fn trailing_silence(&self) -> Duration {
        let last = self.speech.map_or(0, |(_, last)| last);
        Duration::from_millis((self.frames - last) as u64 * FRAME_MS)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Cuts the silence off at both ends; nothing is left of a sound that is silence only.
    pub(super) fn trim(&mut self) {
        let (first, last) = self.speech.unwrap_or((0, 0));
        for track in [&mut self.inbound, &mut self.outbound] {
            track.truncate(last * FRAME);
            track.drain(..track.len().min(first * FRAME));
        }
        self.frames = last - first;
        self.speech = self.speech.map(|(first, last)| (0, last - first));
    }

    /// Samples of each recorded track.
    pub(super) fn samples(&self) -> usize {
        self.frames * FRAME
    }
}

/// Adds a frame to a track; true if it has speech in it.
fn add(track: &mut Vec<u8>, frame: Option<&[u8; FRAME]>) -> bool {
    // Most frames of a call are silence: those must cost next to nothing.
    match frame.filter(|frame| **frame != [SILENCE; FRAME]) {
        Some(frame) => {
            track.extend_from_slice(frame);
            mulaw::is_speech(frame)
        }
        None => {
            track.resize(track.len() + FRAME, SILENCE);
            false
        }
    }
}
