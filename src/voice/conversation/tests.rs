mod line;

use super::*;
use crate::voice::mulaw::{SILENCE, encode};
use gymcall_jobs::answer::AnswerValue;
use gymcall_jobs::outcome::Disposition;
use line::{Line, beep, mumble};

fn report(disposition: Disposition, ended_reason: EndedReason, answered_by: AnsweredBy) -> Report {
    Report { disposition, ended_reason, answered_by }
}

#[test]
fn four_answers_make_a_full_call() {
    let mut line = Line::new();
    line.pause(200);
    line.speak("Hello, Iron Temple");
    assert!(line.agent_says().ends_with("not recorded. What are your opening hours?"));
    line.speak("6 am to 10 pm every day");
    assert_eq!(line.agent_says(), "Thank you. How much is a day pass?");
    line.speak("twenty five fifty");
    assert_eq!(line.agent_says(), "Thank you. Which classes do you offer?");
    line.speak("yoga, spin and boxing");
    line.agent_says();
    line.speak("Just drop in — no booking needed, but bring a towel and a lock for your locker, please.");
    assert_eq!(line.agent_says(), "Thank you, that is all. Goodbye.");
    let full = report(Disposition::AnsweredFull, EndedReason::AgentHangup, AnsweredBy::Human);
    assert_eq!(line.end(), full);
    assert!(line.hung_up);
    let cells: Vec<String> = line.answers().iter().map(|answer| answer.value.to_cell()).collect();
    assert_eq!(cells[1..3], ["25.50 USD", "yoga; spin; boxing"]);
    assert!(cells[3].ends_with("for your locker, please."));
}

#[test]
fn an_answer_carries_its_words_and_their_time() {
    let mut line = Line::new();
    line.agent_says();
    let from_ms = line.now_ms;
    line.speak("6 to 10");
    line.agent_says();
    let answer = line.answers().remove(0);
    assert_eq!((answer.quote.as_str(), answer.from_ms), ("6 to 10", from_ms));
    assert_eq!(answer.to_ms - from_ms, 140);
}

#[test]
fn a_breath_does_not_end_a_turn() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("we open at six");
    line.pause(350);
    line.speak("and close at ten");
    line.agent_says();
    assert_eq!(line.heard(), ["we open at six and close at ten"]);
    assert_eq!(line.answers().len(), 1);
}

#[test]
fn a_mumble_is_asked_again() {
    let mut line = Line::new();
    line.agent_says();
    line.send(mumble());
    assert_eq!(line.agent_says(), "Sorry, I did not catch that. What are your opening hours?");
    line.speak("24 hours");
    assert_eq!(line.agent_says(), "Thank you. How much is a day pass?");
}

#[test]
fn speech_cuts_the_agent_off_within_three_frames_and_it_asks_again() {
    let mut line = Line::new();
    line.until_playing();
    line.pause(500);
    line.until_idle();
    assert_eq!(line.cleared_at, None);
    let spoke_at = line.now_ms;
    line.speak("Hello? Hello?");
    let first = line.agent_says();
    assert_eq!(line.cleared_at, Some(spoke_at + 60));
    let said = line.said().remove(0);
    assert!(said.interrupted && said.to_ms == spoke_at + 60);
    // The mark of the line that was cleared came back; it must not count as the end of the next one.
    let second = line.agent_says();
    assert_eq!(first, second);
    assert!(!line.said()[1].interrupted);
    assert!(line.answers().is_empty());
    line.speak("24 hours");
    line.agent_says();
    assert_eq!(line.answers().len(), 1);
}

#[test]
fn a_click_is_not_speech() {
    let mut line = Line::new();
    line.until_playing();
    line.send(vec![encode(20000); FRAME * 2]);
    assert!(!line.agent_says().is_empty());
    assert_eq!((line.cleared_at, line.heard().len()), (None, 0));
}

#[test]
fn sound_without_words_is_heard_as_damaged() {
    let mut line = Line::new();
    line.agent_says();
    line.send(beep()[..FRAME * 5].to_vec());
    assert!(line.agent_says().starts_with("Sorry"));
    assert_eq!(line.heard(), [""]);
    assert!(line.events.iter().any(|event| matches!(event, AgentEvent::Heard(turn) if turn.damaged)));
}

