//! The state machine in calls that Twilio itself speaks and hears, and what its detection of machines moves.

use crate::laws::cast::{answer, campaign_job, news, report, sid, tag};
use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::job::{CallJob, Half, Status};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Outcome, Report};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::{Effect, Ignored, Step};
use gymcall_jobs::turn::SpokenTurn;
use jiff::SignedDuration;

fn step(job: &CallJob, event: &Event, rules: &Rules) -> Result<(CallJob, Vec<Effect>), Ignored> {
    match job.step(event, rules, job.updated_at()) {
        Step::Moved(next, effects) => Ok((*next, effects)),
        Step::Ignored(why) => Err(why),
    }
}

/// What time alone makes of it, once its deadline is here.
fn later(job: &CallJob) -> CallJob {
    let rules = Rules::default();
    match job.step(&Event::Tick, &rules, job.deadline(&rules).expect("a deadline")) {
        Step::Moved(next, _) => *next,
        Step::Ignored(why) => unreachable!("{why:?}"),
    }
}

fn tell(job: &CallJob, events: &[Event]) -> CallJob {
    events.iter().fold(job.clone(), |job, event| step(&job, event, &Rules::default()).expect("accepted").0)
}

fn speech() -> Event {
    Event::SpeechBegun { tag: tag(1), call: sid(1), line_ms: 3_000 }
}

fn turn(turn: usize, text: &str) -> Event {
    let heard = SpokenTurn { text: text.to_owned(), from_ms: 1_000, to_ms: 2_000, ..SpokenTurn::default() };
    Event::TurnHeard { tag: tag(1), call: sid(1), turn, heard, line_ms: 3_000 }
}

fn told() -> Event {
    Event::AnswerHeard { tag: tag(1), call: sid(1), answer: answer("sauna", AnswerValue::Boolean(true)) }
}

fn unknown() -> Event {
    Event::AnswerHeard { tag: tag(1), call: sid(1), answer: answer("sauna", AnswerValue::NotKnown) }
}

fn detected(answered_by: AnsweredBy) -> Event {
    Event::Detected { tag: tag(1), call: sid(1), answered_by, after_ms: Some(3_000) }
}

fn is(status: CallStatus) -> Event {
    news(tag(1), sid(1), status)
}

fn reported(disposition: Disposition, ended_reason: EndedReason) -> Event {
    Event::Reported { tag: tag(1), call: sid(1), report: report(disposition, ended_reason) }
}

/// A call that speaks.
fn spoken() -> CallJob {
    let voice = Event::VoiceRequested { tag: tag(1), call: sid(1) };
    tell(&campaign_job(), &[Event::DialBegun { tag: tag(1) }, voice, speech()])
}

fn turns(job: &CallJob) -> Vec<&str> {
    job.attempts().last().expect("an attempt").turns.iter().map(|turn| turn.text.as_str()).collect()
}

