use std::time::Duration;

use super::gather::Keys;
use super::*;

fn verbs(inside: &str) -> Vec<Verb> {
    parse(&format!("<Response>{inside}</Response>")).unwrap().0
}

fn codes(inside: &str) -> Vec<u32> {
    parse(&format!("<Response>{inside}</Response>")).unwrap().1.iter().map(|remark| remark.code).collect()
}

#[test]
fn reads_what_the_official_libraries_write() {
    let (verbs, remarks) = parse(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello &amp; &lt;welcome&gt;</Say><Connect action="/after"><Stream name="s1" statusCallback="https://agent.example.com/twilio/stream" track="inbound_track" url="wss://agent.example.com/media?a=1&amp;b=2"><Parameter name="job" value="4&quot;2" /></Stream></Connect><Hangup /></Response>"#,
    )
    .unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    let say = Say { text: "Hello & <welcome>".into(), times: Some(1) };
    assert_eq!(verbs[0], Verb::Prompt(Prompt::Say(say)));
    let Verb::Connect(Connect { action, stream, .. }) = &verbs[1] else {
        panic!("{verbs:?}");
    };
    assert_eq!(action.as_deref(), Some("/after"));
    assert_eq!(stream.url, "wss://agent.example.com/media?a=1&b=2");
    assert_eq!(stream.parameters, [("job".into(), "4\"2".into())]);
    assert_eq!(verbs[2], Verb::Hangup);
}

#[test]
fn what_is_unknown_is_remarked_on_and_passed_over() {
    let text = "<say>x</say><Pause length='3'/><Connect><Room/></Connect>";
    assert_eq!(verbs(text), [Verb::Prompt(Prompt::Pause(Duration::from_secs(3)))]);
    assert_eq!(codes(text), [12200, 0, 12200], "a room is Twilio's, but not simulated");
    assert_eq!(codes("<Enqueue>x</Enqueue><Dial><Sip>sip:a@b.c</Sip></Dial>"), [0, 0, 13223]);
    assert_eq!(codes("<Say colour='red'>x</Say>"), [12200]);
    assert_eq!(codes("<Hangup><Say>x</Say></Hangup>"), [12200]);
    assert!(verbs("").is_empty());
}

#[test]
fn what_is_not_a_document_is_refused() {
    for text in [
        "",
        "hello",
        "<Response><Say></Response>",
        "<Response>",
        "<Response/><Response/>",
        "<Response><Say>&nope;</Say></Response>",
    ] {
        assert_eq!(parse(text).unwrap_err().code(), 12100, "{text}");
    }
    assert_eq!(parse("<html/>").unwrap_err().code(), 12102);
}

#[test]
fn a_gather_has_its_documented_defaults() {
    let [Verb::Gather(gather)] = &verbs("<Gather/>")[..] else { panic!() };
    assert_eq!(gather.keys, Some(Keys { finish: Some('#'), most: None }));
    assert_eq!((&gather.speech, &gather.action), (&None, &None));
    assert_eq!((gather.timeout, gather.method), (Duration::from_secs(5), Method::Post));
    assert!(!gather.action_on_empty);
    let [Verb::Gather(gather)] = &verbs("<Gather input='speech' timeout='3'/>")[..] else { panic!() };
    let speech = gather.speech.as_ref().unwrap();
    assert_eq!(gather.keys, None);
    assert_eq!(speech.pause, Pause::Of(Duration::from_secs(3)));
    assert!(speech.barge_in && speech.hides_profanity);
    assert_eq!(speech.language, "en-US");
}

#[test]
fn a_wrong_value_has_its_code_and_the_default_holds() {
    for (attribute, code) in [
        ("input='taste'", 13326),
        ("timeout='soon'", 13313),
        ("timeout='-1'", 13313),
        ("finishOnKey='12'", 13310),
        ("finishOnKey='A'", 13310),
        ("numDigits='0'", 13314),
        ("method='PUT'", 13312),
        ("speechTimeout='0'", 13327),
        ("speechModel='guess'", 13334),
        ("language='english please'", 13331),
        ("bargeIn='maybe'", 13332),
        ("profanityFilter='1'", 13333),
        ("actionOnEmptyResult='yes'", 13338),
        ("speechModel='default' speechTimeout='auto'", 13335),
    ] {
        let text = format!("<Gather {attribute}/>");
        assert_eq!(codes(&text), [code], "{text}");
        let default = verbs("<Gather/>");
        assert_eq!(verbs(&text), default, "{text}");
    }
    assert_eq!(codes("<Gather><Hangup/></Gather>"), [13320]);
    assert_eq!(codes("<Pause length='long'/>"), [13910]);
    assert_eq!(codes("<Play digits='12x'/>"), [13430, 12200]);
    assert_eq!(codes("<Redirect method='PUT'>/x</Redirect>"), [13710]);
    assert_eq!(codes("<Reject reason='bored'/>"), [13810]);
    assert_eq!(codes("<Say loop='often'>x</Say>"), [13510]);
}

