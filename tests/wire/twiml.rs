//! What Twilio reads when it asks what to do, whatever a gym is called.
use gymcall::twilio::twiml::{self, Ask, TwimlError};
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use url::Url;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

fn stream_url() -> Url {
    "wss://gym.example/v1/twilio/stream".parse().unwrap()
}

/// Parses the document back: its elements in order, and the `<Parameter>`s in it.
fn read(document: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut elements, mut parameters) = (Vec::new(), Vec::new());
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return (elements, parameters),
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                let values: Vec<_> = element
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned()
                    })
                    .collect();
                if name == "Parameter" {
                    parameters.push((values[0].clone(), values[1].clone()));
                }
                elements.push(name);
            }
            _ => {}
        }
    }
}

#[test]
fn the_stream_is_connected_with_its_parameters_and_then_hung_up() {
    let document = twiml::connect_stream(&stream_url(), &[("tag", "0a"), ("job", "job_1")]).unwrap();
    assert_eq!(
        document,
        format!(
            "{HEAD}<Response><Connect><Stream url=\"wss://gym.example/v1/twilio/stream\">\
             <Parameter name=\"tag\" value=\"0a\"/><Parameter name=\"job\" value=\"job_1\"/>\
             </Stream></Connect><Hangup/></Response>"
        )
    );
}

#[test]
fn hanging_up_is_a_document_too() {
    assert_eq!(twiml::hang_up(), format!("{HEAD}<Response><Hangup/></Response>"));
}

#[test]
fn a_turn_is_asked_for_in_the_documented_form() {
    let action: Url = "https://gym.example/v1/twilio/gather?job=1&tag=2&turn=3#rc=5&rp=5xx,ct,rt".parse().unwrap();
    let ask = Ask {
        action: &action,
        line: Some("R & B?"),
        voice: None,
        said_in: Some("en-US"),
        language: "en-US",
        pause_s: 1,
        hints: "yes,no",
    };
    let gather = "<Gather input=\"speech\" action=\"https://gym.example/v1/twilio/gather?job=1&amp;tag=2&amp;turn=3\
                  #rc=5&amp;rp=5xx,ct,rt\" method=\"POST\" timeout=\"5\" speechTimeout=\"1\" actionOnEmptyResult=\"true\" \
                  bargeIn=\"true\" language=\"en-US\" hints=\"yes,no\"";
    assert_eq!(
        twiml::ask(&ask).unwrap(),
        format!("{HEAD}<Response>{gather}><Say language=\"en-US\">R &amp; B?</Say></Gather><Hangup/></Response>")
    );
    let silent = Ask { line: None, ..ask };
    assert_eq!(twiml::ask(&silent).unwrap(), format!("{HEAD}<Response>{gather}/><Hangup/></Response>"));
    let british = Ask { voice: Some("Polly.Amy"), said_in: None, language: "en-GB", pause_s: 2, hints: "", ..ask };
    let document = twiml::ask(&british).unwrap();
    assert!(document.contains("<Say voice=\"Polly.Amy\">"), "{document}");
    assert!(document.contains("speechTimeout=\"2\"") && document.contains("language=\"en-GB\""), "{document}");
    assert!(!document.contains("hints"), "{document}");
}

#[test]
fn a_line_is_cut_between_words_where_twilio_would_say_no_more() {
    let said = |line: &str| {
        let document = twiml::say_and_hang_up(0, Some(line), None, None).unwrap();
        document.split_once("<Say>").unwrap().1.split_once("</Say>").unwrap().0.to_owned()
    };
    let words = "é1234567 ".repeat(455);
    let whole = format!("{words}x");
    assert_eq!(whole.chars().count(), 4_096);
    assert_eq!(said(&whole), whole);
    assert_eq!(said(&format!("{whole} and more")), whole);
    assert_eq!(said(&format!("{whole}y")), words.trim_end());
    // One word that long is no word.
    assert_eq!(said(&"é".repeat(5_000)).chars().count(), 4_096);
}

#[test]
fn a_last_line_is_said_and_the_call_ended() {
    let say = "<Say language=\"en-US\">Goodbye.</Say>";
    let document = |wait_s, line| twiml::say_and_hang_up(wait_s, line, None, Some("en-US")).unwrap();
    assert_eq!(document(0, Some("Goodbye.")), format!("{HEAD}<Response>{say}<Hangup/></Response>"));
    assert_eq!(
        document(2, Some("Goodbye.")),
        format!("{HEAD}<Response><Pause length=\"2\"/>{say}<Hangup/></Response>")
    );
    assert_eq!(document(0, None), twiml::hang_up());
    // A machine cuts off what comes just before the line is dead.
    assert_eq!(
        twiml::leave_message(2, "Goodbye.", None, Some("en-US")).unwrap(),
        format!("{HEAD}<Response><Pause length=\"2\"/>{say}<Pause length=\"1\"/><Hangup/></Response>")
    );
    let hostile = "</Say><Dial>+19005550100</Dial>\u{0}";
    let (elements, _) = read(&document(0, Some(hostile)));
    assert_eq!(elements, ["Response", "Say", "Hangup"]);
}

#[test]
fn a_hostile_name_stays_a_name() {
    let hostile = "<&\"'>\"/></Stream><Say>pay us</Say>]]>&amp;\u{0}\u{8}\u{1b}[2J\u{7f}\u{85}\u{ffff}\nend";
    let document = twiml::connect_stream(&stream_url(), &[("gym", hostile), (hostile, "x")]).unwrap();
    let (elements, parameters) = read(&document);
    assert_eq!(elements, ["Response", "Connect", "Stream", "Parameter", "Parameter", "Hangup"]);
    let clean = "<&\"'>\"/></Stream><Say>pay us</Say>]]>&amp;[2J end".to_owned();
    assert_eq!(parameters, [("gym".to_owned(), clean.clone()), (clean, "x".to_owned())]);
}

#[test]
fn a_parameter_keeps_under_500_characters() {
    let fits = "é".repeat(496);
    assert!(twiml::connect_stream(&stream_url(), &[("gym", &fits)]).is_ok());
    let too_long = "é".repeat(497);
    let error = twiml::connect_stream(&stream_url(), &[("gym", &too_long)]).unwrap_err();
    assert!(matches!(error, TwimlError::ParameterTooLong { length: 500, .. }), "{error}");
}

#[test]
fn a_document_that_twilio_would_not_take_is_an_error() {
    let many = |value: &str| twiml::connect_stream(&stream_url(), &vec![("gym", value); 120]);
    assert!(many(&"a".repeat(490)).is_ok());
    assert!(matches!(many(&"<".repeat(490)), Err(TwimlError::TooLong(_))));
}

proptest! {
    #[test]
    fn any_value_comes_back_without_what_xml_cannot_carry(value in "\\PC{0,80}|[\\x00-\\x7f]{0,80}") {
        let document = twiml::connect_stream(&stream_url(), &[("gym", &value)]).unwrap();
        let (elements, parameters) = read(&document);
        prop_assert_eq!(elements.len(), 5);
        let expected: String = value
            .replace(['\n', '\r', '\t'], " ")
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
            .collect();
        prop_assert_eq!(&parameters[0].1, &expected);
    }
}
