use super::*;
use crate::voice::brief::Brief;
use crate::voice::dialogue::scripted::Scripted;
use gymcall_jobs::outcome::{AnsweredBy, Disposition};
use std::collections::BTreeMap;

const HELLO: &str = "Hello, this is an automated call on behalf of FitData for Iron Temple. This call is not recorded.";
const HOURS: &str = "What are your opening hours?";

fn begin_with(questions: Vec<Question>, machine: OnMachine) -> (Spoken<Scripted>, Reply) {
    let brief = Brief {
        gym_name: "Iron Temple".into(),
        on_behalf_of: "FitData".into(),
        greeting: None,
        questions,
        variables: BTreeMap::new(),
        recorded: false,
    };
    Spoken::begin(Scripted::new(brief), machine, 290_000)
}

fn begin() -> Spoken<Scripted> {
    begin_with(Question::defaults(), OnMachine::HangUp).0
}

fn words(text: &str) -> SpokenTurn {
    SpokenTurn { text: text.into(), confidence: Some(0.9), damaged: false, from_ms: 1_000, to_ms: 4_000 }
}

/// The first words, begun once our first line was said.
fn after_line(text: &str) -> SpokenTurn {
    SpokenTurn { from_ms: 0, to_ms: 14_000, ..words(text) }
}

fn line(reply: &Reply) -> &str {
    reply.line.as_deref().unwrap_or_default()
}

fn kinds(reply: &Reply) -> Vec<&'static str> {
    let kind = |event: &AgentEvent| match event {
        AgentEvent::Said(_) => "said",
        AgentEvent::Heard(_) => "heard",
        AgentEvent::Answer(_) => "answer",
        AgentEvent::DoNotCall { .. } => "do not call",
        AgentEvent::Ended(_) => "ended",
    };
    reply.events.iter().map(kind).collect()
}

fn boolean() -> Question {
    let kind = gymcall_jobs::question::AnswerType::Boolean;
    Question { key: "day_pass".into(), ask: String::new(), kind, choices: Vec::new() }
}

fn ended_or_none(reply: &Reply) -> Option<Disposition> {
    reply.events.iter().find_map(|event| match event {
        AgentEvent::Ended(report) => Some(report.disposition),
        _ => None,
    })
}

fn ended(reply: &Reply) -> (Disposition, AnsweredBy) {
    match reply.events.last() {
        Some(AgentEvent::Ended(report)) => (report.disposition, report.answered_by),
        other => panic!("not ended: {other:?}"),
    }
}

#[test]
fn it_introduces_itself_at_once_and_listens() {
    let (spoken, first) = begin_with(Question::defaults(), OnMachine::HangUp);
    assert_eq!(line(&first), format!("{HELLO} {HOURS}"));
    assert_eq!((first.then, kinds(&first)), (Then::Listen, vec!["said"]));
    assert_eq!(spoken.asking().unwrap().key, "opening_hours");
    // Ten letters a second, and a second for the way.
    assert_eq!(first.line_ms(), first.line.unwrap().len() as u64 * 100 + 1_000);
}

#[test]
fn a_syllable_takes_as_long_as_two_letters() {
    let reply = |line: &str| Reply { line: Some(line.into()), then: Then::HangUp, events: Vec::new() };
    assert_eq!(reply("再见再见再见").line_ms(), reply("goodbye good").line_ms());
}

#[test]
fn the_same_turns_lead_to_the_same_replies() {
    let turns = ["Hello, Iron Temple", "", "6 to 10 every day", "who is this?", "15 dollars", "hm", "wrong number"];
    let replies = || {
        let mut spoken = begin();
        turns.map(|turn| spoken.hear(&words(turn)))
    };
    assert_eq!(replies(), replies());
}

#[test]
fn a_greeting_over_the_introduction_has_it_said_again() {
    for greeting in ["Hello, Iron Temple, how can I help you?", "Who is this?", "Pardon?", "mumble mumble"] {
        let mut spoken = begin();
        assert_eq!(line(&spoken.hear(&words(greeting))), format!("{HELLO} {HOURS}"), "{greeting}");
        assert_eq!(line(&spoken.hear(&words("24 hours"))), "Thank you. How much is a day pass?", "{greeting}");
    }
    // As damaged as a greeting may be, nobody is told that it was not caught.
    let mut spoken = begin();
    assert_eq!(line(&spoken.hear(&SpokenTurn { damaged: true, ..words("elo") })), format!("{HELLO} {HOURS}"));
}

