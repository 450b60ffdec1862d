//! What calls come to is counted once, and nothing is taken for spent less than it may be.

use gymcall_jobs::event::Event;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::spend::{Amount, Charge};
use gymcall_jobs::tally::Tally;
use proptest::prelude::*;

use super::history::{histories, is_open, run_out};
use super::trial::trials;

/// What is set aside for the open attempt, whole.
fn reserve_of(job: &CallJob) -> Amount {
    let reserve = job.attempts().last().and_then(|attempt| attempt.reserve);
    reserve.map_or(Amount::ZERO, |reserve| reserve.whole())
}

proptest! {
    #![proptest_config(trials())]

    #[test]
    fn the_tallies_of_all_moves_are_the_tally_of_the_record(history in histories()) {
        let moves = history.told.iter().map(|told| Tally::between(&told.before, told.after()));
        let first = Tally::of(&history.told[0].before);
        prop_assert_eq!(first, Tally::default(), "a job that was never dialled costs something");
        prop_assert_eq!(moves.fold(first, Tally::plus), Tally::of(&history.end().0));
    }

    #[test]
    fn a_dial_sets_aside_what_its_call_may_cost(history in histories()) {
        for told in history.told.iter().filter(|told| told.accepted() && matches!(told.event, Event::DialBegun { .. })) {
            let tally = Tally::between(&told.before, told.after());
            prop_assert_eq!(tally.spent(), history.rules.reserve().map_or(Amount::ZERO, |reserve| reserve.whole()));
            prop_assert_eq!((tally.cost, tally.calls), (0, 0));
        }
    }

    // Its call may go on, and nobody has said what it costs.
    #[test]
    fn nothing_is_given_back_while_a_call_may_go_on(history in histories()) {
        for told in &history.told {
            let job = told.after();
            let Some(attempt) = job.open_attempt() else { continue };
            if attempt.ended_at.is_none() && attempt.price.is_none() {
                let charge = attempt.reserve.map_or(Charge::Nothing, |reserve| Charge::Reserved(reserve.whole()));
                prop_assert_eq!(attempt.charge(), charge);
            }
            if job.status() == Status::Quarantined {
                prop_assert_eq!(attempt.charge(), match attempt.reserve {
                    Some(_) => Charge::Reserved(reserve_of(job)),
                    None => Charge::Nothing,
                });
            }
        }
    }

    #[test]
    fn a_price_once_told_is_the_cost(history in histories()) {
        for told in &history.told {
            for attempt in told.after().attempts() {
                let Some(price) = attempt.cost() else { continue };
                prop_assert_eq!(attempt.charge(), Charge::Cost(price.parse().expect("a decimal price")));
            }
        }
    }

    #[test]
    fn no_more_calls_are_over_than_were_made_and_no_more_connected_than_over(history in histories()) {
        for told in &history.told {
            let tally = Tally::of(told.after());
            prop_assert!((0..=tally.calls).contains(&tally.ended), "{:?}", tally);
            prop_assert!((0..=tally.ended).contains(&tally.connected), "{:?}", tally);
            prop_assert!(tally.cost >= 0 && tally.reserved >= 0, "{:?}", tally);
        }
    }

    #[test]
    fn a_job_that_was_told_everything_keeps_nothing_aside(history in histories()) {
        let (job, now) = history.end();
        let told = run_out(&job, &history.rules, now);
        let job = told.last().map_or(&job, |last| last.after());
        let clear = |attempt: &gymcall_jobs::attempt::Attempt| {
            attempt.call.is_some() && attempt.status.is_some_and(|status| status.is_terminal())
        };
        if !is_open(job) && job.attempts().iter().all(clear) {
            let unmeasured = job.attempts().iter().filter(|attempt| {
                attempt.was_picked_up() && attempt.started_at.is_none() && attempt.duration_s.is_none()
            });
            if unmeasured.count() == 0 {
                prop_assert_eq!(Tally::of(job).reserved, 0);
            }
        }
    }
}