fn end(job: &CallJob) -> (Disposition, EndedReason, AnsweredBy) {
    match job.outcome() {
        Some(Outcome::Answered(Report { disposition, ended_reason, answered_by })) => {
            (*disposition, *ended_reason, *answered_by)
        }
        Some(Outcome::GaveUp(miss)) => (miss.disposition, miss.ended_reason, miss.answered_by),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn each_turn_is_kept_once_and_in_its_order() {
    let job = tell(&spoken(), &[turn(0, "hello?"), turn(1, "6 to 10")]);
    assert_eq!(turns(&job), ["hello?", "6 to 10"]);
    let ignored = |event| step(&job, &event, &Rules::default()).expect_err("ignored");
    assert_eq!(ignored(turn(1, "something else")), Ignored::OldNews);
    assert_eq!(ignored(turn(0, "hello?")), Ignored::OldNews);
    assert_eq!(ignored(turn(3, "too early")), Ignored::OutOfPlace);
    assert_eq!(ignored(speech()), Ignored::OldNews);
}

#[test]
fn one_attempt_has_one_agent_on_a_stream_or_in_turns() {
    let stream = || Event::StreamOpened { tag: tag(1), call: sid(1), stream: "MZ1".to_owned() };
    assert_eq!(step(&spoken(), &stream(), &Rules::default()).expect_err("ignored"), Ignored::OldNews);
    let streamed = tell(&campaign_job(), &[Event::DialBegun { tag: tag(1) }, stream()]);
    assert_eq!(step(&streamed, &speech(), &Rules::default()).expect_err("ignored"), Ignored::OldNews);
}

#[test]
fn who_hangs_up_in_the_middle_ends_the_job_with_what_was_said() {
    use {AnsweredBy::Human, Disposition::*, EndedReason::UserHangup};
    for (told, expected) in [
        (vec![], (NoContact, UserHangup, AnsweredBy::Unknown)),
        (vec![turn(0, "")], (NoContact, UserHangup, AnsweredBy::Unknown)),
        (vec![turn(0, "hello?")], (NeedsReview, UserHangup, Human)),
        (vec![turn(0, "hello?"), unknown()], (NeedsReview, UserHangup, Human)),
        (vec![turn(0, "hello?"), told()], (AnsweredPartial, UserHangup, Human)),
    ] {
        assert_eq!(end(&later(&tell(&tell(&spoken(), &told), &[is(CallStatus::Completed)]))), expected);
    }
}

#[test]
fn the_last_words_count_though_the_end_was_told_before_them() {
    let ended = tell(&spoken(), &[turn(0, "hello?"), is(CallStatus::Completed)]);
    let wait = ended.deadline(&Rules::default()).expect("a deadline").duration_since(ended.updated_at());
    assert_eq!((ended.status(), wait), (Status::Closing, SignedDuration::from_secs(10)));
    let heard = tell(&ended, &[turn(1, "yes, we do"), told()]);
    assert_eq!(turns(&heard), ["hello?", "yes, we do"]);
    assert_eq!(step(&heard, &turn(3, "too early"), &Rules::default()).expect_err("ignored"), Ignored::OutOfPlace);
    assert_eq!(end(&later(&heard)), (Disposition::AnsweredPartial, EndedReason::UserHangup, AnsweredBy::Human));
    // The conversation may have come to its end with them.
    let whole = tell(&heard, &[reported(Disposition::AnsweredFull, EndedReason::AgentHangup)]);
    assert_eq!(end(&whole).0, Disposition::AnsweredFull);
    // Once it is settled, it is.
    let settled = later(&ended);
    assert_eq!(step(&settled, &turn(1, "yes"), &Rules::default()).expect_err("ignored"), Ignored::Final);
}

#[test]
fn the_end_of_a_call_that_an_earlier_version_stored_is_read() {
    let old: Half = serde_json::from_str(r#"{"half":"ended"}"#).expect("read");
    assert_eq!(old, Half::Ended { reason: None });
    assert_eq!(serde_json::to_string(&old).expect("written"), r#"{"half":"ended"}"#);
    let new = Half::Ended { reason: Some(EndedReason::UserHangup) };
    let written = serde_json::to_string(&new).expect("written");
    assert_eq!(serde_json::from_str::<Half>(&written).expect("read"), new);
}

#[test]
fn a_line_that_breaks_in_the_middle_is_no_hang_up() {
    let job = tell(&spoken(), &[turn(0, "6 to 10"), told(), is(CallStatus::Failed)]);
    assert_eq!(end(&later(&job)), (Disposition::AnsweredPartial, EndedReason::ErrorStream, AnsweredBy::Human));
}

#[test]
fn a_call_that_twilio_ends_at_its_limit_was_too_long() {
    let mut over = is(CallStatus::Completed);
    if let Event::CallNews { duration_s, .. } = &mut over {
        *duration_s = Some(300);
    }
    let job = tell(&spoken(), &[turn(0, "6 to 10"), told(), over]);
    assert_eq!(end(&later(&job)).1, EndedReason::MaxDurationReached);
}

#[test]
fn a_report_before_the_goodbye_leaves_the_time_to_say_it() {
    let goodbye = reported(Disposition::AnsweredFull, EndedReason::AgentHangup);
    let streamed = Event::VoiceRequested { tag: tag(1), call: sid(1) };
    let streamed = tell(&campaign_job(), &[Event::DialBegun { tag: tag(1) }, streamed, goodbye.clone()]);
    let spoken = tell(&spoken(), &[turn(0, "6 to 10"), goodbye]);
    let wait = |job: &CallJob| job.deadline(&Rules::default()).expect("a deadline").duration_since(job.updated_at());
    assert_eq!(wait(&streamed), SignedDuration::from_secs(10));
    assert_eq!(wait(&spoken), SignedDuration::from_secs(13));
    let over = tell(&spoken, &[is(CallStatus::Completed)]);
    assert_eq!(end(&over).0, Disposition::AnsweredFull);
}

#[test]
fn a_machine_is_hung_up_on_and_its_call_is_not_repeated() {
    for who in [AnsweredBy::MachineStart, AnsweredBy::MachineEndBeep, AnsweredBy::Fax] {
        let (job, effects) = step(&spoken(), &detected(who), &Rules::default()).expect("accepted");
        assert_eq!((job.status(), effects), (Status::Closing, vec![Effect::HangUp(sid(1))]));
        assert_eq!(step(&job, &detected(who), &Rules::default()).expect_err("ignored"), Ignored::OldNews);
        let over = tell(&job, &[is(CallStatus::Completed)]);
        assert_eq!(end(&over), (Disposition::Voicemail, EndedReason::VoicemailReached, who));
    }
}

#[test]
fn who_may_be_a_person_is_not_hung_up_on() {
    for who in [AnsweredBy::Human, AnsweredBy::Unknown] {
        let (job, effects) = step(&spoken(), &detected(who), &Rules::default()).expect("accepted");
        assert_eq!((job.status(), effects.len()), (Status::InProgress, 0));
        assert_eq!(job.attempts()[0].answered_by, Some(who));
    }
}

#[test]
fn a_detector_that_is_late_does_not_cost_an_answer() {
    let job = tell(&spoken(), &[turn(0, "6 to 10"), told()]);
    let (job, effects) = step(&job, &detected(AnsweredBy::MachineStart), &Rules::default()).expect("accepted");
    assert_eq!((job.status(), effects.len()), (Status::InProgress, 0));
    let over = tell(&job, &[reported(Disposition::AnsweredFull, EndedReason::AgentHangup), is(CallStatus::Completed)]);
    assert_eq!(end(&over).0, Disposition::AnsweredFull);
    // Nor once it is over.
    let over = later(&tell(&spoken(), &[turn(0, "6 to 10"), told(), is(CallStatus::Completed)]));
    let (over, effects) = step(&over, &detected(AnsweredBy::MachineStart), &Rules::default()).expect("accepted");
    assert_eq!((end(&over).0, effects.len()), (Disposition::AnsweredPartial, 0));
    assert_eq!(over.attempts()[0].answered_by, Some(AnsweredBy::MachineStart));
}

#[test]
fn a_beep_is_believed_against_what_a_greeting_told() {
    let greeting = |to_ms| {
        let answer = Answer { to_ms, ..answer("sauna", AnswerValue::Boolean(true)) };
        let heard = Event::AnswerHeard { tag: tag(1), call: sid(1), answer };
        tell(&spoken(), &[turn(0, "We are open from 6 to 10"), heard, turn(1, "every day")])
    };
    let rules = Rules { message: Some(SignedDuration::from_secs(40)), ..Rules::default() };
    let effects = |job: &CallJob, who| step(job, &detected(who), &rules).map(|(_, effects)| effects);
    assert_eq!(effects(&greeting(2_000), AnsweredBy::MachineEndBeep), Ok(vec![Effect::LeaveMessage(sid(1))]));
    assert_eq!(effects(&greeting(2_000), AnsweredBy::MachineStart), Ok(vec![]));
    // An answer to what was asked is a person's, beep or no beep.
    assert_eq!(effects(&greeting(5_000), AnsweredBy::MachineEndBeep), Ok(vec![]));
}

#[test]
fn a_message_is_left_where_twilio_listened_for_a_beep_in_vain() {
    let rules = Rules { message: Some(SignedDuration::from_secs(40)), ..Rules::default() };
    let effects = |job: &CallJob, who| step(job, &detected(who), &rules).map(|(_, effects)| effects);
    let known =
        tell(&spoken(), &[turn(0, "greeting"), reported(Disposition::Voicemail, EndedReason::VoicemailReached)]);
    assert_eq!(effects(&known, AnsweredBy::Unknown), Ok(vec![Effect::LeaveMessage(sid(1))]));
    for who in [AnsweredBy::Human, AnsweredBy::Fax] {
        assert_eq!(effects(&known, who), Ok(vec![]), "{who:?}");
    }
    // Where the words did not tell a machine, it proves none.
    assert_eq!(effects(&spoken(), AnsweredBy::Unknown), Ok(vec![]));
}

#[test]
fn a_message_is_left_once_and_after_the_beep_only() {
    let rules = Rules { message: Some(SignedDuration::from_secs(40)), ..Rules::default() };
    let effects = |job: &CallJob, who| step(job, &detected(who), &rules).map(|(_, effects)| effects);
    let leave = || vec![Effect::LeaveMessage(sid(1))];
    assert_eq!(effects(&spoken(), AnsweredBy::Fax), Ok(vec![Effect::HangUp(sid(1))]));
    assert_eq!(effects(&spoken(), AnsweredBy::MachineEndBeep), Ok(leave()));
    let (left, _) = step(&spoken(), &detected(AnsweredBy::MachineEndBeep), &rules).expect("accepted");
    assert_eq!(effects(&left, AnsweredBy::MachineEndBeep), Err(Ignored::OldNews));
    // It is given the time that it takes.
    let wait = left.deadline(&rules).expect("a deadline").duration_since(left.updated_at());
    assert_eq!(wait, SignedDuration::from_secs(50));
    // Its words told it before the beep came.
    let known = tell(&spoken(), &[reported(Disposition::Voicemail, EndedReason::VoicemailReached)]);
    assert_eq!(effects(&known, AnsweredBy::MachineEndSilence), Ok(leave()));
    let goodbye = tell(&spoken(), &[reported(Disposition::Refused, EndedReason::UserDeclined)]);
    assert_eq!(effects(&goodbye, AnsweredBy::MachineEndSilence), Ok(vec![]));
    // A person has taken the call back meanwhile: no more is said in it.
    let cancelled = tell(&spoken(), &[Event::Cancel]);
    assert_eq!(effects(&cancelled, AnsweredBy::MachineEndBeep), Ok(vec![Effect::HangUp(sid(1))]));
}

#[test]
fn a_cancelled_call_that_is_spoken_ends_as_cancelled() {
    let job = tell(&spoken(), &[turn(0, "6 to 10"), told(), Event::Cancel, is(CallStatus::Completed)]);
    assert_eq!(job.status(), Status::Cancelled);
}
