//! Two lines put together: what one callee says is played to the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::mulaw::FRAME;

/// Frames that wait before any is played. Each line has a clock of its own, and when one is late the
/// other must not run dry in the middle of a word.
const HEAD_START: usize = 5;
/// No more are kept: one second.
const LONGEST: usize = 50;

/// One end of it.
#[derive(Debug, Clone)]
pub(super) struct Bridge {
    to: Pipe,
    from: Pipe,
}

impl Bridge {
    /// Both ends.
    pub(super) fn between() -> (Bridge, Bridge) {
        let (there, back) = (Pipe::default(), Pipe::default());
        (Bridge { to: there.clone(), from: back.clone() }, Bridge { to: back, from: there })
    }

    /// What is said at this end; `None` is silence.
    pub(super) fn say(&self, frame: Option<[u8; FRAME]>) {
        self.to.put(frame);
    }

    /// What is said at the other end.
    pub(super) fn hear(&self) -> Option<[u8; FRAME]> {
        self.from.take()
    }
}

/// One direction.
#[derive(Debug, Clone, Default)]
struct Pipe(Arc<Mutex<Flow>>);

#[derive(Debug, Default)]
struct Flow {
    frames: VecDeque<Option<[u8; FRAME]>>,
    flows: bool,
}

impl Pipe {
    fn put(&self, frame: Option<[u8; FRAME]>) {
        let mut flow = self.lock();
        if flow.frames.len() == LONGEST {
            flow.frames.pop_front();
        }
        flow.frames.push_back(frame);
        flow.flows |= flow.frames.len() >= HEAD_START;
    }

    fn take(&self) -> Option<[u8; FRAME]> {
        let mut flow = self.lock();
        if !flow.flows {
            return None;
        }
        let frame = flow.frames.pop_front();
        flow.flows = frame.is_some();
        frame.flatten()
    }

    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_at_one_end_is_heard_at_the_other_in_order() {
        let (here, there) = Bridge::between();
        for n in 0..HEAD_START as u8 {
            assert_eq!(there.hear(), None, "it waits for a head start");
            here.say(Some([n; FRAME]));
        }
        for n in 0..HEAD_START as u8 {
            assert_eq!(there.hear(), Some([n; FRAME]));
        }
        assert_eq!((there.hear(), here.hear()), (None, None));
        for _ in 0..LONGEST + 7 {
            here.say(None);
        }
        assert_eq!(there.from.lock().frames.len(), LONGEST);
    }
}
