//! `<Connect>`, `<Start>` and `<Stop>` with a `<Stream>`.

use super::Remark;
use super::element::Element;
use super::reading::{Inside, Reading, SCHEMA};
use crate::call::Method;

/// A parameter's name and value together are shorter than this.
const LONGEST_PARAMETER: usize = 500;

/// The noun of a media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) url: String,
    pub(crate) name: Option<String>,
    pub(crate) track: Option<String>,
    pub(crate) status_callback: Option<String>,
    pub(crate) status_callback_method: Method,
    pub(crate) parameters: Vec<(String, String)>,
}

/// A bidirectional stream: the document waits for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    /// Asked for a document at the end; without it the next verb follows.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    pub(crate) stream: Stream,
}

pub(super) fn connect(element: &Element, remarks: &mut Vec<Remark>) -> Option<Connect> {
    let mut reading = Reading::of(element, remarks);
    let (action, method) = (reading.text("action"), reading.method("method", SCHEMA));
    let streams = reading.inside(SCHEMA, streams);
    let stream = streams.into_iter().next();
    if stream.is_none() {
        reading.remark(SCHEMA, "there is nothing to connect to");
    }
    reading.done();
    Some(Connect { action, method, stream: stream? })
}

/// The streams to start, none if nothing can be started.
pub(super) fn start(element: &Element, remarks: &mut Vec<Remark>) -> Vec<Stream> {
    let mut reading = Reading::of(element, remarks);
    reading.without_effect(&["action", "method"]);
    let started = reading.inside(SCHEMA, streams);
    reading.done();
    started
}

/// The names of the streams to stop.
pub(super) fn stop(element: &Element, remarks: &mut Vec<Remark>) -> Vec<String> {
    let mut reading = Reading::of(element, remarks);
    let stopped = reading.inside(SCHEMA, |child, remarks| {
        if child.name != "Stream" {
            return Inside::Stranger;
        }
        let mut noun = Reading::of(child, remarks);
        match noun.text("name") {
            Some(name) => Inside::Taken(name),
            None => {
                noun.remark(SCHEMA, "a stream is stopped by its name");
                Inside::Faulty
            }
        }
    });
    reading.done();
    stopped
}

fn streams(element: &Element, remarks: &mut Vec<Remark>) -> Inside<Stream> {
    let mut reading = Reading::of(element, remarks);
    match element.name.as_str() {
        "Stream" => {}
        "AiSession" | "Conversation" | "ConversationRelay" | "Recording" | "Room" | "Siprec" | "Transcription"
        | "VirtualAgent" => {
            reading.not_simulated();
            return Inside::Faulty;
        }
        _ => return Inside::Stranger,
    }
    reading.without_effect(&["connectorName", "audioFormat", "sampleRate"]);
    let Some(url) = reading.text("url").filter(|url| !url.trim().is_empty()) else {
        reading.remark(SCHEMA, "url is required");
        return Inside::Faulty;
    };
    let stream = Stream {
        url,
        name: reading.text("name"),
        track: reading.text("track"),
        status_callback: reading.text("statusCallback"),
        status_callback_method: reading.method("statusCallbackMethod", SCHEMA),
        parameters: reading.inside(SCHEMA, parameter),
    };
    reading.done();
    Inside::Taken(stream)
}

fn parameter(element: &Element, remarks: &mut Vec<Remark>) -> Inside<(String, String)> {
    if element.name != "Parameter" {
        return Inside::Stranger;
    }
    let mut reading = Reading::of(element, remarks);
    let (Some(name), Some(value)) = (reading.text("name"), reading.text("value")) else {
        reading.remark(SCHEMA, "name and value are both required");
        return Inside::Faulty;
    };
    if name.chars().count() + value.chars().count() >= LONGEST_PARAMETER {
        reading.remark(SCHEMA, format!("{name}: name and value together must be shorter than 500 characters"));
        return Inside::Faulty;
    }
    reading.done();
    Inside::Taken((name, value))
}
