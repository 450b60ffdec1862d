//! A job that was taken back is never dialled again, and whoever is on the line is let go.

use gymcall_jobs::event::Event;
use gymcall_jobs::job::Status;
use gymcall_jobs::outcome::Outcome;
use gymcall_jobs::step::Effect;
use proptest::prelude::*;

use super::history::{History, Told, histories, run_out};
use super::trial::trials;

/// What was told after the first cancel that was accepted, and then by time alone.
fn after_cancel(history: &History) -> Vec<Told> {
    let (job, now) = history.end();
    let cancelled = |told: &Told| told.accepted() && matches!(told.event, Event::Cancel);
    let told = history.told.iter().skip_while(|told| !cancelled(told)).cloned();
    let mut told: Vec<Told> = told.collect();
    if !told.is_empty() {
        told.extend(run_out(&job, &history.rules, now));
    }
    told
}

proptest! {
    #![proptest_config(trials())]

    #[test]
    fn nothing_is_dialled_after_a_cancel(history in histories()) {
        for told in after_cancel(&history) {
            prop_assert!(!(told.accepted() && matches!(told.event, Event::DialBegun { .. })), "{:?}", told);
            prop_assert!(told.after().status() != Status::Waiting, "back in the queue: {:?}", told);
        }
    }

    // A cancel is accepted only where no report is in, so there is no other end to such a job.
    #[test]
    fn a_job_that_was_taken_back_ends_cancelled(history in histories()) {
        for told in after_cancel(&history) {
            if let Some(outcome) = told.after().outcome() {
                prop_assert_eq!(outcome, &Outcome::Cancelled);
            }
        }
    }

    #[test]
    fn a_cancelled_call_is_hung_up_at_once_or_as_soon_as_it_is_known(history in histories()) {
        let told = after_cancel(&history);
        if let Some(cancel) = told.first()
            && let Some(call) = cancel.before.call()
        {
            prop_assert_eq!(cancel.effects(), &[Effect::HangUp(call.clone())]);
        }
        for told in told.iter().skip(1) {
            let open = told.before.open_attempt().is_some_and(|open| open.call.is_none());
            let became = told.after().attempts().last().and_then(|attempt| attempt.call.clone());
            if let (true, Some(call)) = (open, became) {
                prop_assert!(told.effects().contains(&Effect::HangUp(call)), "{:?}", told);
            }
        }
    }

    #[test]
    fn a_cancel_is_refused_only_where_it_changes_nothing(history in histories()) {
        for told in history.told.iter().filter(|told| matches!(told.event, Event::Cancel) && !told.accepted()) {
            let ending = told.before.status() == Status::Closing;
            prop_assert!(ending || told.before.status().is_final() || told.before.cancel_requested());
        }
    }
}
