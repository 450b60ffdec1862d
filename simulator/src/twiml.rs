//! TwiML: what the app wants done with an answered call.

mod element;

use std::time::Duration;

use element::Element;

use crate::call::Method;

/// One instruction. `Unknown` ones are passed over, as Twilio does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Connect {
        action: Option<String>,
        method: Method,
        stream: Stream,
    },
    Say {
        text: String,
        /// Times it is said; `None` is without end.
        repeat: Option<u32>,
    },
    Pause(Duration),
    Hangup,
    Unknown(String),
}

/// The noun of a bidirectional media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) url: String,
    pub(crate) name: Option<String>,
    pub(crate) track: Option<String>,
    pub(crate) status_callback: Option<String>,
    pub(crate) status_callback_method: Method,
    pub(crate) parameters: Vec<(String, String)>,
}

/// A document that cannot be carried out (12100).
#[derive(Debug, thiserror::Error)]
pub(crate) enum TwimlError {
    #[error("not well-formed XML: {0}")]
    Xml(String),
    #[error("the root is <{0}>, not <Response>")]
    Root(String),
}

/// The verbs of a document, top to bottom.
pub(crate) fn parse(text: &str) -> Result<Vec<Verb>, TwimlError> {
    let root = element::parse(text).map_err(TwimlError::Xml)?;
    if root.name != "Response" {
        return Err(TwimlError::Root(root.name));
    }
    Ok(root.children.iter().map(verb).collect())
}

fn verb(element: &Element) -> Verb {
    match element.name.as_str() {
        "Connect" => connect(element),
        "Say" => Verb::Say {
            text: element.text.trim().to_owned(),
            repeat: match element.attribute("loop").map(str::parse) {
                Some(Ok(0)) => None,
                Some(Ok(times)) => Some(times),
                _ => Some(1),
            },
        },
        "Pause" => {
            let seconds = element.attribute("length").and_then(|text| text.parse().ok());
            Verb::Pause(Duration::from_secs(seconds.unwrap_or(1)))
        }
        "Hangup" => Verb::Hangup,
        other => Verb::Unknown(other.to_owned()),
    }
}

fn connect(element: &Element) -> Verb {
    let stream = element.children.iter().find(|child| child.name == "Stream");
    let Some(stream) = stream else {
        let noun = element.children.first();
        let noun = noun.map_or("nothing", |child| child.name.as_str());
        return Verb::Unknown(format!("Connect><{noun}"));
    };
    let parameters = stream
        .children
        .iter()
        .filter(|child| child.name == "Parameter")
        .filter_map(|child| Some((child.attribute("name")?, child.attribute("value")?)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Verb::Connect {
        action: element.attribute("action").map(str::to_owned),
        method: method(element, "method"),
        stream: Stream {
            url: stream.attribute("url").unwrap_or_default().to_owned(),
            name: stream.attribute("name").map(str::to_owned),
            track: stream.attribute("track").map(str::to_owned),
            status_callback: stream.attribute("statusCallback").map(str::to_owned),
            status_callback_method: method(stream, "statusCallbackMethod"),
            parameters,
        },
    }
}

fn method(element: &Element, attribute: &str) -> Method {
    element.attribute(attribute).and_then(Method::parse).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_official_libraries_write() {
        let verbs = parse(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello &amp; &lt;welcome&gt;</Say><Connect action="/after"><Stream name="s1" statusCallback="https://agent.example.com/twilio/stream" track="inbound_track" url="wss://agent.example.com/media?a=1&amp;b=2"><Parameter name="job" value="4&quot;2" /></Stream></Connect><Hangup /></Response>"#,
        )
        .unwrap();
        assert_eq!(verbs[0], Verb::Say { text: "Hello & <welcome>".into(), repeat: Some(1) });
        let Verb::Connect { action, stream, .. } = &verbs[1] else {
            panic!("{verbs:?}");
        };
        assert_eq!(action.as_deref(), Some("/after"));
        assert_eq!(stream.url, "wss://agent.example.com/media?a=1&b=2");
        assert_eq!(stream.parameters, [("job".into(), "4\"2".into())]);
        assert_eq!(verbs[2], Verb::Hangup);
    }

    #[test]
    fn verbs_are_case_sensitive_and_unknown_ones_stay_in_place() {
        let verbs = parse("<Response><say>x</say><Pause length='3'/><Connect><Room/></Connect></Response>").unwrap();
        assert_eq!(
            verbs,
            [Verb::Unknown("say".into()), Verb::Pause(Duration::from_secs(3)), Verb::Unknown("Connect><Room".into()),]
        );
        assert!(parse("<Response/>").unwrap().is_empty());
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
            assert!(matches!(parse(text), Err(TwimlError::Xml(_))), "{text}");
        }
        assert!(matches!(parse("<html/>"), Err(TwimlError::Root(_))));
    }
}