#[test]
fn first_words_that_answer_are_an_answer() {
    let mut spoken = begin();
    let reply = spoken.hear(&after_line("We are open from 6 am to 10 pm every day"));
    assert_eq!(line(&reply), "Thank you. How much is a day pass?");
    assert_eq!(kinds(&reply), ["heard", "answer", "said"]);
    let AgentEvent::Answer(answer) = &reply.events[1] else { panic!("{reply:?}") };
    assert_eq!(
        (answer.quote.as_str(), answer.from_ms, answer.to_ms),
        ("We are open from 6 am to 10 pm every day", 0, 14_000)
    );
    assert_eq!(spoken.asking().unwrap().key, "day_pass_price");
    // Who answers before we have said who calls is told nevertheless.
    let reply = begin().hear(&words("We are open from 6 am to 10 pm every day"));
    assert_eq!((kinds(&reply)[1], line(&reply)), ("answer", &*format!("{HELLO} Thank you. How much is a day pass?")));
}

#[test]
fn first_words_over_the_introduction_answer_no_question_that_takes_any_words() {
    let greeting = "Thank you for calling Iron Temple of South Austin, my name is Sarah, how can I help?";
    for open in [2, 3] {
        let asked = vec![Question::defaults().swap_remove(open)];
        let (mut spoken, _) = begin_with(asked.clone(), OnMachine::HangUp);
        let reply = spoken.hear(&SpokenTurn { from_ms: 0, to_ms: 8_000, ..words(greeting) });
        assert_eq!((kinds(&reply), reply.then), (vec!["heard", "said"], Then::Listen));
        assert_eq!(line(&reply), format!("{HELLO} {}", asked[0].ask));
        // Said after the question, the same kind of words are an answer.
        let (mut spoken, _) = begin_with(asked, OnMachine::HangUp);
        assert_eq!(kinds(&spoken.hear(&after_line("we have yoga and spin")))[1], "answer");
    }
}

#[test]
fn a_machine_that_tells_its_hours_first_is_a_machine() {
    let greeting = "You have reached Iron Temple. We are open from 6 am to 10 pm every day";
    let (mut spoken, _) = begin_with(Question::defaults(), OnMachine::AwaitBeep);
    let first = spoken.hear(&SpokenTurn { from_ms: 0, to_ms: 8_000, ..words(greeting) });
    assert_eq!(kinds(&first)[1], "answer");
    let reply = spoken.hear(&SpokenTurn { from_ms: 8_000, to_ms: 12_000, ..words("Leave a message after the tone") });
    assert_eq!((reply.then, ended(&reply).0), (Then::Wait { seconds: 30 }, Disposition::Voicemail));
}

#[test]
fn what_is_not_available_is_an_answer_once_the_question_was_put() {
    let question = Question { ask: "Are day passes available?".into(), ..boolean() };
    let (mut spoken, _) = begin_with(vec![question.clone()], OnMachine::HangUp);
    let reply = spoken.hear(&after_line("Sorry, that's not available"));
    assert_ne!(ended_or_none(&reply), Some(Disposition::Voicemail));
    let (mut spoken, _) = begin_with(vec![question], OnMachine::HangUp);
    assert_eq!(ended(&spoken.hear(&words("We are not available right now"))).0, Disposition::Voicemail);
}

#[test]
fn the_goodbye_comes_with_the_report_and_nothing_is_asked_any_more() {
    let mut spoken = begin();
    for turn in ["6 to 10 every day", "15 dollars", "yoga and spin"] {
        spoken.hear(&words(turn));
    }
    let last = spoken.hear(&words("just come by"));
    assert_eq!((line(&last), last.then), ("Thank you, that is all. Goodbye.", Then::HangUp));
    assert_eq!(kinds(&last), ["heard", "answer", "said", "ended"]);
    assert_eq!(ended(&last), (Disposition::AnsweredFull, AnsweredBy::Human));
    assert_eq!(spoken.asking(), None);
}

#[test]
fn a_wish_not_to_be_called_is_heard_in_any_turn_and_however_badly() {
    for before in [&[][..], &["Hello?"], &["6 to 10 every day", "15 dollars"]] {
        let mut spoken = begin();
        before.iter().for_each(|turn| drop(spoken.hear(&words(turn))));
        let reply = spoken.hear(&SpokenTurn { damaged: true, ..words("please don't call us again") });
        assert_eq!(kinds(&reply), ["heard", "do not call", "said", "ended"], "{before:?}");
        assert_eq!(reply.then, Then::HangUp);
        assert_eq!(ended(&reply).0, Disposition::DoNotCall);
    }
}

