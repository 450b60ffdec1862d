//! Processes: what they do, and how they die, are stopped for a while, and start again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use gymcall_jobs::id::Tag;
use gymcall_jobs::ledger::Ledger;

use super::world::{Doing, SECOND, Shared, World, say};
use super::{twilio, worker};

/// One of the processes that share the store.
#[derive(Default)]
pub(crate) struct Process {
    /// How often it was started; what an earlier one had begun is gone.
    life: u32,
    alive: bool,
    stopped_until: i64,
    stopped: Vec<Waker>,
    /// Its way to the records, once it is ready to serve.
    pub(crate) ledger: Option<Ledger>,
    /// The secrets of the dials that it is about.
    pub(crate) dials: Vec<Tag>,
    /// How far its clock is from the store's.
    pub(crate) skew: i64,
}

impl Process {
    pub(crate) fn serves(&self) -> bool {
        self.alive && self.ledger.is_some()
    }
}

impl World {
    /// Starts a process that is not there.
    pub(crate) fn start(&mut self, number: usize) {
        if self.processes[number].alive {
            return;
        }
        let (embedded, skew) = (self.plan.embedded, self.plan.skew);
        let skew = if embedded || skew == 0 { 0 } else { self.dice.between(-skew, skew) };
        let process = &mut self.processes[number];
        *process = Process { life: process.life + 1, alive: true, skew, ..Process::default() };
        say!(self, "process {number} starts");
        let world = self.shared();
        self.begin(number, worker::run(world, number));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, number: usize, where_: &'static str) {
        if self.calm || !self.processes[number].alive {
            return;
        }
        self.fault(where_);
        self.tally.crashes += 1;
        let process = &mut self.processes[number];
        process.life += 1;
        process.alive = false;
        process.ledger = None;
        for tag in std::mem::take(&mut process.dials) {
            self.judge.unclear(&tag);
        }
        self.judge.orders_lost();
        twilio::lose_streams(self, number);
        let down = self.dice.between(SECOND / 5, 10 * SECOND);
        self.after(down, move |world| world.start(number));
    }

    /// SIGSTOP, and SIGCONT after a while.
    pub(crate) fn stop(&mut self, number: usize, where_: &'static str) {
        if self.calm || !self.processes[number].alive {
            return;
        }
        self.fault(where_);
        let pause = match self.dice.below(4) {
            0 => self.dice.between(SECOND, 10 * SECOND),
            1 | 2 => self.dice.between(10 * SECOND, 90 * SECOND),
            _ => self.dice.between(90 * SECOND, 900 * SECOND),
        };
        self.stop_for(number, pause);
    }

    fn stop_for(&mut self, number: usize, pause: i64) {
        let until = self.now + pause;
        let process = &mut self.processes[number];
        process.stopped_until = until;
        for tag in process.dials.clone() {
            self.judge.unclear(&tag);
        }
        self.judge.orders_lost();
        self.after(pause, move |world| {
            let process = &mut world.processes[number];
            if process.stopped_until <= until {
                process.stopped.drain(..).for_each(Waker::wake);
            }
        });
    }

    /// The faults are over: whoever sleeps wakes, whoever is dead comes back by itself.
    pub(crate) fn wake_all(&mut self) {
        for process in &mut self.processes {
            process.stopped_until = 0;
            process.stopped.drain(..).for_each(Waker::wake);
        }
    }
}

/// A place in the code where a process may die or be stopped.
pub(crate) async fn point(world: &Shared, process: usize, dies: &'static str, stops: &'static str) {
    let hit = world.with(|world| {
        if world.dice.of_thousand(world.plan.deaths) {
            world.kill(process, dies);
            true
        } else if world.dice.of_thousand(world.plan.pauses) {
            world.stop(process, stops);
            true
        } else {
            false
        }
    });
    if hit {
        // The one who runs it all sees that it is dead, or stopped, before this returns.
        world.sleep(0).await;
    }
}

/// Runs what all processes do, in one thread and in the order of the queue.
#[derive(Default)]
pub(crate) struct Scheduler {
    tasks: Vec<Option<Task>>,
    free: Vec<usize>,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

struct Task {
    process: usize,
    life: u32,
    doing: Doing,
    waker: Waker,
}

struct Bell {
    task: usize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.task);
    }
}

impl Scheduler {
    /// Lets everybody go on who can, until all of them wait.
    pub(crate) fn settle(&mut self, world: &Shared) {
        loop {
            self.take_up(world);
            let next = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(number) = next else { return };
            self.go_on(world, number);
        }
    }

    fn take_up(&mut self, world: &Shared) {
        let begun: Vec<_> = world.with(|world| {
            let begun = std::mem::take(&mut world.begun);
            begun.into_iter().map(|(process, doing)| (process, world.processes[process].life, doing)).collect()
        });
        for (process, life, doing) in begun {
            let number = self.free.pop().unwrap_or_else(|| {
                self.tasks.push(None);
                self.tasks.len() - 1
            });
            let bell = Arc::new(Bell { task: number, ready: Arc::clone(&self.ready) });
            self.tasks[number] = Some(Task { process, life, doing, waker: bell.into() });
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(number);
        }
    }

    fn go_on(&mut self, world: &Shared, number: usize) {
        let Some(mut task) = self.tasks[number].take() else { return };
        let alive = world.with(|world| {
            let process = &mut world.processes[task.process];
            if process.life == task.life && process.stopped_until > world.now {
                process.stopped.push(task.waker.clone());
                return None;
            }
            Some(process.life == task.life)
        });
        match alive {
            None => {
                self.tasks[number] = Some(task);
                return;
            }
            Some(false) => {}
            Some(true) => {
                if task.doing.as_mut().poll(&mut Context::from_waker(&task.waker)).is_pending() {
                    self.tasks[number] = Some(task);
                    return;
                }
            }
        }
        self.free.push(number);
    }
}

/// Any process that would take a request now; a stopped one takes it, and answers when it is woken.
pub(crate) fn any_server(world: &mut World) -> Option<usize> {
    let serving: Vec<usize> = (0..world.processes.len()).filter(|at| world.processes[*at].serves()).collect();
    (!serving.is_empty()).then(|| world.dice.of(&serving))
}
