//! The order of the news does not matter, nor how often it is told.
//!
//! The scope that is fair: one call as Twilio makes it, all of it told within the ten seconds
//! that an ending call waits for its other half. Twilio's callbacks, its reply and our own
//! suspicions come in any order and any number. The conversation is one task of ours: it first
//! tells its parts in their order (answers, then the report), and only repeats come anyhow.
//! News without a secret is an answer to a question about a SID, so it is only ever a repeat.

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Outcome, Report};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::{Ignored, Step};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::cast::{answer, at, campaign_job, news, report, sid, tag};
use super::history::{Told, run_out};
use super::trial::trials;

/// All the news of one call: what comes in any order, and what the conversation tells.
#[derive(Debug, Clone)]
struct Story {
    anyhow: Vec<Event>,
    conversation: Vec<Event>,
}

fn stories() -> impl Strategy<Value = Story> {
    let kinds = select(vec![
        CallStatus::Completed,
        CallStatus::Completed,
        CallStatus::Busy,
        CallStatus::NoAnswer,
        CallStatus::Failed,
        CallStatus::Canceled,
    ]);
    let reports = select(vec![
        report(Disposition::AnsweredFull, EndedReason::AgentHangup),
        report(Disposition::AnsweredPartial, EndedReason::UserHangup),
        report(Disposition::Refused, EndedReason::UserDeclined),
        report(Disposition::Voicemail, EndedReason::VoicemailReached),
        report(Disposition::NoContact, EndedReason::Inactivity),
    ]);
    let doubts = subsequence(
        vec![Event::Unclear { tag: tag(1), detail: "no reply".to_owned() }, Event::DialerDied, Event::Tick],
        0..=3,
    );
    let heard = subsequence(
        vec![
            answer("day_pass", AnswerValue::Boolean(true)),
            answer("sauna", AnswerValue::NotKnown),
            answer("hours", AnswerValue::NotAsked),
        ],
        0..=3,
    );
    (kinds, proptest::option::of(reports), doubts, heard)
        .prop_map(|(ending, report, doubts, heard)| story(ending, report, doubts, heard))
}

fn story(ending: CallStatus, report: Option<Report>, doubts: Vec<Event>, heard: Vec<Answer>) -> Story {
    let (tag, call) = (tag(1), sid(1));
    let said = |status| news(tag.clone(), call.clone(), status);
    let mut anyhow = doubts;
    anyhow.push(Event::Created { tag: tag.clone(), call: call.clone() });
    anyhow.push(said(CallStatus::Queued));
    let mut conversation = Vec::new();
    if ending != CallStatus::Canceled {
        anyhow.extend([said(CallStatus::Initiated), said(CallStatus::Ringing)]);
    }
    if ending == CallStatus::Completed {
        anyhow.extend([said(CallStatus::InProgress), Event::VoiceRequested { tag: tag.clone(), call: call.clone() }]);
        // The verdict on who answered comes as news of a call that goes on.
        let mut detected = said(CallStatus::InProgress);
        if let Event::CallNews { answered_by, .. } = &mut detected {
            *answered_by = Some(AnsweredBy::Human);
        }
        anyhow.push(detected);
        conversation.push(Event::StreamOpened { tag: tag.clone(), call: call.clone(), stream: "MZ1".to_owned() });
        for answer in heard {
            conversation.push(Event::AnswerHeard { tag: tag.clone(), call: call.clone(), answer });
        }
        if let Some(report) = report {
            conversation.push(Event::Reported { tag: tag.clone(), call: call.clone(), report });
        }
    }
    let mut over = said(ending);
    if let Event::CallNews { duration_s, price, .. } = &mut over {
        (*duration_s, *price) = (Some(42), Some("-0.0085".to_owned()));
    }
    anyhow.push(over);
    Story { anyhow, conversation }
}

