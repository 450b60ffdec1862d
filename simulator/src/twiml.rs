//! TwiML: what the app wants done with an answered call.

mod dial;
mod element;
mod gather;
mod prompt;
mod reading;
mod record;
mod recording;
mod stream;

use element::Element;
use reading::{Inside, Reading, SCHEMA};

use crate::call::Method;

pub(crate) use dial::{Dial, Number};
pub(crate) use gather::{Gather, Pause, Speech};
pub(crate) use prompt::{Prompt, Say, Sound};
pub(crate) use record::{Record, Transcription};
pub(crate) use recording::Recorded;
pub(crate) use stream::{Connect, Stream};

/// One instruction that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Connect(Connect),
    Dial(Dial),
    Gather(Gather),
    Hangup,
    Prompt(Prompt),
    Record(Record),
    /// Carry on with another document.
    Redirect(Link),
    /// Only for incoming calls; it ends this one too.
    Reject,
    Start(Vec<Stream>),
    /// The streams of these names end.
    Stop(Vec<String>),
}

/// A URL in a document, and how it is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) method: Method,
}

/// Something in a document that Twilio warns of and passes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// A document that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TwimlError {
    #[error("not well-formed XML: {0}")]
    Xml(String),
    #[error("the root is <{0}>, not <Response>")]
    Root(String),
}

impl TwimlError {
    /// Twilio's code.
    pub(crate) fn code(&self) -> u32 {
        match self {
            TwimlError::Xml(_) => 12100,
            TwimlError::Root(_) => 12102,
        }
    }
}

/// The verbs of a document, top to bottom, without those that cannot be carried out.
pub(crate) fn parse(text: &str) -> Result<(Vec<Verb>, Vec<Remark>), TwimlError> {
    let root = element::parse(text).map_err(TwimlError::Xml)?;
    if root.name != "Response" {
        return Err(TwimlError::Root(root.name));
    }
    let mut remarks = Vec::new();
    let mut reading = Reading::of(&root, &mut remarks);
    reading.without_effect(&["version"]);
    let verbs = reading.inside(SCHEMA, verb);
    reading.done();
    Ok((verbs, remarks))
}

fn verb(element: &Element, remarks: &mut Vec<Remark>) -> Inside<Verb> {
    let taken = match element.name.as_str() {
        "Connect" => stream::connect(element, remarks).map(Verb::Connect),
        "Dial" => dial::read(element, remarks).map(Verb::Dial),
        "Gather" => Some(Verb::Gather(gather::read(element, remarks))),
        "Hangup" => {
            let mut reading = Reading::of(element, remarks);
            reading.nothing_inside();
            reading.done();
            Some(Verb::Hangup)
        }
        "Record" => Some(Verb::Record(record::read(element, remarks))),
        "Redirect" => redirect(element, remarks),
        "Reject" => {
            let mut reading = Reading::of(element, remarks);
            reading.parsed("reason", 13810, |text| matches!(text, "busy" | "rejected").then_some(()));
            reading.done();
            Some(Verb::Reject)
        }
        "Enqueue" | "Leave" | "Pay" | "Refer" | "Sms" => {
            Reading::of(element, remarks).not_simulated();
            None
        }
        "Start" => Some(Verb::Start(stream::start(element, remarks))),
        "Stop" => Some(Verb::Stop(stream::stop(element, remarks))),
        _ => {
            return match Prompt::read(element, remarks) {
                Inside::Taken(prompt) => Inside::Taken(Verb::Prompt(prompt)),
                Inside::Faulty => Inside::Faulty,
                Inside::Stranger => Inside::Stranger,
            };
        }
    };
    taken.map_or(Inside::Faulty, Inside::Taken)
}

fn redirect(element: &Element, remarks: &mut Vec<Remark>) -> Option<Verb> {
    let mut reading = Reading::of(element, remarks);
    let method = reading.method("method", 13710);
    let url = element.text.trim().to_owned();
    reading.nothing_inside();
    if url.is_empty() {
        reading.remark(11100, "there is no URL to go to");
    }
    reading.done();
    (!url.is_empty()).then_some(Verb::Redirect(Link { url, method }))
}

#[cfg(test)]
mod tests;
