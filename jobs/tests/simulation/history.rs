//! One history: a seed, from its first event until everything is settled.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::plan::Plan;
use super::process::Scheduler;
use super::recorder::Happened;
use super::tally::Tally;
use super::world::{MINUTE, START, Shared, World};

/// Far more than any history takes: whatever comes this far goes round in circles.
const MOST_STEPS: u32 = 200_000;
const LONGEST: i64 = 20 * 24 * 60 * MINUTE;

/// What a history came to.
pub(crate) struct Told {
    pub(crate) tally: Tally,
    /// What was against the promise.
    pub(crate) violation: Option<String>,
    /// Line by line, if asked for.
    pub(crate) words: Vec<String>,
    pub(crate) happened: Vec<Happened>,
    pub(crate) rules: (gymcall_jobs::rules::Rules, gymcall_jobs::rules::Policy),
}

/// How much of a history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Counts,
    Words,
    Records,
}

/// Tells the history of a seed.
pub(crate) fn tell(seed: u64, detail: Detail) -> Told {
    let world = Shared::new(seed, Plan::draw, detail == Detail::Words);
    world.with(|world| {
        if let Some(words) = &mut world.words {
            words.push(format!("seed {seed}: {:?}", world.plan));
        }
        world.judge.recorder.on = detail == Detail::Records;
        world.set_the_scene();
    });
    // A panic in the code under test is a violation like any other, and must not hide its seed.
    let panicked = catch_unwind(AssertUnwindSafe(|| run(&world))).is_err();
    let (left, told) = world.with(|world| {
        if panicked {
            world.judge.object("the code panicked: see above".to_owned());
        }
        world.tally.histories = 1;
        let told = Told {
            tally: std::mem::take(&mut world.tally),
            violation: world.judge.violation.take(),
            words: world.words.take().unwrap_or_default(),
            happened: std::mem::take(&mut world.judge.recorder.happened),
            rules: (world.plan.rules.clone(), world.plan.policy.clone()),
        };
        (world.dismantle(), told)
    });
    drop(left);
    told
}

fn run(world: &Shared) {
    let mut scheduler = Scheduler::default();
    let mut steps = 0;
    loop {
        scheduler.settle(world);
        steps += 1;
        let over = world.with(|world| {
            if world.judge.violation.is_some() {
                return true;
            }
            if world.is_settled() {
                world.conclude();
                return true;
            }
            if steps > MOST_STEPS || world.now > START + LONGEST {
                world.conclude();
                world.judge.object(format!("it does not come to an end: {} under way", world.under_way));
                return true;
            }
            !world.pass()
        });
        if over {
            return;
        }
    }
}

impl World {
    /// Nothing is under way, and every job is final or a person's.
    fn is_settled(&self) -> bool {
        self.calm && self.under_way == 0 && self.keeper.all().all(|job| job.status().is_final())
    }
}
