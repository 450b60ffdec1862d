//! What may be dialled, how often, and what must have happened before.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::{Event, Fate, NonCreation};
use gymcall_jobs::id::Tag;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::outcome::{EndedReason, Outcome};
use gymcall_jobs::rules::Rules;
use proptest::collection::vec;
use proptest::prelude::*;

use super::cast::{campaign_job, news, sid, tag};
use super::history::{Told, histories};
use super::trial::trials;

proptest! {
    #![proptest_config(trials())]

    #[test]
    fn a_secret_is_dialled_once_and_again_only_after_it_is_certain_that_nothing_was_created(history in histories()) {
        let mut dialled: Vec<Tag> = Vec::new();
        let mut declined: Vec<Tag> = Vec::new();
        let mut resolved = false;
        for told in history.told.iter().filter(|told| told.accepted()) {
            match &told.event {
                Event::DialBegun { tag } => {
                    prop_assert!(!dialled.contains(tag), "dialled twice with one secret");
                    let attempt = told.after().attempts().last().expect("a dial is an attempt");
                    prop_assert_eq!(&attempt.tag, tag);
                    if let Some(earlier) = told.before.attempts().last() {
                        if attempt.number == earlier.number {
                            prop_assert!(declined.contains(&earlier.tag), "asked again though a call may exist");
                            prop_assert!(earlier.call.is_none() && attempt.spent_tags.contains(&earlier.tag));
                        } else {
                            prop_assert_eq!(attempt.number, earlier.number + 1);
                            let over = earlier.call.is_some() && earlier.status.is_some_and(CallStatus::is_terminal);
                            let reported = earlier.call.is_some() && earlier.ended_at.is_some();
                            prop_assert!(over || reported || resolved, "the earlier try is not over: {:?}", earlier);
                            prop_assert!(earlier.ended_at.is_some(), "the earlier try has no end");
                        }
                    }
                    dialled.push(tag.clone());
                    resolved = false;
                }
                Event::NotCreated { tag, why: NonCreation::TryAgain | NonCreation::BadAccount, .. } => {
                    declined.push(tag.clone());
                }
                Event::Resolved { fate: Fate::NotCalled } => resolved = true,
                _ => {}
            }
        }
    }

    #[test]
    fn only_a_waiting_job_is_dialled(history in histories()) {
        for told in &history.told {
            if matches!(told.event, Event::DialBegun { .. }) && told.accepted() {
                prop_assert_eq!(told.before.status(), Status::Waiting);
                prop_assert_eq!(told.after().status(), Status::Dialing);
            }
            if told.after().status() == Status::Dialing && told.before.status() != Status::Dialing {
                prop_assert_eq!(told.event.name(), "dial_begun");
            }
        }
    }

    // A miss told by the first callback may lead straight back to the queue: it names the call,
    // so the request's fate is clear, and the attempt that ended has its SID on record.
    #[test]
    fn an_unclear_request_goes_back_to_the_queue_only_on_certain_knowledge(history in histories()) {
        let unclear = |status| matches!(status, Status::Dialing | Status::Unknown | Status::Quarantined);
        for told in &history.told {
            if !unclear(told.before.status()) || told.after().status() != Status::Waiting {
                continue;
            }
            let open = told.before.open_attempt().expect("it is open").clone();
            let certain = match &told.event {
                Event::NotCreated { tag, .. } => told.before.status() != Status::Quarantined && *tag == open.tag,
                Event::Resolved { fate: Fate::NotCalled } => told.before.status() == Status::Quarantined,
                news => news.claim().is_some_and(|(tag, call)| {
                    let ended = told.after().attempts().last().and_then(|ended| ended.call.as_ref());
                    *tag == open.tag && ended == Some(call)
                }),
            };
            prop_assert!(certain, "by {:?}", told.event);
        }
    }

    #[test]
    fn no_gym_is_tried_more_often_than_allowed(history in histories()) {
        for told in &history.told {
            let job = told.after();
            prop_assert!(job.tries() <= history.rules.max_attempts, "{} tries", job.tries());
            let uncounted = job.attempts().iter().filter(|attempt| !attempt.counts).count();
            prop_assert_eq!(job.attempts().len(), usize::try_from(job.tries()).expect("few") + uncounted);
            for (place, attempt) in job.attempts().iter().enumerate() {
                prop_assert_eq!(usize::try_from(attempt.number).expect("few"), place + 1);
            }
        }
    }

    /// One entry of `nuisances` per try: how often Twilio throttles it, and whether Twilio then
    /// takes a first call back before it rings. Neither is a try of this gym.
    #[test]
    fn a_busy_number_is_called_exactly_as_often_as_allowed(
        max_attempts in 1u32..6,
        nuisances in vec((0u32..8, any::<bool>()), 6),
        no_answer in any::<bool>(),
    ) {
        let rules = Rules { max_attempts, ..Rules::default() };
        let missed = if no_answer { CallStatus::NoAnswer } else { CallStatus::Busy };
        let mut job = campaign_job();
        let mut number = 0;
        let mut calls = 0;
        while let Some(&(throttled, taken_back)) = nuisances.get(calls).filter(|_| job.outcome().is_none()) {
            let before = job.attempts().len();
            for _ in 0..throttled {
                let open = begin(&mut job, &rules, &mut number);
                let why = NonCreation::TryAgain;
                tell(&mut job, &rules, Event::NotCreated { tag: open, why, detail: "20429".to_owned() });
                prop_assert_eq!((job.status(), job.attempts().len()), (Status::Waiting, before + 1));
            }
            if taken_back {
                let open = begin(&mut job, &rules, &mut number);
                tell(&mut job, &rules, news(open, sid(number), CallStatus::Canceled));
                prop_assert_eq!((job.status(), job.attempts().len()), (Status::Waiting, before + 1));
            }
            let open = begin(&mut job, &rules, &mut number);
            prop_assert_eq!(job.attempts().len(), before + 1 + usize::from(taken_back));
            tell(&mut job, &rules, news(open, sid(number), missed));
            calls += 1;
            prop_assert_eq!(usize::try_from(job.tries()).expect("few"), calls);
        }
        prop_assert_eq!(job.tries(), max_attempts);
        let last = if no_answer { EndedReason::DialNoAnswer } else { EndedReason::DialBusy };
        prop_assert!(matches!(job.outcome(), Some(Outcome::GaveUp(miss)) if miss.ended_reason == last));
    }
}

