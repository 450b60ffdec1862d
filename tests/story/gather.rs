//! Calls that Twilio speaks and hears itself, turn by turn.

use gymcall::app::Role;
use gymcall_simulator::{Event, Status};
use serde_json::{Value, json};

use super::desk::{ANSWERS, DO_NOT_CALL, Desk, Keeper, LEAVES, Plan, THINKS, all_day, job_and_tag};
use super::http::{Http, Reply};
use super::signed::{FOREIGN, post_signed, post_signed_at, target};

on_each_keeper! {
    a_gym_is_asked_and_answers_in_words,
    a_turn_that_comes_twice_gets_the_same_reply_and_is_stored_once,
    an_old_turn_and_one_too_early_move_nothing,
    a_turn_that_reaches_two_servers_at_once_is_heard_once,
    a_server_that_dies_before_its_reply_gives_the_same_one_afterwards,
    who_hangs_up_in_the_middle_leaves_what_was_answered,
    words_that_come_behind_the_end_of_the_call_are_an_answer,
    words_that_twilio_is_not_sure_of_are_asked_for_again,
    silence_is_asked_about_and_then_the_call_ends,
    a_wish_not_to_be_called_is_stored_before_the_goodbye,
    a_call_that_is_taken_back_in_the_middle_is_hung_up,
    a_machine_that_twilio_detects_is_hung_up_on,
    a_detection_that_comes_after_an_answer_ends_nothing,
    a_message_is_left_for_a_machine_after_the_beep,
}

const SPOKEN: (&str, &str) = ("GYMCALL_SPEECH", "twilio");
const ALONE: (&str, &str) = ("GYMCALL_MACHINE_DETECTION", "false");

async fn desk(keeper: Keeper) -> Desk {
    Desk::of(Plan { keeper, settings: vec![SPOKEN, ALONE], ..Plan::default() }).await
}

/// A call that was picked up, whose turns are told by hand: the gym itself says nothing.
struct Line {
    campaign: String,
    job: String,
    sid: String,
    voice: String,
}

impl Line {
    /// Two questions: the price of a day pass, and the sauna.
    async fn open(desk: &Desk, mut policy: Value) -> Self {
        policy["window"] = all_day();
        let request = json!({
            "name": "Day passes",
            "policy": policy,
            "questions": [
                {"key": "price", "ask": "How much is a day pass?", "type": "money"},
                {"key": "sauna", "ask": "Do you have a sauna?", "type": "boolean"},
            ],
        });
        let made = desk.http.post("/v1/campaigns", &request).await;
        let campaign = made.expect(201)["id"].as_str().unwrap().to_owned();
        desk.import(&campaign, &format!("phone_number,gym_name\n{THINKS},Iron Temple\n")).await.expect(200);
        desk.tell(&campaign, "start").await.expect(200);
        let job = desk.only_job(&campaign).await;
        desk.until("the first line is said", async || {
            desk.events(&job).await.iter().any(|event| event["event"] == "speech_begun").then_some(())
        })
        .await;
        let call = desk.call_to(THINKS);
        Self { campaign, job, sid: call.sid.clone(), voice: target(&call.url) }
    }

    fn path(&self, what: &str) -> String {
        self.voice.replace("/voice", what)
    }

    async fn ask(&self, desk: &Desk, turn: usize, words: &str, confidence: &str) -> String {
        self.ask_at(desk, &desk.http, turn, words, confidence).await.body
    }

    async fn ask_at(&self, desk: &Desk, server: &Http, turn: usize, words: &str, confidence: &str) -> Reply {
        let target = format!("{}&turn={turn}", self.path("/gather"));
        let form = [("CallSid", self.sid.as_str()), ("SpeechResult", words), ("Confidence", confidence)];
        post_signed_at(desk, server, &target, &form).await
    }

    /// A turn, clearly heard.
    async fn say(&self, desk: &Desk, turn: usize, words: &str) -> String {
        self.ask(desk, turn, words, "0.93").await
    }

    async fn status(&self, desk: &Desk, status: &str) {
        let form = [("CallSid", self.sid.as_str()), ("CallStatus", status), ("SipResponseCode", "200")];
        assert_eq!(post_signed(desk, &self.path("/status"), &form).await.status, 204);
    }

    async fn detected(&self, desk: &Desk, who: &str) {
        let form = [("CallSid", self.sid.as_str()), ("AnsweredBy", who), ("MachineDetectionDuration", "3211")];
        assert_eq!(post_signed(desk, &self.path("/amd"), &form).await.status, 204);
    }

    async fn number_of(&self, desk: &Desk, event: &str) -> usize {
        desk.events(&self.job)
            .await
            .iter()
            .filter(|entry| entry["event"] == event && entry["ignored"].is_null())
            .count()
    }