#[test]
fn an_empty_finish_key_means_none() {
    let [Verb::Gather(gather)] = &verbs("<Gather finishOnKey=''/>")[..] else { panic!() };
    assert_eq!(gather.keys, Some(Keys { finish: None, most: None }));
}

#[test]
fn speech_markup_is_read_away() {
    let text = "<Say voice='Polly.Joanna'>We open at <say-as interpret-as='cardinal'>6</say-as>,\n  \
                <sub alias='day pass'>DP</sub><break time='1s'/>15 dollars</Say>";
    let say = Say { text: "We open at 6, day pass 15 dollars".into(), times: Some(1) };
    assert_eq!(verbs(text), [Verb::Prompt(Prompt::Say(say))]);
    assert!(codes(text).is_empty());
    assert_eq!(codes("<Say> </Say>"), [13520]);
    assert_eq!(codes(&format!("<Say>{}</Say>", "a".repeat(4097))), [13521]);
}

#[test]
fn a_parameter_of_500_characters_is_left_out() {
    let parameter = |length: usize| {
        let value = "v".repeat(length - 4);
        format!("<Connect><Stream url='ws://h/x'><Parameter name='name' value='{value}'/></Stream></Connect>")
    };
    assert!(codes(&parameter(499)).is_empty());
    assert_eq!(codes(&parameter(500)), [12200]);
    let [Verb::Connect(connect)] = &verbs(&parameter(500))[..] else { panic!() };
    assert!(connect.stream.parameters.is_empty());
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let e164 = |number: &str| {
        let [Verb::Dial(dial)] = &verbs(&format!("<Dial>{number}</Dial>"))[..] else { panic!() };
        dial.numbers[0].e164()
    };
    for number in ["+14155550102", "(415) 555-0102", "415.555.0102", "14155550102"] {
        assert_eq!(e164(number).as_deref(), Some("+14155550102"), "{number}");
    }
    for number in ["somebody", "+0123456789", "12", "+1415555O102"] {
        assert_eq!(e164(number), None, "{number}");
    }
}

#[test]
fn a_dial_and_a_record_have_their_documented_defaults_and_codes() {
    let [Verb::Dial(dial)] = &verbs("<Dial>+14155550102</Dial>")[..] else { panic!() };
    assert_eq!((dial.ring, dial.talk), (Duration::from_secs(30), Duration::from_secs(4 * 3600)));
    assert!(!dial.hangup_on_star && dial.record.is_none() && dial.caller_id.is_none());
    let [Verb::Record(record)] = &verbs("<Record/>")[..] else { panic!() };
    assert_eq!((record.timeout, record.longest), (Duration::from_secs(5), Duration::from_secs(3600)));
    assert!(record.beeps && record.news.trims && record.transcription.is_none());
    assert_eq!(record.finish.len(), 12);
    for (text, code) in [
        ("<Dial timeout='0'>+14155550102</Dial>", 13212),
        ("<Dial hangupOnStar='x'>+14155550102</Dial>", 13213),
        ("<Dial callerId='me'>+14155550102</Dial>", 13214),
        ("<Dial timeLimit='x'>+14155550102</Dial>", 13216),
        ("<Dial record='loudly'>+14155550102</Dial>", 13217),
        ("<Dial><Number sendDigits='x'>+14155550102</Number></Dial>", 13222),
        ("<Dial><Say>x</Say><Number>+14155550102</Number></Dial>", 13215),
        ("<Dial/>", 13223),
        ("<Record method='x'/>", 13610),
        ("<Record timeout='0'/>", 13611),
        ("<Record maxLength='x'/>", 13612),
        ("<Record finishOnKey='x'/>", 13613),
        ("<Record transcribe='x'/>", 13614),
        ("<Record transcribe='true' maxLength='121'/>", 13615),
        ("<Record playBeep='x'/>", 13616),
        ("<Record trim='x'/>", 13699),
        ("<Record recordingStatusCallbackEvent='x'/>", 13621),
        ("<Record recordingTrack='x'/>", 13622),
    ] {
        assert_eq!(codes(text), [code], "{text}");
    }
}