#[test]
fn a_request_that_is_always_declined_is_given_up() {
    let decline = |tag, _| Event::NotCreated { tag, why: NonCreation::TryAgain, detail: "20429".to_owned() };
    assert!(dials_until_over(decline) <= 100);
}

#[test]
fn a_call_that_is_always_taken_back_is_given_up() {
    assert!(dials_until_over(|tag, number| news(tag, sid(number), CallStatus::Canceled)) <= 100);
}

/// How often the job is dialled when every dial ends in `fate`; at most 1,000 times.
fn dials_until_over(fate: impl Fn(Tag, u128) -> Event) -> u128 {
    let rules = Rules::default();
    let mut job = campaign_job();
    let mut number = 0;
    while job.outcome().is_none() && number < 1_000 {
        let open = begin(&mut job, &rules, &mut number);
        tell(&mut job, &rules, fate(open, number));
    }
    number
}

fn begin(job: &mut CallJob, rules: &Rules, number: &mut u128) -> Tag {
    *number += 1;
    tell(job, rules, Event::DialBegun { tag: tag(*number) });
    assert_eq!(job.status(), Status::Dialing);
    tag(*number)
}

fn tell(job: &mut CallJob, rules: &Rules, event: Event) {
    let now = job.due().unwrap_or(job.updated_at());
    *job = Told::new(job, event, rules, now).after().clone();
}
