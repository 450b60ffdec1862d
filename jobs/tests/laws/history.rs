//! Arbitrary histories: what may be told to a job, in any order, at any time.
//!
//! A draft says whom it speaks of ("the open request", "an earlier one", "a stranger"), and
//! becomes an event only when its turn comes. Drawn from the start as plain secrets, nearly
//! all news would be foreign, and the histories would never get past the first phase.

use std::fmt;

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::{Event, Fate, NonCreation};
use gymcall_jobs::id::{CallSid, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::spend::Amount;
use gymcall_jobs::step::{Effect, Step};
use gymcall_jobs::turn::SpokenTurn;
use gymcall_jobs::window::Hours;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::cast::{answer, at, campaign_job, news, sid, single_job, tag};

/// One event as it was told, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) before: CallJob,
    pub(crate) event: Event,
    pub(crate) now: Timestamp,
    pub(crate) step: Step,
}

impl Told {
    pub(crate) fn new(before: &CallJob, event: Event, rules: &Rules, now: Timestamp) -> Self {
        let step = before.step(&event, rules, now);
        Self { before: before.clone(), event, now, step }
    }

    pub(crate) fn accepted(&self) -> bool {
        matches!(self.step, Step::Moved(..))
    }

    pub(crate) fn after(&self) -> &CallJob {
        match &self.step {
            Step::Moved(job, _) => job,
            Step::Ignored(_) => &self.before,
        }
    }

    pub(crate) fn effects(&self) -> &[Effect] {
        match &self.step {
            Step::Moved(_, effects) => effects,
            Step::Ignored(_) => &[],
        }
    }
}

/// Everything that was told to one job.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) rules: Rules,
    pub(crate) told: Vec<Told>,
}

/// One line for each event: a failure is read by people.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.rules)?;
        for Told { now, event, step, .. } in &self.told {
            match step {
                Step::Moved(job, effects) => writeln!(f, "{now} {event:?} -> {:?} {effects:?}", job.status())?,
                Step::Ignored(why) => writeln!(f, "{now} {event:?} ignored: {}", why.as_str())?,
            }
        }
        Ok(())
    }
}

impl History {
    /// The job at its end, and the time.
    pub(crate) fn end(&self) -> (CallJob, Timestamp) {
        let last = self.told.last().expect("a history is never empty");
        (last.after().clone(), last.now)
    }
}

/// Tells the job that its time has come, and nothing else, until it has no deadline left.
pub(crate) fn run_out(job: &CallJob, rules: &Rules, now: Timestamp) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let (mut job, mut now) = (job.clone(), now);
    while let Some(deadline) = job.deadline(rules) {
        assert!(told.len() < 200, "time alone does not end it: {job:?}");
        now = now.max(deadline);
        told.push(Told::new(&job, Event::Tick, rules, now));
        job = told.last().expect("just pushed").after().clone();
    }
    told
}

/// Whose secret an event carries. For a dial, `Fresh` is the rule and the others are replays.
#[derive(Debug, Clone, Copy)]
enum Sender {
    /// The last dial that was let through.
    Current,
    /// The one before it.
    Earlier,
    /// A secret that no request of this job ever carried.
    Fresh,
}

/// Which call an event speaks of.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// The first call of its secret.
    First,
    /// A second call of the same secret.
    Second,
    /// One and the same call, whatever the secret.
    Shared,
}

/// How much time passes before an event.
#[derive(Debug, Clone, Copy)]
enum Pause {
    /// So many seconds; fewer than none, because two machines' clocks differ.
    Seconds(i64),
    /// Until the job is due or has its deadline.
    UntilDue,
}

#[derive(Debug, Clone)]
struct Draft {
    event: Event,
    sender: Sender,
    line: Line,
    pause: Pause,
}

/// Any history, with the rules it was played by.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    let chaos = vec(drafts(), 1..12);
    let segments = prop_oneof![4 => chaos.boxed(), 2 => calls().boxed(), 1 => limbo().boxed()];
    (rules(), any::<bool>(), vec(segments, 1..6)).prop_map(|(rules, single, segments)| {
        let job = if single { single_job() } else { campaign_job() };
        play(job, rules, segments.concat())
    })
}