    async fn ended(&self, desk: &Desk) -> (String, String) {
        let job = desk.finished(&self.campaign).await.remove(0);
        (word(&job["disposition"]), word(&job["ended_reason"]))
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn end(disposition: &str, reason: &str) -> (String, String) {
    (disposition.to_owned(), reason.to_owned())
}

async fn a_gym_is_asked_and_answers_in_words(keeper: Keeper) {
    let desk = desk(keeper).await;
    let campaign = desk.calling(&[ANSWERS, DO_NOT_CALL, LEAVES], json!({"max_attempts": 1})).await;
    let jobs = desk.finished(&campaign).await;
    let [answers, do_not_call, leaves] = [0, 1, 2].map(|nth: usize| &jobs[nth]);
    assert_eq!((&answers["disposition"], &answers["answered_by"]), (&json!("answered_full"), &json!("human")));
    assert_eq!(answers["answers"][0]["value"], json!({"amount": "15.00", "currency": "USD"}));
    assert_eq!(answers["answers"][0]["quote"], "It is 15 dollars");
    let span = |name: &str| answers["answers"][0][name].as_u64().unwrap();
    assert!(span("from_ms") < span("to_ms") && span("to_ms") < 20_000, "{answers}");
    assert_eq!(do_not_call["disposition"], "do_not_call");
    assert_eq!(leaves["ended_reason"], "user_hangup", "{leaves}");
    // No sound came here, and what was said reads as it does over streams.
    let streamed = |event: &Event| matches!(event, Event::StreamOpened { .. });
    assert!(!desk.twilio.log().entries().iter().any(|entry| streamed(&entry.what)));
    let job = desk.job(answers["id"].as_str().unwrap()).await;
    let turns = job["transcript"].as_array().unwrap();
    let who: Vec<&Value> = turns.iter().map(|turn| &turn["who"]).collect();
    assert_eq!(who, ["agent", "gym", "agent"], "{turns:?}");
    assert!(
        word(&turns[0]["text"]).starts_with("Hello, this is an automated call on behalf of Day passes"),
        "{turns:?}"
    );
    assert_eq!(turns[1]["text"], "It is 15 dollars");
}

async fn a_turn_that_comes_twice_gets_the_same_reply_and_is_stored_once(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    // Also the first line, however often Twilio asks for it.
    let form = [("CallSid", line.sid.as_str()), ("CallStatus", "in-progress")];
    let first = post_signed(&desk, &line.voice, &form).await.body;
    assert!(first.contains("<Gather") && first.contains("turn=0") && !first.contains("sauna"), "{first}");
    let said = line.say(&desk, 0, "It is 15 dollars").await;
    assert!(said.contains("Thank you. Do you have a sauna?") && said.contains("turn=1"), "{said}");
    assert!(said.contains("hints=\"yes,no,"), "{said}");
    let version = desk.version(&line.job).await;
    assert_eq!(line.say(&desk, 0, "It is 15 dollars").await, said);
    // Twilio does not change its mind, and if it did, a turn is what it was.
    assert_eq!(line.say(&desk, 0, "It is 20 dollars").await, said);
    assert_eq!(post_signed(&desk, &line.voice, &form).await.body, first);
    assert_eq!(desk.version(&line.job).await, version);
    assert_eq!([line.number_of(&desk, "turn_heard").await, line.number_of(&desk, "answer_heard").await], [1, 1]);
    assert_eq!(line.number_of(&desk, "gym_said").await, 1);
    let goodbye = line.say(&desk, 1, "yes, we do").await;
    assert!(goodbye.contains("Goodbye.</Say><Hangup/>"), "{goodbye}");
    // The report is there before the goodbye is said, and the goodbye is given again.
    assert_eq!(desk.job(&line.job).await["status"], "closing");
    assert_eq!(line.say(&desk, 1, "yes, we do").await, goodbye);
    assert_eq!(line.say(&desk, 0, "It is 15 dollars").await, said);
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("answered_full", "agent_hangup"));
}

async fn an_old_turn_and_one_too_early_move_nothing(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    let first = line.say(&desk, 0, "Hello, Iron Temple").await;
    assert!(first.contains("turn=1") && first.contains("automated call"), "{first}");
    let version = desk.version(&line.job).await;
    // A turn whose forerunners the record does not have is listened for from where it stands.
    assert_eq!(line.say(&desk, 4, "15 dollars").await, first);
    assert_eq!(desk.version(&line.job).await, version);
    let second = line.say(&desk, 1, "15 dollars").await;
    assert!(second.contains("turn=2"), "{second}");
    let version = desk.version(&line.job).await;
    assert_eq!(line.say(&desk, 0, "please don't call us again").await, first);
    assert_eq!(desk.version(&line.job).await, version);
    // Another call's turn, a stranger's, and one without a number, are let go.
    for (path, sid) in [
        (format!("{}&turn=2", line.path("/gather")), FOREIGN),
        (line.path("/gather"), line.sid.as_str()),
        (format!("{}&turn=two", line.path("/gather")), line.sid.as_str()),
    ] {
        let reply = post_signed(&desk, &path, &[("CallSid", sid), ("SpeechResult", "yes")]).await;
        assert!(reply.body.contains("<Response><Hangup/></Response>"), "{path}: {}", reply.body);
    }
    assert_eq!([line.number_of(&desk, "turn_heard").await, line.number_of(&desk, "answer_heard").await], [2, 1]);
    assert_eq!(desk.get("/v1/suppressions").await["items"], json!([]));
}

async fn a_turn_that_reaches_two_servers_at_once_is_heard_once(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    let beside = match keeper {
        Keeper::Redis => Some(desk.beside(Role::Serve, &[]).await),
        Keeper::Embedded => None,
    };
    let other = beside.as_ref().map_or(&desk.http, |beside| beside.http());
    for (turn, words) in [(0, "Hello?"), (1, "15 dollars"), (2, "hm"), (3, "yes")] {
        let (one, two) = tokio::join!(
            line.ask_at(&desk, &desk.http, turn, words, "0.9"),
            line.ask_at(&desk, other, turn, words, "0.9"),
        );
        assert_eq!((one.status, &one.body), (200, &two.body), "turn {turn}");
        assert_eq!(line.number_of(&desk, "turn_heard").await, turn + 1);
    }
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("answered_full", "agent_hangup"));
}

