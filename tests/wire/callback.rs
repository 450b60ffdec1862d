//! Twilio's forms and our callback URLs, from the bytes as they travel.
use gymcall::twilio::callback::{
    AmdNews, CallStatus, CallbackError, CallbackQuery, CallbackQueryError, CallbackUrls, SpeechNews, StatusNews,
    VoiceRequest, turn_of,
};
use gymcall::twilio::public_url::PublicBase;
use gymcall::twilio::signature::decode_form;
use gymcall_jobs::id::{JobId, Tag};
use gymcall_jobs::outcome::AnsweredBy;
use jiff::Timestamp;

const SID: &str = "CA0123456789abcdef0123456789abcdef";

fn status(body: &str) -> Result<StatusNews, CallbackError> {
    StatusNews::from_form(&decode_form(body.as_bytes()))
}

#[test]
fn the_end_of_a_call_is_read_whole() {
    let body = format!(
        "CallSid={SID}&AccountSid=AC00000000000000000000000000000000&From=%2B15005550006&To=%2B14155550100\
         &CallStatus=no-answer&ApiVersion=2010-04-01&Direction=outbound-api\
         &Timestamp=Wed%2C+11+Sep+2024+20%3A12%3A05+%2B0000&CallbackSource=call-progress-events\
         &SequenceNumber=3&CallDuration=17&Duration=1&SipResponseCode=487&AnsweredBy=machine_start\
         &ErrorCode=13224&FromCity=&Surprise=new"
    );
    assert_eq!(
        status(&body).unwrap(),
        StatusNews {
            call: SID.parse().unwrap(),
            status: CallStatus::NoAnswer,
            sequence: Some(3),
            timestamp: Some("2024-09-11T20:12:05Z".parse().unwrap()),
            duration_s: Some(17),
            answered_by: Some(AnsweredBy::MachineStart),
        }
    );
}

#[test]
fn what_is_missing_blank_or_odd_does_not_cost_the_news() {
    let body = format!(
        "CallSid={SID}&CallStatus=ringing&SequenceNumber=-1&Timestamp=yesterday&CallDuration=&SipResponseCode=x&AnsweredBy="
    );
    let news = status(&body).unwrap();
    assert_eq!(news.status, CallStatus::Ringing);
    assert_eq!((news.sequence, news.timestamp, news.duration_s), (None, None, None));
    assert_eq!(news.answered_by, None);
}

#[test]
fn news_that_cannot_be_used_says_why() {
    let unknown = status(&format!("CallSid={SID}&CallStatus=teleporting")).unwrap_err();
    assert!(matches!(&unknown, CallbackError::Status(error) if error.word == "teleporting"));
    let spelled = status(&format!("CallSid={SID}&CallStatus=Completed")).unwrap_err();
    assert!(matches!(spelled, CallbackError::Status(_)));
    assert_eq!(status(&format!("CallSid={SID}")), Err(CallbackError::Missing("CallStatus")));
    assert_eq!(status("CallStatus=ringing"), Err(CallbackError::Missing("CallSid")));
    assert!(matches!(status("CallSid=CA1&CallStatus=ringing"), Err(CallbackError::CallSid(_))));
}

#[test]
fn every_status_word_is_twilios_and_the_end_outranks_the_rest() {
    let words: Vec<_> = CallStatus::ALL.iter().copied().map(CallStatus::as_str).collect();
    assert_eq!(
        words,
        ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "canceled", "failed"]
    );
    for status in CallStatus::ALL.iter().copied() {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    let ranks: Vec<_> = CallStatus::ALL.iter().copied().map(CallStatus::rank).collect();
    assert_eq!(ranks, [0, 1, 2, 3, 4, 4, 4, 4, 4]);
    let ends: Vec<_> = CallStatus::ALL.iter().copied().filter(|status| status.is_terminal()).collect();
    assert_eq!(ends, CallStatus::ALL[4..]);
}

#[test]
fn the_question_what_to_do_names_the_call() {
    let read = |body: String| VoiceRequest::from_form(&decode_form(body.as_bytes()));
    let plain = read(format!("CallSid={SID}&CallStatus=in-progress&CallerName=")).unwrap();
    assert_eq!(plain, VoiceRequest { call: SID.parse().unwrap() });
    assert!(read("CallStatus=in-progress".to_owned()).is_err());
}

