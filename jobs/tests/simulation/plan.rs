//! What kind of history a seed tells: who is there, by which rules, and which faults may happen.
//!
//! Most kinds of faults are absent from most histories. With all of them in each, the first few would
//! hide what the others alone can do.

use gymcall_jobs::rules::{Policy, Rules};
use gymcall_jobs::store::Capacity;
use jiff::SignedDuration;

use super::chance::Dice;
use super::world::{MINUTE, MS, SECOND};

/// How Twilio's callbacks travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Post {
    /// Once, in order, soon.
    Clean,
    /// Up to five times, in any order.
    Doubled,
    /// Every second one is lost.
    Lossy,
    /// All are lost but the last.
    LastOnly,
    /// All are lost.
    Silent,
    /// Minutes to days late.
    Late,
    /// Before the reply to the request.
    Early,
}

pub(crate) const POSTS: [Post; 7] =
    [Post::Clean, Post::Doubled, Post::Lossy, Post::LastOnly, Post::Silent, Post::Late, Post::Early];

/// One history's circumstances. Chances are so many in a thousand.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One process that knows itself alone on its store, in place of several.
    pub(crate) embedded: bool,
    pub(crate) processes: usize,
    pub(crate) rules: Rules,
    pub(crate) policy: Policy,
    pub(crate) capacity: Capacity,
    pub(crate) jobs: usize,
    pub(crate) numbers: u64,
    /// How many of the jobs are single calls.
    pub(crate) singles: u64,
    /// How long jobs and people keep coming; then the faults stop.
    pub(crate) lasts: i64,
    /// A request for a call goes wrong.
    pub(crate) request_faults: u64,
    /// How most callbacks travel.
    pub(crate) post: Post,
    /// A callback's request, or our answer to it, is lost on the network.
    pub(crate) callback_faults: u64,
    /// A question to Twilio goes wrong.
    pub(crate) question_faults: u64,
    pub(crate) store_faults: u64,
    /// At each point of the code.
    pub(crate) deaths: u64,
    pub(crate) pauses: u64,
    /// How often something happens to a process at any time, in a history.
    pub(crate) blows: u64,
    pub(crate) outages: u64,
    /// What people do.
    pub(crate) acts: u64,
    /// How far a process's clock may be from the store's.
    pub(crate) skew: i64,
    /// How far Twilio's clock is from ours.
    pub(crate) twilio_ahead: i64,
    /// How long a call may be missing from Twilio's list.
    pub(crate) listing_lag: i64,
    /// How long Twilio's own requests may be missing from its records.
    pub(crate) events_lag: i64,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let embedded = dice.one_in(3);
        let rules = rules(dice);
        let jobs = 2 + dice.below(6) as usize;
        let mut often = |share: u64, many: u64| if dice.one_in(share) { 1 + dice.below(many) } else { 0 };
        let (request_faults, callback_faults, question_faults) = (often(2, 500), often(3, 200), often(3, 300));
        let (store_faults, deaths, pauses) = (often(4, 40), often(3, 60), often(4, 60));
        let (blows, outages, acts, singles) = (often(2, 5), often(6, 2), often(2, 8), often(2, 1_000));
        let policy = Policy {
            max_attempts: 1 + dice.below(3) as u32,
            redial_after_minutes: dice.of(&[0.0, 0.1, 1.0, 20.0]),
            calls_per_second: None,
            max_concurrent_calls: dice.of(&[None, None, Some(1), Some(2)]),
            ..Policy::default()
        };
        Self {
            embedded,
            processes: if embedded { 1 } else { 2 + dice.below(2) as usize },
            policy,
            capacity: Capacity { calls_per_second: dice.of(&[0.2, 1.0, 5.0, 50.0]), lines: dice.of(&[1, 2, 4, 20]) },
            jobs,
            // Mostly a number of its own for each: those that share one only wait for each other.
            numbers: 1 + dice.below(jobs as u64).max(dice.below(jobs as u64)),
            singles,
            lasts: dice.between(MINUTE / 2, 20 * MINUTE),
            request_faults,
            post: dice.of(&POSTS),
            callback_faults,
            question_faults,
            store_faults,
            deaths,
            pauses,
            blows,
            outages,
            acts,
            skew: dice.of(&[0, 0, 5 * MS, 40 * MS]),
            twilio_ahead: dice.of(&[0, 0, 2 * SECOND, -3 * SECOND, 120 * SECOND]),
            listing_lag: dice.of(&[0, 0, 5 * SECOND, 30 * SECOND]),
            events_lag: dice.of(&[0, 0, 2 * SECOND, 30 * SECOND]),
            rules,
        }
    }
}

fn rules(dice: &mut Dice) -> Rules {
    let waits: &[i64] = dice.of(&[&[60, 120, 600, 3_600], &[1, 2, 4, 8], &[5], &[], &[30, 30, 300]]);
    Rules {
        dial_deadline: SignedDuration::from_secs(dice.of(&[10, 10, 10, 3])),
        look_up_waits: waits.iter().map(|wait| SignedDuration::from_secs(*wait)).collect(),
        time_limit: SignedDuration::from_secs(dice.of(&[300, 300, 60])),
        ..Rules::default()
    }
}