async fn a_server_that_dies_before_its_reply_gives_the_same_one_afterwards(keeper: Keeper) {
    let mut desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    line.say(&desk, 0, "Hello?").await;
    let lost = line.say(&desk, 1, "15 dollars").await;
    desk.crash().await;
    desk.start_again(&[]).await;
    assert_eq!(line.say(&desk, 1, "15 dollars").await, lost);
    assert!(line.say(&desk, 2, "yes").await.contains("Goodbye."));
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("answered_full", "agent_hangup"));
}

async fn who_hangs_up_in_the_middle_leaves_what_was_answered(keeper: Keeper) {
    for (status, words, expected) in [
        ("completed", "15 dollars", end("answered_partial", "user_hangup")),
        ("completed", "well, well", end("needs_review", "user_hangup")),
        ("failed", "15 dollars", end("answered_partial", "error_stream")),
    ] {
        let desk = desk(keeper).await;
        let line = Line::open(&desk, json!({})).await;
        line.say(&desk, 0, "Hello?").await;
        line.say(&desk, 1, words).await;
        line.status(&desk, status).await;
        assert_eq!(line.ended(&desk).await, expected);
        // Words that come much later are too late for an answer, and not for a wish.
        assert!(line.say(&desk, 2, "and please don't call us again").await.contains("<Response><Hangup/>"));
        let list = desk.get("/v1/suppressions").await;
        assert_eq!(list["items"][0]["phone_number"], THINKS);
    }
}

async fn words_that_come_behind_the_end_of_the_call_are_an_answer(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    line.say(&desk, 0, "Hello?").await;
    line.status(&desk, "completed").await;
    assert_eq!(desk.job(&line.job).await["status"], "closing");
    line.say(&desk, 1, "15 dollars").await;
    line.say(&desk, 1, "15 dollars").await;
    assert_eq!(line.number_of(&desk, "answer_heard").await, 1);
    assert_eq!(desk.job(&line.job).await["status"], "closing");
    line.say(&desk, 2, "yes, we do, goodbye").await;
    // Nothing more is waited for.
    assert_eq!(line.ended(&desk).await, end("answered_full", "agent_hangup"));
    assert_eq!(line.number_of(&desk, "tick").await, 0);
    // Nobody was there to hear the lines after it.
    let job = desk.job(&line.job).await;
    assert_eq!(job["transcript"].as_array().unwrap().iter().filter(|turn| turn["who"] == "agent").count(), 2);
}

async fn words_that_twilio_is_not_sure_of_are_asked_for_again(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    line.say(&desk, 0, "Hello?").await;
    let again = line.ask(&desk, 1, "50 dollars", "0.21").await;
    assert!(again.contains("Sorry, I did not catch that. How much is a day pass?"), "{again}");
    assert_eq!(line.number_of(&desk, "answer_heard").await, 0);
    line.ask(&desk, 2, "15 dollars", "0.95").await;
    let job = desk.job(&line.job).await;
    assert_eq!(job["answers"][0]["value"]["amount"], "15.00");
    assert_eq!(job["transcript"][3]["damaged"], true, "{job}");
}

