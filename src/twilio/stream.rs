//! Media Streams: the JSON texts on the socket that carries a call's sound.
//!
//! Sound is 8 kHz mu-law in base 64, 160 bytes for each 20 ms. Twilio also counts and times
//! its messages; the socket keeps their order, and a conversation counts its own time.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gymcall_jobs::id::CallSid;
use serde::Deserialize;
use serde_json::json;

/// A message that is not as documented, of an event that we know.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It is not JSON, or a field is missing or of another kind.
    #[error("not a Media Streams message: {0}")]
    Message(#[from] serde_json::Error),
    /// The sound is not base 64.
    #[error("the payload is not base 64: {0}")]
    Payload(#[from] base64::DecodeError),
}

/// Twilio's name of a stream, `MZ…`. Only a [`Start`] brings one, so nothing can be sent
/// before: Twilio ignores a message with another name and reports it as 31951.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct StreamSid(String);

impl StreamSid {
    /// The name as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the sound is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFormat {
    /// `audio/x-mulaw`.
    pub encoding: String,
    /// Samples a second: 8000.
    pub sample_rate: u32,
    /// 1.
    pub channels: u8,
}

impl MediaFormat {
    /// Whether it is the telephone's own, 8 kHz mu-law on one channel: nothing here hears another.
    pub fn is_telephone(&self) -> bool {
        self.encoding == "audio/x-mulaw" && self.sample_rate == 8000 && self.channels == 1
    }
}

impl fmt::Display for MediaFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} Hz on {} channel(s)", self.encoding, self.sample_rate, self.channels)
    }
}

/// The stream begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The stream, for everything we send.
    pub stream_sid: StreamSid,
    /// The call it belongs to.
    pub call_sid: CallSid,
    /// The `<Parameter>`s of our TwiML.
    #[serde(default)]
    pub custom_parameters: BTreeMap<String, String>,
    /// How the sound is encoded.
    pub media_format: MediaFormat,
}

/// What Twilio says on the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromTwilio {
    /// The socket speaks this protocol; always first.
    Connected,
    /// The stream begins; always second.
    Start(Start),
    /// What the gym says.
    Media {
        /// Raw mu-law bytes.
        payload: Vec<u8>,
    },
    /// All that we sent before this mark was played, or was cleared.
    Mark {
        /// The name we gave it.
        name: String,
    },
    /// The gym pressed a key.
    Dtmf,
    /// The stream is over; Twilio closes the socket.
    Stop,
    /// An event that we do not know, or sound of a track that we did not ask for.
    Unknown,
}

impl FromTwilio {
    /// Reads one text message. Unknown fields and events are no errors: Twilio adds some.
    pub fn parse(text: &str) -> Result<Self, StreamError> {
        Ok(match serde_json::from_str(text)? {
            Wire::Connected {} => Self::Connected,
            Wire::Start { start } => Self::Start(start),
            // The other track would be our own voice, and we would answer ourselves.
            Wire::Media { media } if media.track != "inbound" => Self::Unknown,
            Wire::Media { media } => Self::Media { payload: STANDARD.decode(media.payload.as_bytes())? },
            Wire::Mark { mark } => Self::Mark { name: mark.name },
            Wire::Dtmf {} => Self::Dtmf,
            Wire::Stop {} => Self::Stop,
            Wire::Unknown => Self::Unknown,
        })
    }
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Wire {
    Connected {},
    Start {
        start: Start,
    },
    Media {
        media: WireMedia,
    },
    Mark {
        mark: WireMark,
    },
    Dtmf {},
    Stop {},
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct WireMedia {
    track: String,
    payload: String,
}

#[derive(Deserialize)]
struct WireMark {
    name: String,
}

/// What we say on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToTwilio<'a> {
    /// Sound to play after what is waiting. Twilio plays at its own pace and holds up to
    /// ten minutes.
    Media {
        /// Raw mu-law bytes, with no header, of any length.
        payload: &'a [u8],
    },
    /// Tell us when all that was sent before has been played.
    Mark {
        /// A name to know it by.
        name: &'a str,
    },
    /// Forget what waits to be played. Twilio then sends back every waiting mark at once,
    /// so such a mark does not show that the sound was heard.
    Clear,
}

impl ToTwilio<'_> {
    /// The text message, in exactly the documented shape: Twilio ignores a message with a
    /// field too many, and says so once a stream (31951).
    pub fn to_text(&self, stream: &StreamSid) -> String {
        let stream = stream.as_str();
        match self {
            Self::Media { payload } => json!({
                "event": "media", "streamSid": stream, "media": {"payload": STANDARD.encode(payload)},
            }),
            Self::Mark { name } => {
                json!({"event": "mark", "streamSid": stream, "mark": {"name": name}})
            }
            Self::Clear => json!({"event": "clear", "streamSid": stream}),
        }
        .to_string()
    }
}
