//! How the laws are tried, and proof that the histories are worth trying them on.

use std::collections::BTreeSet;

use gymcall_jobs::job::Status;
use gymcall_jobs::step::{Effect, Step};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::history::histories;

/// How often each law is tried; `PROPTEST_CASES` makes it more. Nothing is written to disk:
/// a failure shrinks to a case that belongs in the step table.
pub(crate) fn trials() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

/// A law that no history ever touches would hold for nothing: every status is reached, every
/// event is accepted somewhere and refused somewhere else, and every effect is asked for.
#[test]
fn the_histories_reach_everything() {
    let mut runner = TestRunner::deterministic();
    let mut statuses = BTreeSet::new();
    let (mut accepted, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut effects = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for _ in 0..1_500 {
        let history = histories().new_tree(&mut runner).expect("a history").current();
        for told in &history.told {
            statuses.insert(told.after().status().as_str());
            match &told.step {
                Step::Moved(_, asked) => {
                    accepted.insert(told.event.name());
                    effects.extend(asked.iter().map(kind));
                }
                Step::Ignored(why) => {
                    refused.insert(told.event.name());
                    reasons.insert(why.as_str());
                }
            }
        }
    }
    let every_status: BTreeSet<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(statuses, every_status);
    assert_eq!(accepted.len(), 23, "accepted: {accepted:?}");
    assert_eq!(refused.len(), 23, "refused: {refused:?}");
    assert_eq!(effects.len(), 7, "asked for: {effects:?}");
    assert_eq!(reasons.len(), 5, "refused because: {reasons:?}");
}

fn kind(effect: &Effect) -> &'static str {
    match effect {
        Effect::HangUp(_) => "hang up",
        Effect::TakeBack(_) => "take back",
        Effect::LeaveMessage(_) => "leave a message",
        Effect::Fetch(_) => "fetch",
        Effect::LookUp { .. } => "look up",
        Effect::ReadPrice { .. } => "read a price",
        Effect::Suppress => "suppress",
    }
}