#[test]
fn a_turn_is_read_with_how_sure_twilio_is() {
    let read = |form: &str| SpeechNews::from_form(&decode_form(format!("CallSid={SID}&{form}").as_bytes())).unwrap();
    let said = read("SpeechResult=A+day+pass+is+%2415.&Confidence=0.93&Language=en-US");
    assert_eq!((said.text.as_str(), said.confidence), ("A day pass is $15.", Some(0.93)));
    for (form, text, confidence) in [
        ("SpeechResult=", "", None),
        ("msg=Gather+End", "", None),
        ("SpeechResult=yes", "yes", None),
        ("SpeechResult=yes&Confidence=high", "yes", None),
        ("SpeechResult=yes&Confidence=NaN", "yes", None),
        ("SpeechResult=yes&Confidence=7", "yes", None),
    ] {
        let said = read(form);
        assert_eq!((said.text.as_str(), said.confidence), (text, confidence), "{form}");
    }
    assert!(SpeechNews::from_form(&decode_form(b"SpeechResult=yes")).is_err());
}

#[test]
fn a_detection_names_who_answered() {
    let read = |form: &str| AmdNews::from_form(&decode_form(format!("CallSid={SID}&{form}").as_bytes()));
    let news = read("AnsweredBy=machine_end_beep&MachineDetectionDuration=4231").unwrap();
    assert_eq!((news.answered_by, news.after_ms), (AnsweredBy::MachineEndBeep, Some(4231)));
    assert_eq!(read("AnsweredBy=android").unwrap().answered_by, AnsweredBy::Unknown);
    assert!(read("AnsweredBy=").is_err());
}

#[test]
fn machine_detection_never_says_more_than_twilio_did() {
    let news = |who: &str| status(&format!("CallSid={SID}&CallStatus=in-progress&AnsweredBy={who}")).unwrap();
    assert_eq!(news("human").answered_by, Some(AnsweredBy::Human));
    assert_eq!(news("fax").answered_by, Some(AnsweredBy::Fax));
    assert_eq!(news("android").answered_by, Some(AnsweredBy::Unknown));
}

#[test]
fn the_callback_urls_carry_job_tag_and_how_often_to_try() {
    let job = JobId::new(Timestamp::UNIX_EPOCH, 7);
    let tag = Tag::new(0xabc);
    for (base, http, ws) in [
        ("https://gym.example", "https://gym.example", "wss://gym.example"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", "ws://127.0.0.1:8000"),
        ("https://u:p@gym.example/calls/", "https://gym.example/calls", "wss://gym.example/calls"),
    ] {
        let base = PublicBase::new(&base.parse().unwrap()).unwrap();
        let urls = CallbackUrls::new(&base, &job, &tag);
        let tail = format!("?job={job}&tag={}#rc=5&rp=5xx,ct,rt", tag.as_str());
        assert_eq!(urls.voice.as_str(), format!("{http}/v1/twilio/voice{tail}"));
        assert_eq!(urls.status.as_str(), format!("{http}/v1/twilio/status{tail}"));
        assert_eq!(urls.amd.as_str(), format!("{http}/v1/twilio/amd{tail}"));
        let turn = tail.replace('#', "&turn=12#");
        assert_eq!(urls.gather(12).as_str(), format!("{http}/v1/twilio/gather{turn}"));
        assert_eq!(turn_of(urls.gather(12).query().unwrap()), Some(12));
        assert_eq!(turn_of(urls.voice.query().unwrap()), None);
        assert_eq!(urls.stream.as_str(), format!("{ws}/v1/twilio/stream"));
        assert!(!format!("{urls:?}").contains(tag.as_str()));

        let back = CallbackQuery::parse(urls.voice.query().unwrap()).unwrap();
        assert_eq!(back, CallbackQuery { job: job.clone(), tag: tag.clone() });
    }
}

#[test]
fn a_query_that_is_not_ours_is_refused_without_repeating_the_tag() {
    let job = JobId::new(Timestamp::UNIX_EPOCH, 7);
    let tag = "0123456789abcdef0123456789abcde"; // one short
    assert_eq!(CallbackQuery::parse(""), Err(CallbackQueryError::Missing("job")));
    assert_eq!(CallbackQuery::parse(&format!("job={job}")), Err(CallbackQueryError::Missing("tag")));
    assert!(matches!(CallbackQuery::parse(&format!("job=1&tag={tag}f")), Err(CallbackQueryError::Job(_))));
    let error = CallbackQuery::parse(&format!("job={job}&tag={tag}")).unwrap_err();
    assert_eq!(error, CallbackQueryError::Tag);
    assert!(!format!("{error} {error:?}").contains(tag));
}
