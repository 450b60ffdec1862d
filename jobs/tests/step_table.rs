//! The state machine, one row at a time: every event in every phase, and the rows that a
//! reader of the design will look for by name. The laws about all histories are in `laws.rs`.

use crate::laws::cast::{self, answer, at, campaign_job, news, report, sid, single_job, tag};
use gymcall_jobs::answer::AnswerValue;
use gymcall_jobs::event::{Event, Fate, NonCreation};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Outcome, SkipReason};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::{Effect, Ignored, Step};
use gymcall_jobs::turn::SpokenTurn;

/// `-` is ignored, `=` is accepted without a new status, a word is the new status.
/// `waiting` was never dialled, `redial` has a busy line behind it; `ended` and `reported` are
/// the two halves of a closing call. Every event carries the secret of the first request.
const TABLE: &str = "
event         waiting   redial    dialing     unknown     placed      talking     ended     reported  done quarantined
dial_begun    dialing   dialing   -           -           -           -           -         -         -    -
created       -         -         placed      placed      -           -           -         -         -    placed
try_again     -         -         waiting     waiting     -           -           -         -         -    -
bad_number    -         -         failed      failed      -           -           -         -         -    -
bad_account   -         -         waiting     waiting     -           -           -         -         -    -
unclear       -         -         unknown     -           -           -           -         -         -    -
dialer_died   -         -         unknown     -           -           -           -         -         -    -
queued        -         -         placed      placed      -           -           -         -         -    placed
initiated     -         -         placed      placed      =           -           -         -         -    placed
ringing       -         -         placed      placed      =           -           -         -         -    placed
in-progress   -         -         in_progress in_progress in_progress -           -         -         -    in_progress
completed     -         -         closing     closing     closing     closing     -         completed -    closing
busy          -         -         waiting     waiting     waiting     closing     -         completed -    waiting
no-answer     -         -         waiting     waiting     waiting     closing     -         completed -    waiting
failed        -         -         failed      failed      failed      closing     -         completed -    failed
canceled      -         -         waiting     waiting     waiting     closing     -         completed -    waiting
voice         -         -         in_progress in_progress in_progress -           -         -         -    in_progress
stream        -         -         in_progress in_progress in_progress =           -         -         -    in_progress
speech        -         -         in_progress in_progress in_progress =           -         -         -    in_progress
turn          -         -         in_progress in_progress in_progress =           -         -         -    in_progress
machine       -         =         closing     closing     closing     closing     =         =         =    closing
human         -         =         in_progress in_progress in_progress =           =         =         =    in_progress
answer        -         -         in_progress in_progress in_progress =           =         =         -    in_progress
do_not_call   -         =         placed      placed      =           =           =         =         =    placed
reported      -         -         closing     closing     closing     closing     completed -         -    closing
not_found     -         -         -           -           -           -           -         -         -    -
cancel        cancelled cancelled =           =           =           =           -         -         -    =
suppressed    skipped   skipped   =           =           =           =           -         -         -    =
overtaken     skipped   skipped   -           -           -           -           -         -         -    -
superseded    skipped   skipped   -           -           -           -           -         -         -    -
window_closed -         -         -           -           -           -           -         -         -    -
hours_changed -         -         -           -           -           -           -         -         -    -
called        -         -         -           -           -           -           -         -         -    failed
not_called    -         -         -           -           -           -           -         -         -    waiting
tick          -         -         unknown     =           =           =           failed    completed =    -
";

