//! The world of one history: a clock, a queue of what happens next, and everybody who lives by it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use super::chance::Dice;
use super::judge::Judge;
use super::keeper::Keeper;
use super::plan::Plan;
use super::process::Process;
use super::tally::Tally;
use super::twilio::Twilio;

/// Times and waits are microseconds.
pub(crate) const MS: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000 * MS;
pub(crate) const MINUTE: i64 = 60 * SECOND;

/// When every history begins.
pub(crate) const START: i64 = 1_770_000_000 * SECOND;

/// Something that a process does, beside what else it does.
pub(crate) type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

type Action = Box<dyn FnOnce(&mut World) + Send>;

/// Everything there is.
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    pub(crate) keeper: Keeper,
    pub(crate) twilio: Twilio,
    pub(crate) processes: Vec<Process>,
    pub(crate) judge: Judge,
    pub(crate) tally: Tally,
    /// No new faults from here on.
    pub(crate) calm: bool,
    /// The store answers nobody before this.
    pub(crate) outage_until: i64,
    /// What is on its way and has to arrive before the history can end.
    pub(crate) under_way: usize,
    /// The history in words, when somebody wants to read it.
    pub(crate) words: Option<Vec<String>>,
    /// Begun, and not yet taken up by the one who runs it all: of which process, and what.
    pub(crate) begun: Vec<(usize, Doing)>,
    queue: BinaryHeap<Reverse<Next>>,
    order: u64,
    /// How often each process had reason to look at the records again.
    changes: Vec<u64>,
    watchers: Vec<(usize, Waker)>,
    me: Weak<Mutex<World>>,
}

struct Next {
    at: i64,
    order: u64,
    action: Action,
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The instant of so many microseconds.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("some days after the start")
}

/// Writes a line of the history, if it is read.
macro_rules! say {
    ($world:expr, $($words:tt)*) => {
        if let Some(words) = &mut $world.words {
            let at = ($world.now - $crate::simulation::world::START) as f64 / 1e6;
            words.push(format!("{at:>14.6}  {}", format_args!($($words)*)));
        }
    };
}
pub(crate) use say;

impl World {
    /// Lets something happen in so many microseconds.
    pub(crate) fn after(&mut self, wait: i64, action: impl FnOnce(&mut World) + Send + 'static) {
        self.order += 1;
        self.queue.push(Reverse(Next { at: self.now + wait.max(0), order: self.order, action: Box::new(action) }));
    }

    /// The next thing happens. False at the end of everything.
    pub(crate) fn pass(&mut self) -> bool {
        let Some(Reverse(next)) = self.queue.pop() else { return false };
        self.now = next.at;
        (next.action)(self);
        true
    }

    pub(crate) fn instant(&self) -> Timestamp {
        instant(self.now)
    }

    pub(crate) fn shared(&self) -> Shared {
        Shared(self.me.upgrade().expect("it is running"))
    }

    /// A process takes something up.
    pub(crate) fn begin(&mut self, process: usize, doing: impl Future<Output = ()> + Send + 'static) {
        self.begun.push((process, Box::pin(doing)));
    }

    /// Tells whoever waits for a change of the records.
    pub(crate) fn changed(&mut self) {
        self.changes.iter_mut().for_each(|changes| *changes += 1);
        self.watchers.drain(..).for_each(|(_, waker)| waker.wake());
    }