fn play(mut job: CallJob, rules: Rules, drafts: Vec<Draft>) -> History {
    let mut now = at(0);
    let mut dialled: Vec<Tag> = Vec::new();
    let mut told = Vec::new();
    for (number, draft) in drafts.into_iter().enumerate() {
        now = match draft.pause {
            Pause::Seconds(seconds) => now.checked_add(SignedDuration::from_secs(seconds)).expect("some days"),
            Pause::UntilDue => job.deadline(&rules).or(job.due()).map_or(now, |due| now.max(due)),
        };
        let fresh = u128::try_from(number).expect("small") + 1_000;
        let known = match draft.sender {
            Sender::Current => dialled.last(),
            Sender::Earlier => dialled.iter().rev().nth(1),
            Sender::Fresh => None,
        };
        let tag = known.cloned().unwrap_or_else(|| tag(fresh));
        // The first call of a secret bears its number, so that doubled news agrees with itself.
        let secret = u128::from_str_radix(tag.as_str(), 16).expect("hexadecimal");
        let call = sid(match draft.line {
            Line::First => secret,
            Line::Second => secret + 1_000_000,
            Line::Shared => 7,
        });
        let next = Told::new(&job, addressed(draft.event, tag.clone(), call), &rules, now);
        if next.accepted() && matches!(next.event, Event::DialBegun { .. }) {
            dialled.push(tag);
        }
        job = next.after().clone();
        told.push(next);
    }
    History { rules, told }
}

/// The event, with these in place of its drafted secret and call.
fn addressed(mut event: Event, new_tag: Tag, new_call: CallSid) -> Event {
    match &mut event {
        Event::DialBegun { tag }
        | Event::NotCreated { tag, .. }
        | Event::Unclear { tag, .. }
        | Event::NotFound { tag, .. } => {
            *tag = new_tag;
        }
        Event::CallNews { tag, call, .. } => {
            *tag = tag.is_some().then_some(new_tag);
            *call = new_call;
        }
        Event::Created { tag, call }
        | Event::VoiceRequested { tag, call }
        | Event::StreamOpened { tag, call, .. }
        | Event::SpeechBegun { tag, call, .. }
        | Event::TurnHeard { tag, call, .. }
        | Event::Detected { tag, call, .. }
        | Event::AnswerHeard { tag, call, .. }
        | Event::DoNotCallHeard { tag, call, .. }
        | Event::Reported { tag, call, .. } => (*tag, *call) = (new_tag, new_call),
        Event::DialerDied
        | Event::Cancel
        | Event::Suppressed
        | Event::WindowClosed
        | Event::HoursChanged
        | Event::Overtaken
        | Event::Superseded
        | Event::Resolved { .. }
        | Event::Tick => {}
    }
    event
}

fn drafts() -> impl Strategy<Value = Draft> {
    let pause = || {
        prop_oneof![
            4 => Just(Pause::Seconds(0)),
            4 => (1i64..5).prop_map(Pause::Seconds),
            2 => (5i64..90).prop_map(Pause::Seconds),
            1 => (90i64..9_000).prop_map(Pause::Seconds),
            1 => Just(Pause::Seconds(-2)),
            4 => Just(Pause::UntilDue),
        ]
    };
    let whose = prop_oneof![12 => Just(Sender::Current), 2 => Just(Sender::Earlier), 1 => Just(Sender::Fresh)];
    let which = prop_oneof![12 => Just(Line::First), 2 => Just(Line::Second), 1 => Just(Line::Shared)];
    let replayed = prop_oneof![8 => Just(Sender::Fresh), 1 => Just(Sender::Current), 1 => Just(Sender::Earlier)];
    let dial =
        (replayed, pause()).prop_map(|(sender, pause)| Draft { event: dial(), sender, line: Line::First, pause });
    let other =
        (events(), whose, which, pause()).prop_map(|(event, sender, line, pause)| Draft { event, sender, line, pause });
    prop_oneof![1 => dial, 4 => other]
}

fn dial() -> Event {
    Event::DialBegun { tag: tag(0) }
}

fn turns() -> impl Strategy<Value = SpokenTurn> {
    (select(vec!["", "6 to 10", "hello?"]), any::<bool>(), 0u64..60_000).prop_map(|(text, damaged, from_ms)| {
        SpokenTurn { text: text.to_owned(), confidence: None, damaged, from_ms, to_ms: from_ms + 1 }
    })
}