#[test]
fn every_event_in_every_phase() {
    let mut rows =
        TABLE.lines().filter(|line| !line.is_empty()).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let phases = rows.next().expect("a head");
    let mut wrong = Vec::new();
    for row in rows {
        assert_eq!(row.len(), phases.len(), "{row:?}");
        for (phase, expected) in phases.iter().zip(&row).skip(1) {
            let job = in_phase(phase);
            let now = job.deadline(&Rules::default()).unwrap_or(at(5));
            let got = match job.step(&event(row[0]), &Rules::default(), now) {
                Step::Ignored(_) => "-",
                Step::Moved(next, _) if next.status() == job.status() => "=",
                Step::Moved(next, _) => next.status().as_str(),
            };
            if got != *expected {
                wrong.push(format!("{} in {phase}: expected {expected}, got {got}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn in_phase(phase: &str) -> CallJob {
    let told: &[&str] = match phase {
        "waiting" => &[],
        "redial" => &["first_dial", "busy"],
        "dialing" => &["first_dial"],
        "unknown" => &["first_dial", "unclear"],
        "placed" => &["first_dial", "created"],
        "talking" => &["first_dial", "voice"],
        "ended" => &["first_dial", "voice", "completed"],
        "reported" => &["first_dial", "voice", "reported"],
        "done" => &["first_dial", "voice", "reported", "completed"],
        "quarantined" => return quarantined(campaign_job()),
        other => unreachable!("no phase {other}"),
    };
    told.iter().fold(campaign_job(), |job, name| accepted(&job, event(name)).0)
}

fn event(name: &str) -> Event {
    let (tag, call) = (tag(1), sid(1));
    let detail = "in words".to_owned();
    let not_created = |why| Event::NotCreated { tag: cast::tag(1), why, detail: "in words".to_owned() };
    match name {
        "first_dial" => Event::DialBegun { tag },
        "dial_begun" => Event::DialBegun { tag: cast::tag(2) },
        "created" => Event::Created { tag, call },
        "try_again" => not_created(NonCreation::TryAgain),
        "bad_number" => not_created(NonCreation::BadNumber),
        "bad_account" => not_created(NonCreation::BadAccount),
        "unclear" => Event::Unclear { tag, detail },
        "dialer_died" => Event::DialerDied,
        "voice" => Event::VoiceRequested { tag, call },
        "stream" => Event::StreamOpened { tag, call, stream: "MZ1".to_owned() },
        "speech" => Event::SpeechBegun { tag, call, line_ms: 3_000 },
        "turn" => turn(0, "6 to 10"),
        "machine" => detected(AnsweredBy::MachineEndBeep),
        "human" => detected(AnsweredBy::Human),
        "answer" => Event::AnswerHeard { tag, call, answer: answer("sauna", AnswerValue::Boolean(true)) },
        "do_not_call" => Event::DoNotCallHeard { tag, call, quote: detail },
        "reported" => {
            Event::Reported { tag, call, report: report(Disposition::AnsweredFull, EndedReason::AgentHangup) }
        }
        "not_found" => Event::NotFound { tag, detail },
        "cancel" => Event::Cancel,
        "suppressed" => Event::Suppressed,
        "overtaken" => Event::Overtaken,
        "superseded" => Event::Superseded,
        "window_closed" => Event::WindowClosed,
        "hours_changed" => Event::HoursChanged,
        "called" => Event::Resolved { fate: Fate::Called },
        "not_called" => Event::Resolved { fate: Fate::NotCalled },
        "tick" => Event::Tick,
        word => news(tag, call, word.parse().expect("one of Twilio's words")),
    }
}

fn turn(turn: usize, text: &str) -> Event {
    let heard = SpokenTurn { text: text.to_owned(), from_ms: 1_000, to_ms: 2_000, ..SpokenTurn::default() };
    Event::TurnHeard { tag: tag(1), call: sid(1), turn, heard, line_ms: 3_000 }
}

fn detected(answered_by: AnsweredBy) -> Event {
    Event::Detected { tag: tag(1), call: sid(1), answered_by, after_ms: Some(3_000) }
}

/// What an event that must be accepted leads to.
fn accepted(job: &CallJob, event: Event) -> (CallJob, Vec<Effect>) {
    let now = job.deadline(&Rules::default()).filter(|_| event == Event::Tick);
    match job.step(&event, &Rules::default(), now.unwrap_or(job.updated_at())) {
        Step::Moved(next, effects) => (*next, effects),
        Step::Ignored(why) => unreachable!("{event:?} was ignored: {}", why.as_str()),
    }
}

fn ignored(job: &CallJob, event: Event) -> Ignored {
    match job.step(&event, &Rules::default(), job.updated_at()) {
        Step::Ignored(why) => why,
        Step::Moved(next, _) => unreachable!("{event:?} was accepted: {:?}", next.status()),
    }
}

fn tell(job: &CallJob, names: &[&str]) -> CallJob {
    names.iter().fold(job.clone(), |job, name| accepted(&job, event(name)).0)
}

fn quarantined(job: CallJob) -> CallJob {
    tell(&job, &["first_dial", "unclear", "tick", "tick", "tick", "tick", "tick"])
}

fn gave_up(disposition: Disposition, ended_reason: EndedReason) -> impl Fn(&CallJob) -> bool {
    move |job| {
        let Some(Outcome::GaveUp(miss)) = job.outcome() else { return false };
        (miss.disposition, miss.ended_reason) == (disposition, ended_reason)
    }
}

#[test]
fn a_webhook_before_the_reply_names_the_call() {
    let job = tell(&in_phase("dialing"), &["ringing"]);
    assert_eq!(job.call(), Some(&sid(1)));
    assert_eq!(ignored(&job, event("created")), Ignored::OldNews);
}

#[test]
fn a_reply_that_is_lost_after_a_webhook_leaves_no_doubt() {
    let job = tell(&in_phase("dialing"), &["ringing"]);
    assert_eq!(ignored(&job, event("unclear")), Ignored::OutOfPlace);
    assert_eq!(ignored(&job, event("dialer_died")), Ignored::OutOfPlace);
}

#[test]
fn ringing_after_in_progress_is_old_news() {
    assert_eq!(ignored(&in_phase("talking"), event("ringing")), Ignored::OldNews);
}

#[test]
fn report_and_hang_up_in_either_order_end_the_same() {
    let one = tell(&in_phase("talking"), &["completed", "reported"]);
    let other = tell(&in_phase("talking"), &["reported", "completed"]);
    assert_eq!((one.phase(), one.status()), (other.phase(), Status::Completed));
}

#[test]
fn a_report_alone_is_enough_after_ten_seconds_and_the_line_is_freed() {
    let (job, effects) = accepted(&in_phase("reported"), Event::Tick);
    assert_eq!((job.status(), effects), (Status::Completed, vec![Effect::HangUp(sid(1))]));
}

#[test]
fn a_stream_that_dies_after_an_answer_is_a_partial_answer() {
    let job = tell(&in_phase("talking"), &["answer", "completed", "tick"]);
    let Some(Outcome::Answered(report)) = job.outcome() else { unreachable!("{:?}", job.outcome()) };
    assert_eq!((report.disposition, report.ended_reason), (Disposition::AnsweredPartial, EndedReason::ErrorStream));
}

#[test]
fn a_stream_that_dies_before_any_answer_needs_a_look_and_is_not_called_again() {
    let job = tell(&in_phase("talking"), &["completed", "tick"]);
    assert!(gave_up(Disposition::NeedsReview, EndedReason::ErrorStream)(&job), "{:?}", job.outcome());
}

#[test]
fn a_voicemail_is_not_called_again() {
    let report = report(Disposition::Voicemail, EndedReason::VoicemailReached);
    let told = Event::Reported { tag: tag(1), call: sid(1), report };
    let job = tell(&accepted(&in_phase("talking"), told).0, &["completed"]);
    assert!(gave_up(Disposition::Voicemail, EndedReason::VoicemailReached)(&job), "{:?}", job.outcome());
}

#[test]
fn busy_and_no_answer_wait_an_hour_and_count() {
    for word in ["busy", "no-answer"] {
        let job = tell(&in_phase("placed"), &[word]);
        assert_eq!((job.due(), job.tries()), (Some(at(3_600)), 1), "{word}");
    }
}

#[test]
fn a_call_that_twilio_took_back_does_not_count() {
    let job = tell(&in_phase("placed"), &["canceled"]);
    assert_eq!((job.due(), job.tries()), (Some(at(60)), 0));
    let next = tell(&job, &["dial_begun"]);
    assert_eq!(next.attempts().last().map(|attempt| attempt.number), Some(2));
}

#[test]
fn a_failed_call_and_a_bad_number_are_given_up() {
    assert!(gave_up(Disposition::NoContact, EndedReason::DialFailed)(&tell(&in_phase("placed"), &["failed"])));
    let bad_number = tell(&in_phase("dialing"), &["bad_number"]);
    assert!(gave_up(Disposition::NoContact, EndedReason::InvalidDestination)(&bad_number));
}

#[test]
fn a_bad_account_keeps_a_campaigns_job_and_gives_up_a_single_call() {
    assert_eq!(tell(&in_phase("dialing"), &["bad_account"]).status(), Status::Waiting);
    let single = tell(&single_job(), &["first_dial", "bad_account"]);
    assert!(gave_up(Disposition::NoContact, EndedReason::DialFailed)(&single));
}

#[test]
fn throttling_asks_again_for_the_same_attempt_more_and_more_slowly() {
    let mut job = tell(&campaign_job(), &["first_dial", "try_again"]);
    let mut waits = Vec::new();
    for number in 2..9 {
        waits.push(job.due().expect("it waits").duration_since(job.updated_at()).as_secs());
        job = accepted(&job, Event::DialBegun { tag: tag(number) }).0;
        let declined = Event::NotCreated { tag: tag(number), why: NonCreation::TryAgain, detail: "20429".to_owned() };
        job = accepted(&job, declined).0;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60]);
    assert_eq!((job.attempts().len(), job.tries()), (1, 1));
}

#[test]
fn a_secret_is_never_used_twice() {
    for phase in ["redial", "dialing"] {
        let job = if phase == "dialing" { tell(&in_phase(phase), &["try_again"]) } else { in_phase(phase) };
        assert_eq!(job.status(), Status::Waiting);
        ignored(&job, event("first_dial"));
    }
}

#[test]
fn unknown_is_found_by_a_tagged_webhook_and_carries_on() {
    let job = tell(&in_phase("unknown"), &["tick", "voice"]);
    assert_eq!((job.status(), job.call()), (Status::InProgress, Some(&sid(1))));
}

#[test]
fn unknown_is_looked_up_at_its_times_and_then_quarantined() {
    let mut job = in_phase("unknown");
    for second in [60, 120, 600, 3_600] {
        assert_eq!(job.deadline(&Rules::default()), Some(at(second)));
        let (next, effects) = accepted(&job, Event::Tick);
        assert_eq!(effects, [Effect::LookUp { tag: tag(1), since: at(0) }]);
        job = next;
    }
    assert_eq!(tell(&job, &["not_found"]).status(), Status::Quarantined, "the last look-up's result decides");
    assert_eq!(tell(&job, &["tick"]).status(), Status::Quarantined, "and so does its silence");
}

#[test]
fn a_look_up_that_finds_nothing_too_early_decides_nothing() {
    assert_eq!(ignored(&tell(&in_phase("unknown"), &["tick"]), event("not_found")), Ignored::TooEarly);
}

#[test]
fn quarantine_keeps_the_number_and_frees_the_line() {
    let job = in_phase("quarantined");
    assert!(job.holds_number());
    assert_eq!((job.line_until(&Rules::default()), job.deadline(&Rules::default())), (None, None));
}

#[test]
fn a_price_that_is_missing_is_asked_for_at_its_times_and_then_no_more() {
    let rules = Rules::default();
    let mut job = in_phase("done");
    let ended = job.attempts()[0].ended_at.expect("it is over");
    for wait in &rules.price_waits {
        let deadline = job.deadline(&rules).expect("a price is missing");
        assert_eq!(deadline, ended + *wait);
        let (next, effects) = accepted(&job, Event::Tick);
        assert_eq!(effects, [Effect::ReadPrice { call: sid(1), since: job.attempts()[0].begun_at }]);
        assert_eq!((next.phase(), next.answers()), (job.phase(), job.answers()));
        job = next;
    }
    assert_eq!(job.deadline(&rules), None);
}

#[test]
fn a_price_that_is_told_is_not_asked_for_again_and_the_times_of_a_long_absence_are_one() {
    let rules = Rules::default();
    let job = in_phase("done");
    let ended = job.attempts()[0].ended_at.expect("it is over");
    let Step::Moved(late, effects) = job.step(&Event::Tick, &rules, ended + rules.price_waits[2]) else {
        panic!("its time has come")
    };
    assert_eq!((effects.len(), late.deadline(&rules)), (1, Some(ended + rules.price_waits[3])));
    let mut told = event("completed");
    if let Event::CallNews { price, tag, .. } = &mut told {
        (*price, *tag) = (Some("-0.0085".to_owned()), None);
    }
    let (job, _) = accepted(&late, told);
    assert_eq!((job.attempts()[0].cost(), job.deadline(&rules)), (Some("0.0085"), None));
    // Nobody pays for a phone that nobody picked up.
    assert_eq!(tell(&in_phase("placed"), &["failed"]).deadline(&rules), None);
}

#[test]
fn a_late_webhook_resolves_quarantine_by_itself() {
    let job = tell(&in_phase("quarantined"), &["completed", "reported"]);
    assert_eq!((job.status(), job.attempts()[0].call.as_ref()), (Status::Completed, Some(&sid(1))));
}

#[test]
fn a_call_that_is_found_late_is_asked_after_before_it_is_given_up() {
    let found = tell(&in_phase("quarantined"), &["created"]);
    let (job, effects) = accepted(&found, Event::Tick);
    assert_eq!((job.status(), effects), (Status::Placed, vec![Effect::TakeBack(sid(1))]));
}

#[test]
fn a_call_that_stays_queued_is_taken_back_and_one_that_rings_is_asked_after() {
    assert_eq!(accepted(&in_phase("placed"), Event::Tick).1, [Effect::TakeBack(sid(1))]);
    for word in ["initiated", "ringing"] {
        let job = tell(&in_phase("placed"), &[word]);
        assert_eq!(accepted(&job, Event::Tick).1, [Effect::Fetch(sid(1))], "{word}");
    }
}

#[test]
fn a_person_says_that_the_gym_was_called() {
    assert!(gave_up(Disposition::NeedsReview, EndedReason::ErrorUnknown)(&tell(&in_phase("quarantined"), &["called"])));
}

#[test]
fn a_person_says_that_the_gym_was_not_called() {
    let job = tell(&in_phase("quarantined"), &["not_called"]);
    assert_eq!((job.tries(), job.due()), (0, Some(job.updated_at())));
    let next = tell(&job, &["dial_begun"]);
    assert_eq!(next.attempts().last().map(|attempt| attempt.number), Some(2));
}

#[test]
fn a_person_who_was_wrong_has_the_call_hung_up() {
    let job = tell(&in_phase("quarantined"), &["not_called"]);
    let (job, effects) = accepted(&job, event("ringing"));
    assert_eq!((job.status(), effects), (Status::Waiting, vec![Effect::HangUp(sid(1))]));
}

#[test]
fn a_cancel_ends_only_with_the_call() {
    let (job, effects) = accepted(&in_phase("talking"), Event::Cancel);
    assert_eq!((job.status(), effects), (Status::InProgress, vec![Effect::HangUp(sid(1))]));
    assert_eq!(tell(&job, &["completed"]).outcome(), Some(&Outcome::Cancelled));
}

#[test]
fn a_cancel_before_the_call_is_known_hangs_up_when_it_is() {
    for phase in ["dialing", "unknown", "quarantined"] {
        let (job, effects) = accepted(&in_phase(phase), Event::Cancel);
        assert_eq!(effects, []);
        assert_eq!(accepted(&job, event("created")).1, [Effect::HangUp(sid(1))], "{phase}");
    }
}

#[test]
fn a_cancelled_request_that_created_nothing_is_cancelled() {
    for certain in ["try_again", "bad_account", "bad_number"] {
        assert_eq!(tell(&in_phase("dialing"), &["cancel", certain]).outcome(), Some(&Outcome::Cancelled));
    }
    for fate in ["not_called", "called"] {
        assert_eq!(tell(&in_phase("quarantined"), &["cancel", fate]).outcome(), Some(&Outcome::Cancelled), "{fate}");
    }
}

#[test]
fn a_suppressed_number_is_skipped_in_the_queue_and_hung_up_on_the_line() {
    assert_eq!(tell(&campaign_job(), &["suppressed"]).outcome(), Some(&Outcome::Skipped(SkipReason::Suppressed)));
    assert_eq!(tell(&campaign_job(), &["overtaken"]).outcome(), Some(&Outcome::Skipped(SkipReason::OpenAttempt)));
    assert_eq!(tell(&campaign_job(), &["superseded"]).outcome(), Some(&Outcome::Skipped(SkipReason::Superseded)));
    assert_eq!(accepted(&in_phase("talking"), Event::Suppressed).1, [Effect::HangUp(sid(1))]);
}

#[test]
fn a_wish_not_to_be_called_counts_even_when_it_is_understood_late() {
    for phase in ["talking", "ended", "reported", "done"] {
        assert_eq!(accepted(&in_phase(phase), event("do_not_call")).1, [Effect::Suppress], "{phase}");
    }
}

#[test]
fn who_answered_and_the_price_are_kept_whenever_they_are_told() {
    for phase in ["talking", "ended", "done"] {
        let job = in_phase(phase);
        let mut fact = event("in-progress");
        if let Event::CallNews { price, answered_by, .. } = &mut fact {
            (*price, *answered_by) = (Some("-0.0085".to_owned()), Some(AnsweredBy::Human));
        }
        let job = accepted(&job, fact).0;
        let attempt = &job.attempts()[0];
        assert_eq!(
            (attempt.price.as_deref(), attempt.answered_by),
            (Some("-0.0085"), Some(AnsweredBy::Human)),
            "{phase}"
        );
    }
}

#[test]
fn a_second_call_for_one_secret_is_hung_up_once() {
    let second = Event::Created { tag: tag(1), call: sid(2) };
    let (job, effects) = accepted(&in_phase("talking"), second.clone());
    assert_eq!((job.call(), effects), (Some(&sid(1)), vec![Effect::HangUp(sid(2))]));
    assert_eq!((&job.attempts()[0].conflicts[..], ignored(&job, second)), (&[sid(2)][..], Ignored::OldNews));
}