#[test]
fn the_late_mark_of_a_line_that_was_cut_proves_nothing() {
    let mut line = Line::new();
    line.until_playing();
    line.speak("Hello? Hello?");
    line.agent_says();
    line.until_idle();
    line.until_playing();
    line.mark("line-1");
    assert_eq!(line.said().len(), 1);
}

#[test]
fn what_was_decided_stays_when_they_hang_up_during_the_goodbye() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("not interested");
    line.until_idle();
    line.until_playing();
    line.stop();
    assert_eq!(line.end(), report(Disposition::Refused, EndedReason::UserDeclined, AnsweredBy::Human));
}

#[test]
fn not_knowing_is_an_answer_without_a_value() {
    let mut line = Line::new();
    line.agent_says();
    for _ in 0..3 {
        line.speak("I don't know");
        line.agent_says();
    }
    line.speak("just drop in");
    let partial = report(Disposition::AnsweredPartial, EndedReason::AgentHangup, AnsweredBy::Human);
    assert_eq!(line.end(), partial);
    assert!(line.answers()[..3].iter().all(|answer| answer.value == AnswerValue::NotKnown));
}

#[test]
fn a_voicemail_is_not_talked_to() {
    let mut line = Line::new();
    line.speak("You have reached Iron Temple. Please leave a message after the tone.");
    let told = report(Disposition::Voicemail, EndedReason::VoicemailReached, AnsweredBy::MachineEndSilence);
    assert_eq!(line.end(), told);
    assert!(line.hung_up && line.said().is_empty());

    let mut line = Line::new();
    line.speak("You have reached Iron Temple.");
    line.pause(300);
    line.send(beep());
    assert_eq!(line.end().answered_by, AnsweredBy::MachineEndBeep);

    let mut line = Line::new();
    line.speak(&"Our gym is the best in town and here is why. ".repeat(30));
    assert_eq!(line.end().answered_by, AnsweredBy::MachineStart);
    assert!(line.now_ms < 7_500);
}

#[test]
fn a_late_voicemail_is_found_out_too() {
    let mut line = Line::new();
    line.pause(1_500);
    line.speak("Nobody is here. Leave a message after the beep.");
    assert_eq!(line.end().disposition, Disposition::Voicemail);
    assert!(line.cleared_at.is_some());
}

#[test]
fn a_person_may_speak_of_voicemail() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("24 hours");
    line.agent_says();
    line.speak("that is on our voicemail");
    assert!(line.agent_says().starts_with("Sorry"));
}

#[test]
fn a_menu_is_no_person() {
    let mut line = Line::new();
    line.speak("For memberships press one, for classes press two.");
    assert_eq!(line.end(), report(Disposition::NoContact, EndedReason::IvrReached, AnsweredBy::Ivr));
}

#[test]
fn silence_is_asked_once_and_then_left() {
    let mut line = Line::new();
    line.until_playing();
    assert!(line.now_ms <= 2_000, "who hears nothing hangs up");
    line.agent_says();
    let quiet_from = line.now_ms;
    assert!(line.agent_says().starts_with("Are you still there?"));
    assert!(line.said()[1].from_ms.abs_diff(quiet_from + 5_000) <= 20);
    assert_eq!(line.agent_says(), "I cannot hear you. Goodbye.");
    assert_eq!(line.end(), report(Disposition::NoContact, EndedReason::Inactivity, AnsweredBy::Unknown));
    assert!(line.hung_up);
}

#[test]
fn who_hangs_up_midway_leaves_the_answers_so_far() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("24 hours");
    line.agent_says();
    assert_eq!(line.answers().len(), 1);
    line.speak("it is fifteen dollars");
    line.until_idle();
    line.stop();
    assert_eq!(line.answers().len(), 2, "the last words count");
    let partial = report(Disposition::AnsweredPartial, EndedReason::UserHangup, AnsweredBy::Human);
    assert_eq!(line.end(), partial);
    assert!(!line.hung_up);
}

#[test]
fn who_hangs_up_without_a_word_was_no_contact() {
    let mut line = Line::new();
    line.agent_says();
    line.stop();
    assert_eq!(line.end(), report(Disposition::NoContact, EndedReason::UserHangup, AnsweredBy::Unknown));
}