/// Any event but a dial; its secret and its call are replaced when its turn comes.
fn events() -> impl Strategy<Value = Event> {
    let detail = "in words".to_owned();
    let why =
        select(vec![NonCreation::TryAgain, NonCreation::TryAgain, NonCreation::BadNumber, NonCreation::BadAccount]);
    let fate = select(vec![Fate::Called, Fate::NotCalled, Fate::NotCalled]);
    let quote = detail.clone();
    prop_oneof![
        3 => Just(Event::Created { tag: tag(0), call: sid(0) }),
        3 => why.prop_map(move |why| Event::NotCreated { tag: tag(0), why, detail: detail.clone() }),
        1 => Just(Event::Unclear { tag: tag(0), detail: "timed out".to_owned() }),
        1 => Just(Event::DialerDied),
        8 => call_news(),
        1 => Just(Event::VoiceRequested { tag: tag(0), call: sid(0) }),
        1 => Just(Event::StreamOpened { tag: tag(0), call: sid(0), stream: "MZ1".to_owned() }),
        1 => (0u64..20_000).prop_map(|line_ms| Event::SpeechBegun { tag: tag(0), call: sid(0), line_ms }),
        2 => (0usize..3, turns(), 0u64..20_000)
            .prop_map(|(turn, heard, line_ms)| Event::TurnHeard { tag: tag(0), call: sid(0), turn, heard, line_ms }),
        1 => select(AnsweredBy::ALL.to_vec())
            .prop_map(|answered_by| Event::Detected { tag: tag(0), call: sid(0), answered_by, after_ms: None }),
        2 => answers().prop_map(|answer| Event::AnswerHeard { tag: tag(0), call: sid(0), answer }),
        1 => Just(Event::DoNotCallHeard { tag: tag(0), call: sid(0), quote: quote.clone() }),
        2 => reports().prop_map(|report| Event::Reported { tag: tag(0), call: sid(0), report }),
        2 => Just(Event::NotFound { tag: tag(0), detail: "no call in the list".to_owned() }),
        1 => Just(Event::Cancel),
        1 => prop_oneof![
            3 => Just(Event::Tick),
            1 => Just(Event::Suppressed),
            1 => Just(Event::Overtaken),
            1 => Just(Event::Superseded),
        ],
        2 => Just(Event::WindowClosed),
        1 => Just(Event::HoursChanged),
        2 => fate.prop_map(|fate| Event::Resolved { fate }),
        7 => Just(Event::Tick),
    ]
}

fn call_news() -> impl Strategy<Value = Event> {
    let when = prop_oneof![
        4 => (-100i64..10_000).prop_map(at),
        1 => select(vec![Timestamp::MIN, Timestamp::MAX]),
    ];
    let facts = (option::of(when), option::of(0u32..400), option::of(Just("-0.0085".to_owned())));
    let who = option::of(select(AnsweredBy::ALL));
    (select(CallStatus::ALL), prop::bool::weighted(0.7), facts, who).prop_map(
        |(status, tagged, (at, duration_s, price), answered_by)| Event::CallNews {
            tag: tagged.then(|| tag(0)),
            call: sid(0),
            status,
            at,
            duration_s,
            price,
            answered_by,
        },
    )
}

/// Any answer to one of three questions.
pub(crate) fn answers() -> impl Strategy<Value = Answer> {
    let number = proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
    let value = prop_oneof![
        ".{0,12}".prop_map(AnswerValue::Text),
        number.prop_map(AnswerValue::Number),
        any::<bool>().prop_map(AnswerValue::Boolean),
        vec("[a-z ]{0,6}", 0..3).prop_map(AnswerValue::List),
        Just(AnswerValue::Money { amount: "15.00".to_owned(), currency: "USD".to_owned() }),
        Just(AnswerValue::NotKnown),
        Just(AnswerValue::NotAsked),
    ];
    (select(vec!["day_pass", "sauna", "hours"]), value).prop_map(|(key, value)| answer(key, value))
}

fn reports() -> impl Strategy<Value = Report> {
    (select(Disposition::ALL), select(EndedReason::ALL), select(AnsweredBy::ALL))
        .prop_map(|(disposition, ended_reason, answered_by)| Report { disposition, ended_reason, answered_by })
}

