//! What we tell Twilio to do with a call, as TwiML.
//!
//! Written by an XML writer: the values hold the names of gyms, which come from whoever
//! wrote the list. Serve it as `text/xml`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};
use url::Url;

/// A document that Twilio would not take.
#[derive(Debug, thiserror::Error)]
pub enum TwimlError {
    /// Twilio wants name and value of a `<Parameter>` to be under 500 characters together.
    #[error("the stream parameter {name:?} is {length} characters long with its value; 499 may be")]
    ParameterTooLong {
        /// The parameter's name.
        name: String,
        /// Characters of name and value.
        length: usize,
    },
    /// Twilio takes documents of up to 64 kB.
    #[error("the TwiML is {0} bytes long; 65536 may be")]
    TooLong(usize),
    /// The writer failed; it writes into memory, so that is not expected.
    #[error("writing the TwiML: {0}")]
    Write(#[from] std::io::Error),
}

const PARAMETER_LIMIT: usize = 500;
const DOCUMENT_LIMIT: usize = 64 * 1024;

/// `<Connect><Stream>`: opens a socket to `stream_url` with these parameters, and hangs up
/// when it closes.
///
/// `<Connect>` blocks while the socket lives. The `<Hangup/>` behind it says outright what
/// Twilio does at the end of a list, so that closing the socket always ends the call.
pub fn connect_stream(stream_url: &Url, parameters: &[(&str, &str)]) -> Result<String, TwimlError> {
    document(|xml| {
        xml.write_event(Event::Start(BytesStart::new("Connect")))?;
        let mut stream = BytesStart::new("Stream");
        stream.push_attribute(("url", stream_url.as_str()));
        xml.write_event(Event::Start(stream))?;
        for (name, value) in parameters {
            let (name, value) = (printable(name), printable(value));
            let length = name.chars().count() + value.chars().count();
            if length >= PARAMETER_LIMIT {
                return Err(TwimlError::ParameterTooLong { name, length });
            }
            let mut parameter = BytesStart::new("Parameter");
            parameter.push_attribute(("name", name.as_str()));
            parameter.push_attribute(("value", value.as_str()));
            xml.write_event(Event::Empty(parameter))?;
        }
        xml.write_event(Event::End(BytesEnd::new("Stream")))?;
        xml.write_event(Event::End(BytesEnd::new("Connect")))?;
        xml.write_event(Event::Empty(BytesStart::new("Hangup")))?;
        Ok(())
    })
}

/// `<Hangup/>`: ends the call.
pub fn hang_up() -> &'static str {
    r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#
}

fn document(verbs: impl FnOnce(&mut Writer<Vec<u8>>) -> Result<(), TwimlError>) -> Result<String, TwimlError> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.write_event(Event::Start(BytesStart::new("Response")))?;
    verbs(&mut xml)?;
    xml.write_event(Event::End(BytesEnd::new("Response")))?;
    let bytes = xml.into_inner();
    if bytes.len() > DOCUMENT_LIMIT {
        return Err(TwimlError::TooLong(bytes.len()));
    }
    String::from_utf8(bytes).map_err(|error| std::io::Error::other(error).into())
}

/// Drops what XML cannot carry even escaped, which would fail the whole document with
/// error 12100 in the gym's ear. Line breaks and tabs become spaces, as an XML reader
/// would make of them in an attribute.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
        .filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