#[test]
fn a_wish_not_to_be_called_is_told_at_once_and_never_missed() {
    let told = report(Disposition::DoNotCall, EndedReason::AgentHangup, AnsweredBy::Human);
    let mut line = Line::new();
    line.agent_says();
    line.speak("Please don't call us again.");
    assert!(line.agent_says().starts_with("I am sorry for the disturbance."));
    assert_eq!(line.quotes(), ["Please don't call us again."]);
    assert_eq!(line.end(), told);

    // Said, and the receiver slammed down.
    let mut line = Line::new();
    line.agent_says();
    line.speak("Stop calling!");
    line.until_idle();
    line.stop();
    assert_eq!(line.quotes().len(), 1);
    assert_eq!(line.end(), Report { ended_reason: EndedReason::UserHangup, ..told });

    // Said over our goodbye.
    let mut line = Line::new();
    line.agent_says();
    line.speak("we're not interested");
    line.until_idle();
    line.until_playing();
    line.speak("and take us off your list");
    assert_eq!(line.end(), told);
    assert_eq!((line.quotes().len(), line.cleared_at), (1, None));
}

#[test]
fn other_ways_out() {
    let table = [
        ("wrong number", Disposition::WrongNumber, EndedReason::AgentHangup),
        ("not interested", Disposition::Refused, EndedReason::UserDeclined),
        ("we're busy right now", Disposition::CallbackRequested, EndedReason::AgentHangup),
    ];
    for (words, disposition, reason) in table {
        let mut line = Line::new();
        line.agent_says();
        line.speak(words);
        assert_eq!(line.end(), report(disposition, reason, AnsweredBy::Human), "{words}");
        assert!(line.hung_up);
    }
}

#[test]
fn a_lost_stream_ends_it() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("hm");
    line.agent_says();
    line.lose();
    assert_eq!(line.end(), report(Disposition::NeedsReview, EndedReason::ErrorStream, AnsweredBy::Human));
}

#[test]
fn a_call_may_not_last_for_ever() {
    let mut line = Line::with(Limits { max_duration_ms: 6_000, ..Limits::default() });
    line.agent_says();
    line.speak(&"and another thing is that our gym is the best in town ".repeat(15));
    assert!(line.agent_says().starts_with("I have to end the call here."));
    assert_eq!(line.end().ended_reason, EndedReason::MaxDurationReached);
    assert!(line.now_ms < 13_000);
}

#[test]
fn a_mark_that_never_comes_is_not_waited_for_for_ever() {
    let mut line = Line::new();
    line.marks_come_back = false;
    line.agent_says();
    line.speak("wrong number");
    line.until_idle();
    line.until_playing();
    line.until(|line| line.sent_is_played());
    let played_ms = line.now_ms;
    assert_eq!(line.end().disposition, Disposition::WrongNumber);
    assert!(line.hung_up && (line.now_ms - played_ms).abs_diff(5_000) <= 40);
    assert!(line.said()[1].text.ends_with("Goodbye."));
}

#[test]
fn the_call_ends_with_the_goodbyes_mark() {
    let mut line = Line::new();
    line.agent_says();
    line.speak("wrong number");
    line.until_idle();
    line.until_playing();
    line.until(|line| line.hung_up);
    let goodbye = line.said().remove(1);
    assert!(!goodbye.interrupted && line.now_ms - goodbye.to_ms <= FRAME_MS);
}

#[test]
fn the_end_comes_once_and_last() {
    let mut line = Line::new();
    line.agent_says();
    line.stop();
    line.stop();
    line.lose();
    line.speak("hello?");
    line.pause(10_000);
    line.until_idle();
    let ends = line.events.iter().filter(|event| matches!(event, AgentEvent::Ended(_))).count();
    assert_eq!(ends, 1);
    assert!(matches!(line.events.last(), Some(AgentEvent::Ended(_))));
}

#[test]
fn audio_may_come_in_any_portions() {
    let audio = [vec![SILENCE; 2_000], crate::voice::speech::tones::Tones::new().say("Hello, Iron Temple")].concat();
    let audio = [audio, vec![SILENCE; 16_000]].concat();
    let whole = line::conversation(Limits::default()).hear(&audio);
    let mut conversation = line::conversation(Limits::default());
    let parts: Vec<Output> = audio.chunks(77).flat_map(|part| conversation.hear(part)).collect();
    assert_eq!(whole, parts);
    assert!(!whole.is_empty());
}