/// A story and an order to tell it in, with repeats.
fn tellings() -> impl Strategy<Value = (Story, Vec<Event>)> {
    let places = || vec(any::<u16>(), 24);
    let repeats = vec((any::<prop::sample::Index>(), any::<u16>(), any::<bool>()), 0..12);
    (stories(), places(), places(), repeats).prop_map(|(story, places, mut turns, repeats)| {
        turns.truncate(story.conversation.len());
        turns.sort_unstable();
        let anyhow = story.anyhow.iter().cloned().zip(places);
        let conversation = story.conversation.iter().cloned().zip(turns.iter().copied());
        let mut told: Vec<(Event, u16)> = anyhow.chain(conversation).collect();
        for (pick, place, by_sid) in repeats {
            let (event, first) = pick.get(&told).clone();
            told.push((if by_sid { without_tag(event) } else { event }, place.max(first)));
        }
        // Stable: a repeat at the same place comes after its original.
        told.sort_by_key(|(_, place)| *place);
        (story, told.into_iter().map(|(event, _)| event).collect())
    })
}

fn without_tag(mut event: Event) -> Event {
    if let Event::CallNews { tag, .. } = &mut event {
        *tag = None;
    }
    event
}

/// What may not depend on the order: how it ended, how the call stood, its facts, the answers.
#[derive(Debug, PartialEq)]
struct Result {
    outcome: Option<Outcome>,
    status: Option<CallStatus>,
    facts: (Option<u32>, Option<String>, Option<AnsweredBy>),
    tries: u32,
    answers: Vec<Answer>,
    calls: usize,
}

fn result(job: &CallJob) -> Result {
    let mut answers = job.answers().to_vec();
    answers.sort_by(|one, other| one.key.cmp(&other.key));
    let attempt = job.attempts().last().expect("it was dialled");
    Result {
        outcome: job.outcome().cloned(),
        status: attempt.status,
        facts: (attempt.duration_s, attempt.price.clone(), attempt.answered_by),
        tries: job.tries(),
        answers,
        calls: job.attempts().iter().map(|attempt| usize::from(attempt.call.is_some()) + attempt.conflicts.len()).sum(),
    }
}

/// Tells the events within nine seconds of the dial, then lets time run out.
fn tell(events: &[Event], rules: &Rules) -> Result {
    let step = SignedDuration::from_secs(9) / i32::try_from(events.len().max(1)).expect("few");
    let mut now = at(0);
    let mut job = Told::new(&campaign_job(), Event::DialBegun { tag: tag(1) }, rules, now).after().clone();
    for event in events {
        now = now.checked_add(step).expect("some seconds");
        job = Told::new(&job, event.clone(), rules, now).after().clone();
    }
    let rest = run_out(&job, rules, now);
    result(rest.last().map_or(&job, |last| last.after()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, ..trials() })]

    #[test]
    fn the_order_and_number_of_tellings_change_nothing((story, told) in tellings(), max_attempts in 1u32..3) {
        let rules = Rules { max_attempts, ..Rules::default() };
        let Some((over, before)) = story.anyhow.split_last() else { return Ok(()) };
        let straight: Vec<Event> = before.iter().chain(&story.conversation).chain([over]).cloned().collect();
        prop_assert_eq!(tell(&told, &rules), tell(&straight, &rules));
    }
}

#[test]
fn a_call_has_one_stream_the_first() {
    let opened = |stream: &str| Event::StreamOpened { tag: tag(1), call: sid(1), stream: stream.to_owned() };
    let voice = Event::VoiceRequested { tag: tag(1), call: sid(1) };
    let told = [Event::DialBegun { tag: tag(1) }, voice, opened("MZ1")];
    let job = told.iter().fold(campaign_job(), |job, event| match job.step(event, &Rules::default(), at(1)) {
        Step::Moved(next, _) => *next,
        Step::Ignored(why) => unreachable!("{event:?}: {why:?}"),
    });
    for stream in ["MZ1", "MZ2"] {
        assert_eq!(job.step(&opened(stream), &Rules::default(), at(2)), Step::Ignored(Ignored::OldNews));
    }
    assert_eq!(job.open_attempt().and_then(|attempt| attempt.stream.as_deref()), Some("MZ1"));
}
