use super::*;
use std::collections::BTreeMap;

const HELLO: &str = "Hello, this is an automated call on behalf of FitData for Iron Temple. This call is not recorded.";

fn dialogue(questions: Vec<Question>) -> Scripted {
    Scripted::new(Brief {
        gym_name: "Iron Temple".into(),
        on_behalf_of: "FitData".into(),
        greeting: None,
        questions,
        variables: BTreeMap::new(),
        recorded: false,
    })
}

fn words(text: &str) -> Heard {
    Heard { text: text.into(), damaged: false, from_ms: 100, to_ms: 200, cut_at: None }
}

fn said(reply: &Reply) -> &str {
    reply.say.as_deref().unwrap_or("")
}

#[test]
fn the_first_line_says_who_calls_and_asks() {
    let mut dialogue = dialogue(Question::defaults());
    assert_eq!(said(&dialogue.begin("")), format!("{HELLO} What are your opening hours?"));
}

#[test]
fn a_gym_without_a_name_is_not_named() {
    for gym_name in ["", " "] {
        let mut dialogue = dialogue(Vec::new());
        dialogue.brief.gym_name = gym_name.into();
        let line = "Hello, this is an automated call on behalf of FitData. This call is not recorded.";
        assert!(said(&dialogue.begin("")).starts_with(line));
    }
}

#[test]
fn questions_are_put_one_by_one_and_the_answers_carry_their_words() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("Hello, Iron Temple");
    let reply = dialogue.heard(&words("6 to 10 every day"));
    assert_eq!(said(&reply), "Thank you. How much is a day pass?");
    assert_eq!(reply.answers[0].key, "opening_hours");
    assert_eq!((reply.answers[0].from_ms, reply.answers[0].to_ms), (100, 200));
    dialogue.heard(&words("15 dollars"));
    dialogue.heard(&words("yoga and spin"));
    let reply = dialogue.heard(&words("just come by"));
    assert_eq!(reply.answers[0].quote, "just come by");
    assert_eq!(reply.end, Some(End::Done));
    assert_eq!(dialogue.tally(), Tally { told: 4, of: 4 });
}

#[test]
fn it_asks_once_more_and_then_goes_on() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    let reply = dialogue.heard(&words("when the sun is up"));
    assert_eq!(said(&reply), "Sorry, I did not catch that. What are your opening hours?");
    assert!(reply.answers.is_empty());
    let reply = dialogue.heard(&words("in daylight"));
    assert_eq!(said(&reply), "All right. How much is a day pass?");
    assert_eq!((&reply.answers[0].value, reply.answers[0].quote.as_str()), (&AnswerValue::NotKnown, "in daylight"));
    assert_eq!(dialogue.place.tries, 0);
}

#[test]
fn damaged_words_are_not_believed() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    let damaged = Heard { damaged: true, ..words("6 to 10 every day") };
    assert!(dialogue.heard(&damaged).answers.is_empty());
    assert_eq!(dialogue.heard(&damaged).answers[0].value, AnswerValue::NotKnown);
    let wish = Heard { damaged: true, ..words("don't call us again") };
    assert!(matches!(dialogue.heard(&wish).end, Some(End::DoNotCall { .. })));
}

#[test]
fn what_is_not_known_is_taken_at_the_first_word() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    assert_eq!(dialogue.heard(&words("I don't know")).answers[0].value, AnswerValue::NotKnown);
    assert!(dialogue.heard(&words("not sure, 15 dollars I think")).answers[0].value.is_told());
    assert_eq!(dialogue.heard(&words("no idea")).answers[0].value, AnswerValue::NotKnown);
}

#[test]
fn an_interruption_that_answers_nothing_gets_the_whole_line_again() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    let cut = Heard { cut_at: Some(20), ..words("hello?") };
    assert_eq!(said(&dialogue.heard(&cut)), format!("{HELLO} What are your opening hours?"));
    let cut = Heard { cut_at: Some(90), ..words("the weather is fine") };
    assert_eq!(said(&dialogue.heard(&cut)), "What are your opening hours?");
    assert_eq!(dialogue.place.tries, 0);
}

#[test]
fn an_interruption_that_answers_is_an_answer_but_they_still_learn_who_calls() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    let reply = dialogue.heard(&Heard { cut_at: Some(50), ..words("we are open 24/7") });
    assert_eq!(reply.answers.len(), 1);
    assert_eq!(said(&reply), format!("{HELLO} Thank you. How much is a day pass?"));
}

#[test]
fn words_over_an_open_question_are_no_answer_to_it() {
    let open = Question::defaults().split_off(3);
    let mut dialogue = dialogue(open);
    dialogue.begin("");
    assert!(dialogue.heard(&Heard { cut_at: Some(30), ..words("one two three") }).answers.is_empty());
    assert!(dialogue.heard(&words("Hello, Iron Temple")).answers.is_empty());
    assert_eq!(dialogue.heard(&words("one two three")).answers.len(), 1);
}

#[test]
fn free_turns_run_out() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    let cut = Heard { cut_at: Some(10), ..words("hello?") };
    let turns = (1..20).find(|_| !dialogue.heard(&cut).answers.is_empty());
    assert_eq!(turns, Some(5));
}

#[test]
fn every_way_out_has_its_end() {
    let table = [
        ("wrong number", End::WrongNumber),
        ("we're not interested", End::Refused),
        ("no thanks", End::Refused),
        ("call back later", End::CallLater),
        ("stop calling", End::DoNotCall { quote: "stop calling".into() }),
    ];
    for (text, end) in table {
        let mut dialogue = dialogue(Question::defaults());
        dialogue.begin("");
        let reply = dialogue.heard(&words(text));
        assert_eq!(reply.end, Some(end), "{text}");
        assert!(said(&reply).ends_with("Goodbye."));
    }
    let mut dialogue = dialogue(Question::defaults());
    assert!(matches!(dialogue.begin("Don't call us again").end, Some(End::DoNotCall { .. })));
}

#[test]
fn after_the_goodbye_only_one_wish_is_heard() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    dialogue.heard(&words("wrong number"));
    assert_eq!(dialogue.heard(&words("24 hours")), Reply::default());
    assert!(matches!(dialogue.heard(&words("never call again")).end, Some(End::DoNotCall { .. })));
}

#[test]
fn silence_is_asked_once() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    assert_eq!(said(&dialogue.silence()), "Are you still there? What are your opening hours?");
    assert_eq!(dialogue.silence().end, Some(End::Silence));
}

#[test]
fn who_asks_who_calls_is_told() {
    let mut dialogue = dialogue(Question::defaults());
    dialogue.begin("");
    assert!(said(&dialogue.heard(&words("Who is this?"))).starts_with(HELLO));
    assert_eq!(dialogue.heard(&words("One moment please")), Reply::default());
}

#[test]
fn a_campaign_without_questions_only_introduces_itself() {
    let reply = dialogue(Vec::new()).begin("");
    assert_eq!(reply.end, Some(End::Done));
    assert_eq!(said(&reply), format!("{HELLO} Thank you, that is all. Goodbye."));
}

#[test]
fn thinking_aloud_may_begin_an_answer() {
    let mut dialogue = dialogue(Question::defaults().split_off(2));
    dialogue.begin("");
    let value = AnswerValue::List(vec!["yoga".into(), "spin".into()]);
    assert_eq!(dialogue.heard(&words("Let me see, yoga and spin")).answers[0].value, value);
}