    /// Tells one process to look again.
    pub(crate) fn look_again(&mut self, process: usize) {
        self.changes[process] += 1;
        let (its, others) = std::mem::take(&mut self.watchers).into_iter().partition(|(whose, _)| *whose == process);
        self.watchers = others;
        let its: Vec<(usize, Waker)> = its;
        its.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Writes a fault down and counts it.
    pub(crate) fn fault(&mut self, name: &'static str) {
        self.tally.fault(name);
        say!(self, "FAULT {name}");
    }

    /// What holds the world holds itself: without this no history would ever be freed.
    pub(crate) fn dismantle(&mut self) -> (Vec<Process>, Vec<(usize, Doing)>) {
        self.queue.clear();
        (std::mem::take(&mut self.processes), std::mem::take(&mut self.begun))
    }
}

/// The world, for whoever lives in it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(seed: u64, plan: impl FnOnce(&mut Dice) -> Plan, words: bool) -> Self {
        let mut dice = Dice::new(seed);
        let plan = plan(&mut dice);
        Self(Arc::new_cyclic(|me| {
            Mutex::new(World {
                now: START,
                dice,
                keeper: Keeper::new(),
                twilio: Twilio::default(),
                processes: (0..plan.processes).map(|_| Process::default()).collect(),
                judge: Judge::default(),
                tally: Tally::default(),
                calm: false,
                outage_until: START,
                under_way: 0,
                words: words.then(Vec::new),
                begun: Vec::new(),
                queue: BinaryHeap::new(),
                order: 0,
                changes: vec![0; plan.processes],
                watchers: Vec::new(),
                me: me.clone(),
                plan,
            })
        }))
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with<T>(&self, what: impl FnOnce(&mut World) -> T) -> T {
        what(&mut self.lock())
    }

    pub(crate) fn now(&self) -> i64 {
        self.lock().now
    }

    pub(crate) fn sleep(&self, wait: i64) -> Sleep {
        Sleep { until: self.now() + wait, world: self.clone(), set: false }
    }

    /// How the records stand by now, for [`Shared::change`].
    pub(crate) fn changes(&self, process: usize) -> u64 {
        self.lock().changes[process]
    }

    /// Waits until a process has reason to look again since it has `seen` the records, or until a time.
    pub(crate) fn change(&self, process: usize, seen: u64, until: Option<i64>) -> Change {
        Change { process, seen, until, world: self.clone(), set: false }
    }

    /// Sends a request to somebody outside, who deals with it whatever has become of the one who asked.
    /// None if no reply comes back.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        trip: Trip,
        work: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Option<T> {
        let letter: Arc<Mutex<Option<T>>> = Arc::default();
        let answered = Arc::clone(&letter);
        let back = self.with(|world| {
            if let Some(there) = trip.there {
                world.after(there, move |world| {
                    let reply = work(world);
                    *answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
                });
            }
            world.now + trip.back
        });
        Sleep { until: back, world: self.clone(), set: false }.await;
        let reply = letter.lock().unwrap_or_else(PoisonError::into_inner).take();
        reply.filter(|_| trip.answered)
    }
}

/// The way of a request and its reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trip {
    /// When it arrives; never if none.
    pub(crate) there: Option<i64>,
    /// When whoever asked learns what came of it.
    pub(crate) back: i64,
    /// Whether they learn the reply.
    pub(crate) answered: bool,
}

/// Waits for a time.
pub(crate) struct Sleep {
    until: i64,
    world: Shared,
    set: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let me = self.get_mut();
        let mut world = me.world.lock();
        if world.now >= me.until && me.set {
            return Poll::Ready(());
        }
        if !me.set {
            me.set = true;
            let waker = context.waker().clone();
            let wait = me.until - world.now;
            world.after(wait, move |_| waker.wake());
        }
        Poll::Pending
    }
}

/// Waits for a change of the records.
pub(crate) struct Change {
    process: usize,
    seen: u64,
    until: Option<i64>,
    world: Shared,
    set: bool,
}

impl Future for Change {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let me = self.get_mut();
        let mut world = me.world.lock();
        if world.changes[me.process] != me.seen || me.until.is_some_and(|until| until <= world.now) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        if !me.set {
            me.set = true;
            if let Some(until) = me.until {
                let (wait, waker) = (until - world.now, waker.clone());
                world.after(wait, move |_| waker.wake());
            }
        }
        world.watchers.push((me.process, waker));
        Poll::Pending
    }
}