#[test]
fn words_that_are_not_believed_are_asked_for_again() {
    let mut spoken = begin();
    spoken.hear(&words("Hello?"));
    let unsure = SpokenTurn { damaged: true, ..words("6 to 10 every day") };
    let reply = spoken.hear(&unsure);
    assert_eq!(line(&reply), format!("Sorry, I did not catch that. {HOURS}"));
    assert_eq!(kinds(&reply), ["heard", "said"]);
    assert_eq!(kinds(&spoken.hear(&words("6 to 10 every day"))), ["heard", "answer", "said"]);
}

#[test]
fn confidence_is_believed_where_it_is_told() {
    for (confidence, damaged) in [
        (None, false),
        (Some(0.0), false),
        (Some(0.01), true),
        (Some(0.39), true),
        (Some(0.4), false),
        (Some(1.0), false),
    ] {
        assert_eq!(is_damaged(confidence), damaged, "{confidence:?}");
    }
}

#[test]
fn silence_is_asked_about_once_and_is_nobodys_words() {
    let mut spoken = begin();
    let first = spoken.hear(&words(""));
    assert_eq!((line(&first), kinds(&first)), (&*format!("Are you still there? {HOURS}"), vec!["said"]));
    let second = spoken.hear(&words(" "));
    assert_eq!((line(&second), second.then), ("I cannot hear you. Goodbye.", Then::HangUp));
    assert_eq!(ended(&second), (Disposition::NoContact, AnsweredBy::Unknown));
}

#[test]
fn a_machine_is_not_talked_to() {
    for (turns, disposition) in [
        (&["You have reached us. Please leave a message after the beep"][..], Disposition::Voicemail),
        (&["We are not available right now"], Disposition::Voicemail),
        (&["Welcome to the gym", "Please leave a message after the beep"], Disposition::Voicemail),
        (&["For opening hours press 1"], Disposition::NoContact),
    ] {
        let mut spoken = begin();
        let last = turns.iter().map(|turn| spoken.hear(&words(turn))).last().unwrap();
        assert_eq!((last.line.as_deref(), last.then), (None, Then::HangUp), "{turns:?}");
        assert_eq!(ended(&last).0, disposition, "{turns:?}");
    }
    // A person may say so of somebody.
    let mut spoken = begin();
    spoken.hear(&after_line("6 to 10 every day"));
    assert_eq!(spoken.hear(&words("the manager has a voicemail")).then, Then::Listen);
}

#[test]
fn a_message_waits_for_the_beep_or_for_the_end_of_the_words() {
    let beep = "Please leave a message after the beep";
    let (mut waits, _) = begin_with(Question::defaults(), OnMachine::AwaitBeep);
    let reply = waits.hear(&words(beep));
    assert_eq!((reply.line.as_deref(), reply.then), (None, Then::Wait { seconds: 30 }));
    assert!(reply.line_ms() > 30_000);
    assert_eq!(ended(&reply).0, Disposition::Voicemail);
    let (mut says, _) = begin_with(Question::defaults(), OnMachine::Say("Call us back".into()));
    let reply = says.hear(&words(beep));
    assert_eq!((line(&reply), reply.then), ("Call us back", Then::Message));
    assert_eq!(kinds(&reply), ["heard", "said", "ended"]);
    // Its pauses take time, too.
    assert_eq!(reply.line_ms(), 1_200 + 1_000 + 3_000);
    let (mut menu, _) = begin_with(Question::defaults(), OnMachine::Say("Call us back".into()));
    assert_eq!(menu.hear(&words("For opening hours press 1")).line, None);
}

#[test]
fn what_was_said_as_the_time_was_up_still_counts() {
    let mut spoken = begin();
    let late = SpokenTurn { to_ms: 290_000, ..words("6 to 10 every day") };
    let reply = spoken.hear(&late);
    assert_eq!((line(&reply), reply.then), ("I have to end the call here. Thank you. Goodbye.", Then::HangUp));
    assert_eq!(kinds(&reply), ["heard", "answer", "said", "ended"]);
    assert_eq!(ended(&reply).0, Disposition::AnsweredPartial);
    let mut spoken = begin();
    assert_eq!(spoken.hear(&SpokenTurn { to_ms: 290_000, ..words("") }).then, Then::HangUp);
}
