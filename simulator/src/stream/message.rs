//! What an app may send on a stream. Twilio is strict: anything extra spoils a message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::Trouble;

/// A valid message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FromApp {
    Media(Vec<u8>),
    Mark(String),
    Clear,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", deny_unknown_fields)]
enum Wire {
    #[serde(rename_all = "camelCase")]
    Media { stream_sid: String, media: Media },
    #[serde(rename_all = "camelCase")]
    Mark { stream_sid: String, mark: Mark },
    #[serde(rename_all = "camelCase")]
    Clear { stream_sid: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Media {
    payload: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    name: String,
}

/// Reads one text message for the stream `stream_sid`.
pub(super) fn read(text: &str, stream_sid: &str) -> Result<FromApp, Trouble> {
    let invalid = |message: String| Trouble { code: 31951, message };
    let value: Value =
        serde_json::from_str(text).map_err(|error| Trouble { code: 31950, message: format!("not JSON: {error}") })?;
    let wire = Wire::deserialize(value).map_err(|error| invalid(error.to_string()))?;
    let (sid, message) = match wire {
        Wire::Media { stream_sid, media } => {
            let audio = STANDARD.decode(media.payload).map_err(|error| invalid(format!("payload: {error}")))?;
            (stream_sid, FromApp::Media(audio))
        }
        Wire::Mark { stream_sid, mark } => (stream_sid, FromApp::Mark(mark.name)),
        Wire::Clear { stream_sid } => (stream_sid, FromApp::Clear),
    };
    if sid != stream_sid {
        return Err(invalid(format!("streamSid {sid} is not this stream's")));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_messages() {
        for (text, message) in [
            (r#"{"event":"media","streamSid":"MZ1","media":{"payload":"//8="}}"#, FromApp::Media(vec![0xFF, 0xFF])),
            (r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"a b"}}"#, FromApp::Mark("a b".into())),
            (r#"{"event":"clear","streamSid":"MZ1"}"#, FromApp::Clear),
        ] {
            assert_eq!(read(text, "MZ1").unwrap(), message);
        }
    }

    #[test]
    fn anything_missing_extra_or_foreign_is_refused() {
        for (text, code) in [
            ("hello", 31950),
            (r#"{"event":"clear"}"#, 31951),
            (r#"{"event":"clear","streamSid":"MZ2"}"#, 31951),
            (r#"{"event":"clear","streamSid":"MZ1","x":1}"#, 31951),
            (r#"{"event":"say","streamSid":"MZ1"}"#, 31951),
            (r#"{"event":"media","streamSid":"MZ1","media":{"payload":"//8=","track":"outbound"}}"#, 31951),
            (r#"{"event":"media","streamSid":"MZ1","media":{"payload":"?"}}"#, 31951),
        ] {
            assert_eq!(read(text, "MZ1").unwrap_err().code, code, "{text}");
        }
    }
}
