//! What we tell Twilio to do with a call, as TwiML.
//!
//! Written by an XML writer: the values hold the names of gyms, which come from whoever
//! wrote the list. Serve it as `text/xml`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
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
/// The characters that Twilio says in one `<Say>`.
const LINE_LIMIT: usize = 4_096;

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

/// How Twilio is to listen, and what it says before.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Where it tells what it heard, or that it heard nothing.
    pub action: &'a Url,
    /// What it says; speech cuts it off.
    pub line: Option<&'a str>,
    /// Twilio's name of a voice; none is its usual one.
    pub voice: Option<&'a str>,
    /// The BCP-47 tag of the language that it says it in; none is the voice's own.
    pub said_in: Option<&'a str>,
    /// The BCP-47 tag of the language that it listens for.
    pub language: &'a str,
    /// The pause that ends a turn, in seconds; `auto` would end it at the first pause, in the middle of a sentence.
    pub pause_s: u32,
    /// Phrases that are likely, with commas between.
    pub hints: &'a str,
}

/// How long nobody may say anything after our line, in seconds.
const NO_INPUT_S: &str = "5";

/// `<Gather input="speech">`: says a line, listens, and tells what it heard; if it heard nothing, that.
pub fn ask(ask: &Ask<'_>) -> Result<String, TwimlError> {
    document(|xml| {
        let mut gather = BytesStart::new("Gather");
        gather.push_attribute(("input", "speech"));
        gather.push_attribute(("action", ask.action.as_str()));
        gather.push_attribute(("method", "POST"));
        gather.push_attribute(("timeout", NO_INPUT_S));
        gather.push_attribute(("speechTimeout", ask.pause_s.to_string().as_str()));
        gather.push_attribute(("actionOnEmptyResult", "true"));
        gather.push_attribute(("bargeIn", "true"));
        gather.push_attribute(("language", ask.language));
        if !ask.hints.is_empty() {
            gather.push_attribute(("hints", printable(ask.hints).as_str()));
        }
        match ask.line {
            None => xml.write_event(Event::Empty(gather))?,
            Some(line) => {
                xml.write_event(Event::Start(gather))?;
                say(xml, line, ask.voice, ask.said_in)?;
                xml.write_event(Event::End(BytesEnd::new("Gather")))?;
            }
        }
        // Twilio asks the action in any case; but a call of which nobody knows any more must not stay open.
        xml.write_event(Event::Empty(BytesStart::new("Hangup")))?;
        Ok(())
    })
}

/// Waits for so many seconds, says a line, and ends the call.
pub fn say_and_hang_up(
    wait_s: u32,
    line: Option<&str>,
    voice: Option<&str>,
    language: Option<&str>,
) -> Result<String, TwimlError> {
    last_words(wait_s, line, 0, voice, language)
}

/// Waits for so many seconds, says a message for a machine, and ends the call a second later: what comes just before
/// the line goes dead is mostly cut off by the machine.
pub fn leave_message(
    wait_s: u32,
    message: &str,
    voice: Option<&str>,
    language: Option<&str>,
) -> Result<String, TwimlError> {
    last_words(wait_s, Some(message), 1, voice, language)
}

/// Waits, says a line, waits once more, and ends the call.
fn last_words(
    before_s: u32,
    line: Option<&str>,
    after_s: u32,
    voice: Option<&str>,
    language: Option<&str>,
) -> Result<String, TwimlError> {
    document(|xml| {
        pause(xml, before_s)?;
        if let Some(line) = line {
            say(xml, line, voice, language)?;
        }
        pause(xml, after_s)?;
        xml.write_event(Event::Empty(BytesStart::new("Hangup")))?;
        Ok(())
    })
}

fn pause(xml: &mut Writer<Vec<u8>>, seconds: u32) -> Result<(), TwimlError> {
    if seconds > 0 {
        let mut pause = BytesStart::new("Pause");
        pause.push_attribute(("length", seconds.to_string().as_str()));
        xml.write_event(Event::Empty(pause))?;
    }
    Ok(())
}

fn say(xml: &mut Writer<Vec<u8>>, line: &str, voice: Option<&str>, language: Option<&str>) -> Result<(), TwimlError> {
    let mut say = BytesStart::new("Say");
    if let Some(voice) = voice {
        say.push_attribute(("voice", voice));
    }
    if let Some(language) = language {
        say.push_attribute(("language", language));
    }
    xml.write_event(Event::Start(say))?;
    xml.write_event(Event::Text(BytesText::new(speakable(&printable(line)))))?;
    xml.write_event(Event::End(BytesEnd::new("Say")))?;
    Ok(())
}

/// As much of a line as Twilio says, which would end the call over a longer one. It is cut between words: a list's
/// columns may hold whole stories.
fn speakable(line: &str) -> &str {
    let Some((end, _)) = line.char_indices().nth(LINE_LIMIT) else { return line };
    let cut = &line[..end];
    if line[end..].starts_with(' ') { cut } else { cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole) }
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
