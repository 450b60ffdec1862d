//! Time alone ends every job, and never quietly.

use gymcall_jobs::event::Event;
use gymcall_jobs::job::Status;
use gymcall_jobs::step::{Effect, Ignored, Step};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::history::{histories, is_open, run_out};
use super::trial::trials;

proptest! {
    #![proptest_config(trials())]

    // `run_out` itself fails after 200 ticks.
    #[test]
    fn time_alone_ends_every_job(history in histories()) {
        let (job, now) = history.end();
        let told = run_out(&job, &history.rules, now);
        for tick in &told {
            prop_assert!(tick.accepted(), "its own deadline is refused: {:?}", tick);
        }
        let end = told.last().map_or(&job, |last| last.after());
        prop_assert!(end.status().is_final() || end.status() == Status::Waiting, "{:?}", end);
    }

    #[test]
    fn no_open_job_is_forgotten(history in histories()) {
        for told in &history.told {
            let job = told.after();
            let open = is_open(job) && job.status() != Status::Quarantined;
            let costs = job.outcome().is_some() && job.unpriced().next().is_some();
            let deadline = job.deadline(&history.rules).is_some();
            prop_assert!(deadline || !open, "{:?}", job);
            prop_assert!(!deadline || open || costs, "{:?}", job);
            prop_assert_eq!(job.due().is_some(), job.status() == Status::Waiting);
        }
    }

    // Until it is known, and not for ever.
    #[test]
    fn the_price_of_a_call_is_asked_for_after_its_end(history in histories()) {
        let (job, now) = history.end();
        let told = run_out(&job, &history.rules, now);
        let Some(end) = told.last().map(|last| last.after()).filter(|job| job.outcome().is_some()) else { return Ok(()) };
        let missing: Vec<_> = end.unpriced().map(|attempt| attempt.call.clone()).collect();
        let looks = told.iter().filter(|tick| tick.before.outcome().is_some());
        prop_assert!(looks.clone().count() <= history.rules.price_waits.len());
        for tick in looks {
            let ordered = tick.effects().iter().map(|effect| match effect {
                Effect::ReadPrice { call, .. } => Some(call.clone()),
                other => panic!("a job that is over asks for {other:?}"),
            });
            prop_assert_eq!(ordered.collect::<Vec<_>>(), missing.clone());
        }
    }

    #[test]
    fn an_unclear_request_is_looked_up_before_it_is_quarantined(history in histories()) {
        let (job, now) = history.end();
        let mut looked_up = false;
        for told in history.told.iter().chain(&run_out(&job, &history.rules, now)) {
            if told.before.status() != Status::Unknown && told.after().status() == Status::Unknown {
                looked_up = false;
            }
            looked_up |= told.effects().iter().any(|effect| matches!(effect, Effect::LookUp { .. }));
            if told.after().status() == Status::Quarantined && told.before.status() != Status::Quarantined {
                prop_assert_eq!(told.before.status(), Status::Unknown);
                prop_assert!(looked_up, "quarantined without a look-up");
            }
        }
    }

    #[test]
    fn nothing_happens_before_its_time(history in histories()) {
        for told in &history.told {
            let job = told.after();
            if let Some(deadline) = job.deadline(&history.rules) {
                let early = deadline.checked_sub(SignedDuration::from_nanos(1)).expect("not the beginning of time");
                prop_assert_eq!(job.step(&Event::Tick, &history.rules, early), Step::Ignored(Ignored::TooEarly));
            }
        }
    }

    // What Twilio says may be a miss that is tried again: only its silence is for a person. Its
    // own word about a call that is known is as good as having asked.
    #[test]
    fn a_call_is_asked_after_before_it_is_given_up(history in histories()) {
        let (job, now) = history.end();
        let mut asked = false;
        for told in history.told.iter().chain(&run_out(&job, &history.rules, now)) {
            asked &= told.before.call().is_some();
            if told.event == Event::Tick && told.before.status() == Status::Placed && told.after().outcome().is_some() {
                prop_assert!(asked, "{:?}", told);
            }
            asked |= told.accepted() && told.before.call().is_some() && told.event.name() == "call_news";
            asked |= told
                .effects()
                .iter()
                .any(|effect| matches!(effect, Effect::Fetch(_) | Effect::TakeBack(_) | Effect::HangUp(_)));
        }
    }

    // Whoever is on the line of a call that we give up on must not be kept there.
    #[test]
    fn a_call_that_time_ends_is_hung_up(history in histories()) {
        let (job, now) = history.end();
        for tick in run_out(&job, &history.rules, now) {
            let Some(call) = tick.before.call() else { continue };
            let told_over = tick.before.open_attempt().is_some_and(|open| open.ended_at.is_some());
            if tick.after().call().is_none() && !told_over {
                prop_assert!(tick.effects().contains(&Effect::HangUp(call.clone())), "{:?}", tick);
            }
        }
    }
}