/// Calls as Twilio makes them, told with gaps, doubles and swaps.
fn calls() -> impl Strategy<Value = Vec<Draft>> {
    let ending = select(vec![
        CallStatus::Completed,
        CallStatus::Busy,
        CallStatus::NoAnswer,
        CallStatus::Failed,
        CallStatus::Canceled,
    ]);
    let script = (ending, reports(), answers()).prop_map(|(ending, report, answer)| {
        let (tag, call) = (tag(0), sid(0));
        let mut script = vec![
            Event::Created { tag: tag.clone(), call: call.clone() },
            news(tag.clone(), call.clone(), CallStatus::Initiated),
            news(tag.clone(), call.clone(), CallStatus::Ringing),
        ];
        if ending == CallStatus::Completed {
            script.push(Event::VoiceRequested { tag: tag.clone(), call: call.clone() });
            script.push(news(tag.clone(), call.clone(), CallStatus::InProgress));
            script.push(Event::AnswerHeard { tag: tag.clone(), call: call.clone(), answer });
            script.push(Event::Reported { tag: tag.clone(), call: call.clone(), report });
        }
        script.push(news(tag, call, ending));
        script
    });
    let picks = vec(any::<prop::sample::Index>(), 0..4);
    (script, picks.clone(), picks, 0i64..4).prop_map(|(mut script, doubled, swapped, seconds)| {
        for pick in doubled {
            let again = pick.get(&script).clone();
            script.push(again);
        }
        for pick in swapped {
            let place = pick.index(script.len());
            script.swap(place, 0);
        }
        let begin = Draft { event: dial(), sender: Sender::Fresh, line: Line::First, pause: Pause::UntilDue };
        let told = script.into_iter().map(|event| Draft {
            event,
            sender: Sender::Current,
            line: Line::First,
            pause: Pause::Seconds(seconds),
        });
        std::iter::once(begin).chain(told).collect()
    })
}

/// A request whose fate stays unclear, up to quarantine or nearly, and what may happen there.
fn limbo() -> impl Strategy<Value = Vec<Draft>> {
    let cancel = prop::bool::weighted(0.3);
    (0usize..8, cancel, vec(drafts(), 0..2), select(vec![Fate::Called, Fate::NotCalled])).prop_map(
        |(ticks, cancel, others, fate)| {
            let own = |event, pause| Draft { event, sender: Sender::Current, line: Line::First, pause };
            let begin = Draft { sender: Sender::Fresh, ..own(dial(), Pause::UntilDue) };
            let mut told = vec![begin, own(Event::DialerDied, Pause::Seconds(1))];
            told.extend((0..ticks).map(|_| own(Event::Tick, Pause::UntilDue)));
            told.extend(cancel.then(|| own(Event::Cancel, Pause::Seconds(1))));
            told.extend(others);
            told.push(own(Event::Resolved { fate }, Pause::Seconds(60)));
            told
        },
    )
}

/// Any rules that a checked policy and checked settings can make.
pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    let seconds = |range: std::ops::Range<i64>| range.prop_map(SignedDuration::from_secs);
    let waits = vec(seconds(0..4_000), 0..5).prop_map(|mut waits| {
        waits.sort();
        waits
    });
    let limits = (seconds(0..20), seconds(5..60), seconds(60..600), seconds(0..120));
    // All day long, so that hours are kept and the other laws hold as they do without.
    let hours: Hours = serde_json::from_str(r#"{"from": "00:00", "to": "24:00"}"#).expect("hours");
    let hours = select(vec![None, Some(hours)]);
    let message = option::of(seconds(1..120));
    (1u32..4, seconds(0..3_600), waits, limits, hours, message).prop_map(
        |(
            max_attempts,
            redial_after,
            look_up_waits,
            (dial_deadline, ring_timeout, time_limit, queued_limit),
            hours,
            message,
        )| Rules {
            max_attempts,
            redial_after,
            dial_deadline,
            look_up_waits,
            ring_timeout,
            time_limit,
            queued_limit,
            hours,
            message,
            price_per_minute: Some(Amount::from_micros(14_000)),
            ..Rules::default()
        },
    )
}

/// Whether a dial may lead to a call, or has led to one, and it is not over.
pub(crate) fn is_open(job: &CallJob) -> bool {
    !matches!(job.phase(), Phase::Waiting { .. } | Phase::Done { .. })
}