async fn silence_is_asked_about_and_then_the_call_ends(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    let again = line.ask(&desk, 0, "", "").await;
    assert!(again.contains("Are you still there? How much is a day pass?"), "{again}");
    let goodbye = line.ask(&desk, 1, "", "").await;
    assert!(goodbye.contains("I cannot hear you. Goodbye.</Say><Hangup/>"), "{goodbye}");
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("no_contact", "inactivity"));
}

async fn a_wish_not_to_be_called_is_stored_before_the_goodbye(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    // Even where Twilio is hardly sure of it.
    let goodbye = line.ask(&desk, 0, "please do not call us again", "0.1").await;
    assert!(goodbye.contains("We will not call again. Goodbye.</Say><Hangup/>"), "{goodbye}");
    let list = desk.get("/v1/suppressions").await;
    assert_eq!(list["items"][0]["reason"], "said on the phone: please do not call us again");
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("do_not_call", "agent_hangup"));
}

async fn a_call_that_is_taken_back_in_the_middle_is_hung_up(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    let said = line.say(&desk, 0, "15 dollars").await;
    desk.http.post(&format!("/v1/jobs/{}/cancel", line.job), &json!({})).await.expect(200);
    for turn in [0, 1] {
        let reply = line.say(&desk, turn, "yes").await;
        assert!(reply != said && reply.contains("<Response><Hangup/></Response>"), "{reply}");
    }
    desk.until_job(&line.job, "cancelled").await;
    assert_eq!(desk.statuses(&line.sid).last(), Some(&Status::Completed));
}

async fn a_machine_that_twilio_detects_is_hung_up_on(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    line.detected(&desk, "unknown").await;
    assert_eq!(desk.job(&line.job).await["status"], "in_progress");
    line.detected(&desk, "machine_start").await;
    line.detected(&desk, "machine_start").await;
    assert_eq!(line.ended(&desk).await, end("voicemail", "voicemail_reached"));
    let job = desk.job(&line.job).await;
    assert_eq!((&job["outcome"], &job["attempts"][0]["answered_by"]), (&json!("gave_up"), &json!("unknown")));
    assert_eq!(desk.statuses(&line.sid).last(), Some(&Status::Completed));
    let forged = desk.http.post(&line.path("/amd"), &json!({})).await;
    assert_eq!(forged.status, 403, "{}", forged.body);
}

async fn a_detection_that_comes_after_an_answer_ends_nothing(keeper: Keeper) {
    let desk = desk(keeper).await;
    let line = Line::open(&desk, json!({})).await;
    line.say(&desk, 0, "15 dollars").await;
    line.detected(&desk, "machine_start").await;
    assert!(line.say(&desk, 1, "yes").await.contains("Goodbye."));
    line.status(&desk, "completed").await;
    assert_eq!(line.ended(&desk).await, end("answered_full", "agent_hangup"));
}

async fn a_message_is_left_for_a_machine_after_the_beep(keeper: Keeper) {
    let desk = desk(keeper).await;
    let policy = json!({"voicemail": "leave_message", "voicemail_message": "Please call {{gym_name}} back & soon."});
    let line = Line::open(&desk, policy).await;
    line.detected(&desk, "machine_end_beep").await;
    line.detected(&desk, "machine_end_beep").await;
    // The gather that this ends must not end the message.
    let reply = line.say(&desk, 0, "beep").await;
    assert!(reply.contains("<Pause"), "{reply}");
    let heard =
        |event: &Event| matches!(event, Event::Heard { text, .. } if text.contains("call Iron Temple back & soon"));
    desk.until_logged("the machine hears the message", heard).await;
    assert_eq!(line.ended(&desk).await, end("voicemail", "voicemail_reached"));
    assert_eq!([line.number_of(&desk, "message_left").await, line.number_of(&desk, "detected").await], [1, 1]);
    let events = desk.events(&line.job).await;
    let left = events.iter().find(|event| event["event"] == "message_left").unwrap();
    assert_eq!(left["detail"]["detail"], "Please call Iron Temple back & soon.");
    let (job, _) = job_and_tag(&desk.call_to(THINKS));
    assert_eq!((job, desk.created(THINKS)), (line.job, 1));
}

#[tokio::test]
async fn a_row_without_a_column_of_the_message_is_not_taken() {
    let desk = Desk::open().await;
    let policy = json!({"voicemail": "leave_message", "voicemail_message": "Call {{manager}} back."});
    let campaign = desk.campaign(policy).await;
    let report =
        desk.import(&campaign, &format!("phone_number,manager\n{THINKS},\n{ANSWERS},Ruth\n")).await.expect(200);
    assert_eq!((&report["accepted"], &report["rows"][0]["code"]), (&json!(1), &json!("missing_variable")), "{report}");
    assert_eq!(desk.get(&format!("/v1/campaigns/{campaign}")).await["policy"]["voicemail"], "leave_message");
}
