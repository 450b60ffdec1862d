//! Who is served next: live operations together, quiet work when nobody live waits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// At most so many operations share a commit: one slow group must not hold up the next for long.
const GROUP: usize = 256;
/// After so many live turns a piece of quiet work has its turn all the same, so that an import
/// into a busy store is slow and not stuck.
const PATIENCE: u32 = 32;

/// What waits for the writer.
pub(super) struct Queue<L, Q> {
    state: Mutex<State<L, Q>>,
    bell: Condvar,
}

struct State<L, Q> {
    live: VecDeque<L>,
    quiet: VecDeque<Q>,
    live_turns: u32,
    closed: bool,
}

/// What the writer does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<L, Q> {
    /// All of these, in one commit.
    Live(Vec<L>),
    /// One chunk of this.
    Quiet(Q),
}

impl<L, Q> Queue<L, Q> {
    pub(super) fn new() -> Self {
        let state = State { live: VecDeque::new(), quiet: VecDeque::new(), live_turns: 0, closed: false };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<L, Q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a live operation. Once closed it is dropped, which its caller notices.
    pub(super) fn push(&self, operation: L) {
        let mut state = self.state();
        if !state.closed {
            state.live.push_back(operation);
            self.bell.notify_one();
        }
    }

    /// Adds quiet work, behind the quiet work that is there: imports take turns by the chunk.
    pub(super) fn push_quiet(&self, work: Q) {
        let mut state = self.state();
        if !state.closed {
            state.quiet.push_back(work);
            self.bell.notify_one();
        }
    }

    /// Waits for something to do; none once closed and every live operation was served. Quiet
    /// work is not waited for at the end: it is picked up, or undone, when the store opens again.
    pub(super) fn next(&self) -> Option<Turn<L, Q>> {
        let mut state = self.state();
        loop {
            let quiet_turn = state.live_turns >= PATIENCE && !state.closed && !state.quiet.is_empty();
            if !state.live.is_empty() && !quiet_turn {
                state.live_turns += 1;
                let group = state.live.len().min(GROUP);
                return Some(Turn::Live(state.live.drain(..group).collect()));
            }
            if state.closed {
                return None;
            }
            if let Some(work) = state.quiet.pop_front() {
                state.live_turns = 0;
                return Some(Turn::Quiet(work));
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing new from now on.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.quiet.clear();
        self.bell.notify_all();
    }

    /// Takes nothing new and forgets what waits: the writer is gone.
    pub(super) fn abandon(&self) {
        self.close();
        let left = std::mem::take(&mut self.state().live);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_operations_go_first_and_together() {
        let queue = Queue::new();
        queue.push_quiet("import");
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.next(), Some(Turn::Live(vec![1, 2])));
        assert_eq!(queue.next(), Some(Turn::Quiet("import")));
    }

    #[test]
    fn quiet_work_has_its_turn_in_a_store_that_is_never_idle() {
        let queue = Queue::new();
        queue.push_quiet("import");
        for turn in 0..PATIENCE {
            queue.push(turn);
            assert_eq!(queue.next(), Some(Turn::Live(vec![turn])));
        }
        queue.push(PATIENCE);
        assert_eq!(queue.next(), Some(Turn::Quiet("import")));
        assert_eq!(queue.next(), Some(Turn::Live(vec![PATIENCE])));
    }

    #[test]
    fn closing_serves_who_is_live_and_nobody_else() {
        let queue = Queue::new();
        queue.push_quiet("import");
        queue.push(1);
        queue.close();
        queue.push(2);
        assert_eq!(queue.next(), Some(Turn::Live(vec![1])));
        assert_eq!(queue.next(), None);
    }
}
