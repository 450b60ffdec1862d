//! What is always true of the record itself, whatever happened to it.

use gymcall_jobs::attempt::Attempt;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::Tag;
use gymcall_jobs::job::{CallJob, Phase, Status};
use gymcall_jobs::step::{Effect, Ignored, Step};
use proptest::prelude::*;

use super::history::{histories, is_open};
use super::trial::trials;

/// Whether a request for the attempt carried the secret.
fn asked_with(attempt: &Attempt, tag: &Tag) -> bool {
    attempt.tag == *tag || attempt.spent_tags.contains(tag)
}

proptest! {
    #![proptest_config(trials())]

    // `histories` has taken every step already: a panic fails it before a line of this runs.
    #[test]
    fn every_event_has_an_answer_and_always_the_same(history in histories()) {
        for told in &history.told {
            prop_assert_eq!(&told.before.step(&told.event, &history.rules, told.now), &told.step);
            if let Step::Moved(job, _) = &told.step {
                prop_assert_eq!(job.updated_at(), told.now);
                let fixed = |job: &CallJob| {
                    (job.id().clone(), job.gym().clone(), job.membership().cloned(), job.created_at())
                };
                prop_assert_eq!(fixed(job), fixed(&told.before));
            }
        }
    }

    #[test]
    fn what_is_over_stays_as_it_is(history in histories()) {
        for told in history.told.iter().filter(|told| told.before.outcome().is_some()) {
            let (before, after) = (&told.before, told.after());
            prop_assert_eq!(after.phase(), before.phase());
            prop_assert_eq!(after.answers(), before.answers());
            prop_assert_eq!(after.cancel_requested(), before.cancel_requested());
            prop_assert_eq!(after.tries(), before.tries());
            prop_assert_eq!(after.attempts().len(), before.attempts().len());
            for (then, now) in before.attempts().iter().zip(after.attempts()) {
                prop_assert_eq!((now.number, &now.tag, &now.spent_tags), (then.number, &then.tag, &then.spent_tags));
                prop_assert_eq!(&now.call, &then.call);
            }
        }
    }

    #[test]
    fn a_number_is_held_exactly_while_a_call_may_exist(history in histories()) {
        for told in &history.told {
            let job = told.after();
            let quarantined = job.status() == Status::Quarantined;
            prop_assert_eq!(job.holds_number(), is_open(job));
            prop_assert_eq!(job.status().is_live(), is_open(job) && !quarantined);
            prop_assert_eq!(job.line_until(&history.rules).is_some(), is_open(job) && !quarantined);
        }
    }

    #[test]
    fn a_call_is_named_exactly_in_the_phases_that_have_one(history in histories()) {
        for told in &history.told {
            let job = told.after();
            let has_call = matches!(job.phase(), Phase::Placed { .. } | Phase::Talking { .. } | Phase::Closing { .. });
            prop_assert_eq!(job.call().is_some(), has_call);
            if let Some(attempt) = job.open_attempt() {
                prop_assert_eq!(attempt.call.as_ref(), job.call(), "attempt and phase disagree");
            }
        }
    }

    #[test]
    fn the_record_survives_being_written_and_read(history in histories()) {
        for told in &history.told {
            let text = serde_json::to_string(told.after()).expect("a record is JSON");
            prop_assert_eq!(&serde_json::from_str::<CallJob>(&text).expect("its own JSON"), told.after());
            let value = serde_json::to_value(told.after()).expect("a record is JSON");
            prop_assert_eq!(&serde_json::from_value::<CallJob>(value).expect("its own JSON"), told.after());
            let text = serde_json::to_string(&told.event).expect("an event is JSON");
            prop_assert_eq!(&serde_json::from_str::<Event>(&text).expect("its own JSON"), &told.event);
        }
    }

    #[test]
    fn a_second_call_for_one_secret_is_hung_up_and_touches_nothing(history in histories()) {
        for told in &history.told {
            let Some((tag, call)) = told.event.claim() else { continue };
            let owner = told.before.attempts().iter().find(|attempt| asked_with(attempt, tag));
            let Some(owner) = owner else {
                prop_assert_eq!(&told.step, &Step::Ignored(Ignored::ForeignTag));
                continue;
            };
            if owner.call.as_ref().is_none_or(|own| own == call) {
                continue;
            }
            if owner.conflicts.contains(call) {
                prop_assert_eq!(&told.step, &Step::Ignored(Ignored::OldNews));
                continue;
            }
            prop_assert_eq!(told.effects(), &[Effect::HangUp(call.clone())]);
            prop_assert_eq!(told.after().phase(), told.before.phase());
            prop_assert_eq!(told.after().answers(), told.before.answers());
            for (then, now) in told.before.attempts().iter().zip(told.after().attempts()) {
                let mut expected = then.clone();
                if then.number == owner.number {
                    expected.conflicts.push(call.clone());
                }
                prop_assert_eq!(now, &expected);
            }
        }
    }

    // A call that Twilio made for a request it had declined is nobody's: it must not go on.
    #[test]
    fn no_call_is_left_on_the_line_unrecorded(history in histories()) {
        for told in &history.told {
            let Some((tag, call)) = told.event.claim() else { continue };
            let ours = told.before.attempts().iter().any(|attempt| asked_with(attempt, tag));
            let mut after = told.after().attempts().iter();
            let known = after.any(|attempt| attempt.call.as_ref() == Some(call) || attempt.conflicts.contains(call));
            prop_assert!(!ours || known, "{:?} is on no record", call);
        }
    }

    #[test]
    fn what_twilio_tells_of_the_open_call_is_kept(history in histories()) {
        for told in &history.told {
            let Event::CallNews { call, status, duration_s, price, answered_by, .. } = &told.event else { continue };
            let Some(open) = told.before.open_attempt().filter(|_| told.before.call() == Some(call)) else { continue };
            if told.event.claim().is_some_and(|(tag, _)| open.tag != *tag) {
                continue;
            }
            // A call may be claimed by two attempts only where Twilio gave one SID twice.
            let mut owners = told.after().attempts().iter().filter(|attempt| attempt.call.as_ref() == Some(call));
            let (Some(attempt), None) = (owners.next(), owners.next()) else { continue };
            prop_assert!(attempt.duration_s.is_some() || duration_s.is_none(), "its length was told");
            prop_assert!(attempt.price.is_some() || price.is_none(), "its price was told");
            prop_assert!(attempt.answered_by.is_some() || answered_by.is_none(), "who answered was told");
            prop_assert!(attempt.status.is_some_and(|known| known.rank() >= status.rank()), "how it stands was told");
        }
    }

    #[test]
    fn a_wish_not_to_be_called_is_never_lost(history in histories()) {
        for told in &history.told {
            let Event::DoNotCallHeard { tag, call, .. } = &told.event else { continue };
            let mut after = told.after().attempts().iter();
            if after.any(|attempt| attempt.tag == *tag && attempt.call.as_ref() == Some(call)) {
                prop_assert!(told.effects().contains(&Effect::Suppress), "{:?}", told.step);
            }
        }
    }
}
