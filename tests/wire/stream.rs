//! The messages on the socket, from the bytes as they travel.
use gymcall::twilio::stream::{FromTwilio, MediaFormat, Start, StreamSid, ToTwilio};
use serde_json::{Value, json};

const CALL: &str = "CA0123456789abcdef0123456789abcdef";

fn start() -> String {
    format!(
        r#"{{"event":"start","sequenceNumber":"1","start":{{"accountSid":"AC00000000000000000000000000000000","streamSid":"MZ1","callSid":"{CALL}","tracks":["inbound"],"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"customParameters":{{"job":"42"}},"later":{{"x":1}}}},"streamSid":"MZ1"}}"#
    )
}

fn started(text: &str) -> Start {
    match FromTwilio::parse(text).unwrap() {
        FromTwilio::Start(start) => start,
        other => panic!("{other:?}"),
    }
}

fn stream() -> StreamSid {
    started(&start()).stream_sid
}

fn parse(text: &str) -> FromTwilio {
    FromTwilio::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_stream_begins_with_its_names_and_our_parameters() {
    assert_eq!(parse(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#), FromTwilio::Connected);
    let start = started(&start());
    assert_eq!(start.stream_sid.as_str(), "MZ1");
    assert_eq!(start.call_sid.as_str(), CALL);
    assert_eq!(start.custom_parameters["job"], "42");
    let mulaw = MediaFormat { encoding: "audio/x-mulaw".to_owned(), sample_rate: 8000, channels: 1 };
    assert_eq!(start.media_format, mulaw);
    assert!(mulaw.is_telephone());
    let bare = self::start().replace(r#""customParameters":{"job":"42"},"#, "");
    assert!(started(&bare).custom_parameters.is_empty());
}

#[test]
fn only_the_sound_of_a_telephone_can_be_heard() {
    for (of_telephone, other) in [
        ("audio/x-mulaw", "audio/x-alaw"),
        (r#""sampleRate":8000"#, r#""sampleRate":16000"#),
        (r#""channels":1"#, r#""channels":2"#),
    ] {
        let format = started(&start().replace(of_telephone, other)).media_format;
        assert!(!format.is_telephone(), "{format}");
    }
}

#[test]
fn what_the_gym_says_and_presses_is_read() {
    let media = r#"{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"/wB/gA=="},"streamSid":"MZ1"}"#;
    let payload = vec![0xff, 0x00, 0x7f, 0x80];
    assert_eq!(parse(media), FromTwilio::Media { payload });
    let dtmf =
        r##"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}}"##;
    assert_eq!(parse(dtmf), FromTwilio::Dtmf);
    let mark = r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"my label"}}"#;
    assert_eq!(parse(mark), FromTwilio::Mark { name: "my label".to_owned() });
    let stop = format!(
        r#"{{"event":"stop","sequenceNumber":"5","stop":{{"accountSid":"AC0","callSid":"{CALL}"}},"streamSid":"MZ1"}}"#
    );
    assert_eq!(parse(&stop), FromTwilio::Stop);
}

#[test]
fn an_event_we_do_not_know_is_not_an_error_and_our_own_voice_is_not_the_gyms() {
    for text in [
        r#"{"event":"weather","media":"sunny"}"#,
        r#"{"event":"weather"}"#,
        r#"{"event":"media","media":{"track":"outbound","chunk":"1","timestamp":"5","payload":"/w=="}}"#,
    ] {
        assert_eq!(parse(text), FromTwilio::Unknown, "{text}");
    }
}

#[test]
fn what_is_not_as_documented_is_an_error() {
    let media = r#"{"event":"media","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"/w=="}}"#;
    assert!(FromTwilio::parse(media).is_ok());
    for text in [
        "",
        "{",
        "[]",
        r#"{"protocol":"Call"}"#,
        r#"{"event":"media"}"#,
        r#"{"event":"mark","mark":{}}"#,
        &media.replace(r#""/w==""#, r#""/w""#),
        &media.replace(r#""/w==""#, r#""not base 64""#),
        &start().replace(CALL, "CA1"),
        &start().replace("8000", r#""8000""#),
    ] {
        assert!(FromTwilio::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_we_send_has_exactly_the_documented_shape() {
    let sent = |message: ToTwilio<'_>| -> Value { serde_json::from_str(&message.to_text(&stream())).unwrap() };
    assert_eq!(
        sent(ToTwilio::Media { payload: &[0xff, 0x00, 0x7f, 0x80] }),
        json!({"event": "media", "streamSid": "MZ1", "media": {"payload": "/wB/gA=="}})
    );
    assert_eq!(
        sent(ToTwilio::Mark { name: "seg-7 \"<&>\"" }),
        json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": "seg-7 \"<&>\""}})
    );
    assert_eq!(sent(ToTwilio::Clear), json!({"event": "clear", "streamSid": "MZ1"}));
}

#[test]
fn a_frame_of_twenty_milliseconds_is_216_characters() {
    let text = ToTwilio::Media { payload: &[0xff; 160] }.to_text(&stream());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["media"]["payload"].as_str().unwrap().len(), 216);
}
