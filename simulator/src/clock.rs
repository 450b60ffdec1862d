//! One clock for all lines: each is ticked every 20 ms, by a schedule that does not drift.
//!
//! It has a thread of its own, so that work on the runtime delays no frame, and it does a line's work
//! itself: waking a task per line and frame would cost more than the frame. Lines are spread over the
//! 20 milliseconds, so that a thousand of them are never due at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

/// Milliseconds between two ticks of a line.
pub(crate) const PERIOD: u64 = 20;
/// A clock that is further behind (the machine slept) lets the time go, instead of making up for it.
const LARGEST_DELAY: Duration = Duration::from_secs(1);

/// Something that is ticked. It runs on the clock's thread, so it must never wait.
pub(crate) trait Ticking: Send + Sync {
    /// Its tick of the millisecond `at`, which is when it is due, not when it came.
    fn tick(&self, at: u64) -> Option<u64>;

    /// A call between two ticks, at a time that it or `tick` has asked for by returning it.
    fn between(&self, at: u64) -> Option<u64>;
}

/// Keeps the time until it is dropped.
pub(crate) struct Clock {
    shared: Arc<Shared>,
}

/// Something that is ticked until this is dropped.
pub(crate) struct Kept {
    shared: Arc<Shared>,
    id: u64,
    phase: usize,
}

#[derive(Default)]
struct Shared {
    wheel: Mutex<Wheel>,
    changed: Condvar,
}

type Member = (u64, Arc<dyn Ticking>);

#[derive(Default)]
struct Wheel {
    /// Who is ticked at which millisecond of the period.
    slots: [Vec<Member>; PERIOD as usize],
    next_id: u64,
    members: usize,
    ended: bool,
}

impl Clock {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Clock> {
        let shared = Arc::new(Shared::default());
        let kept = Arc::clone(&shared);
        thread::Builder::new().name("line clock".to_owned()).spawn(move || run(&kept))?;
        Ok(Clock { shared })
    }

    /// Ticks `what` from now on.
    pub(crate) fn keep(&self, what: Arc<dyn Ticking>) -> Kept {
        let mut wheel = self.shared.wheel();
        let id = wheel.next_id;
        wheel.next_id += 1;
        wheel.members += 1;
        let emptiest = wheel.slots.iter().enumerate().min_by_key(|(_, slot)| slot.len());
        let phase = emptiest.map_or(0, |(phase, _)| phase);
        wheel.slots[phase].push((id, what));
        self.shared.changed.notify_all();
        Kept { shared: Arc::clone(&self.shared), id, phase }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.wheel().ended = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut wheel = self.shared.wheel();
        wheel.slots[self.phase].retain(|(id, _)| *id != self.id);
        wheel.members -= 1;
    }
}

impl Shared {
    fn wheel(&self) -> MutexGuard<'_, Wheel> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody is to be ticked. `None` if the clock has ended, else whether it stood still.
    fn occupied(&self) -> Option<bool> {
        let mut wheel = self.wheel();
        let mut stood_still = false;
        while wheel.members == 0 && !wheel.ended {
            stood_still = true;
            wheel = self.changed.wait(wheel).unwrap_or_else(PoisonError::into_inner);
        }
        (!wheel.ended).then_some(stood_still)
    }
}

impl Wheel {
    fn slot(&self, at: u64) -> &[Member] {
        &self.slots[(at % PERIOD) as usize]
    }

    /// The first millisecond after `now` at which somebody is ticked, at most a period later.
    fn next_after(&self, now: u64) -> u64 {
        (now + 1..now + PERIOD).find(|at| !self.slot(*at).is_empty()).unwrap_or(now + PERIOD)
    }
}

fn run(shared: &Shared) {
    let began = Instant::now();
    let mut now = 0;
    let mut due: Vec<Member> = Vec::new();
    let mut between: BTreeMap<u64, Vec<Member>> = BTreeMap::new();
    while let Some(stood_still) = shared.occupied() {
        if stood_still {
            now = began.elapsed().as_millis() as u64;
        }
        let next = shared.wheel().next_after(now);
        let first_between = between.first_key_value().map(|(at, _)| *at);
        now = wait_for(began, first_between.map_or(next, |at| at.clamp(now + 1, next)));
        // Held for the copy only: calls come and go while lines are ticked.
        due.extend_from_slice(shared.wheel().slot(now));
        for member in due.drain(..) {
            if let Some(at) = member.1.tick(now) {
                between.entry(at.max(now + 1)).or_default().push(member);
            }
        }
        while let Some(first) = between.first_entry().filter(|first| *first.key() <= now) {
            for member in first.remove() {
                if let Some(at) = member.1.between(now) {
                    between.entry(at.max(now + 1)).or_default().push(member);
                }
            }
        }
    }
}

/// Sleeps until the millisecond `next`, and gives it; a later one if the clock is too far behind.
fn wait_for(began: Instant, next: u64) -> u64 {
    let due = began + Duration::from_millis(next);
    let now = Instant::now();
    if now < due {
        thread::sleep(due - now);
    } else if now - due > LARGEST_DELAY {
        return (now - began).as_millis() as u64;
    }
    next
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Probe(Mutex<mpsc::Sender<(u64, bool)>>, Option<u64>);

    impl Ticking for Probe {
        fn tick(&self, at: u64) -> Option<u64> {
            let _ = self.0.lock().unwrap().send((at, true));
            self.1.map(|after| at + after)
        }

        fn between(&self, at: u64) -> Option<u64> {
            let _ = self.0.lock().unwrap().send((at, false));
            None
        }
    }

    fn kept(clock: &Clock, again: Option<u64>) -> (Kept, mpsc::Receiver<(u64, bool)>) {
        let (sender, receiver) = mpsc::channel();
        (clock.keep(Arc::new(Probe(Mutex::new(sender), again))), receiver)
    }

    #[test]
    fn ticks_are_20_ms_apart_and_end_with_their_guard() {
        let clock = Clock::start().unwrap();
        let began = Instant::now();
        let (guard, ticks) = kept(&clock, None);
        let at: Vec<u64> = (0..6).map(|_| ticks.recv().unwrap().0).collect();
        assert!(began.elapsed() >= Duration::from_millis(100));
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] == PERIOD), "{at:?}");
        drop(guard);
        // The probe, and with it the sender, goes when the clock lets go of it.
        while ticks.recv().is_ok() {}
    }

    #[test]
    fn lines_are_spread_over_the_period() {
        let clock = Clock::start().unwrap();
        let kept: Vec<_> = (0..40).map(|_| kept(&clock, None)).collect();
        let mut phases: Vec<u64> = kept.iter().map(|(_, ticks)| ticks.recv().unwrap().0 % PERIOD).collect();
        phases.sort_unstable();
        assert!(phases.chunks(2).enumerate().all(|(n, pair)| pair == [n as u64, n as u64]), "{phases:?}");
    }

    #[test]
    fn a_tick_may_ask_for_a_call_before_the_next() {
        let clock = Clock::start().unwrap();
        let (_guard, ticks) = kept(&clock, Some(7));
        let (first, regular) = ticks.recv().unwrap();
        assert!(regular);
        assert_eq!(ticks.recv().unwrap(), (first + 7, false));
        assert_eq!(ticks.recv().unwrap(), (first + 20, true));
    }
}
