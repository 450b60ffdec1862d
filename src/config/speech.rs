//! What speaks and listens in a call.

use super::error::{ConfigError, invalid};
use super::sources::Sources;
use crate::voice::language::{Language, Voice};

/// What speaks and listens in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech {
    /// Modem sounds over a media stream: for calls that never leave the machine.
    Tones,
    /// Twilio's own voice and speech recognition, turn by turn.
    Twilio(Voice),
}

impl Speech {
    /// Reads the settings. `local` says that the calls never leave the machine.
    pub(super) fn read(sources: &Sources, local: bool) -> Result<Self, ConfigError> {
        let default = if local { "tones" } else { "twilio" };
        match sources.get("GYMCALL_SPEECH").unwrap_or(default) {
            "tones" => Ok(Speech::Tones),
            "twilio" => Ok(Speech::Twilio(Voice::new(voice_name(sources)?, language(sources)?))),
            other => Err(invalid("GYMCALL_SPEECH", other, "must be twilio or tones")),
        }
    }
}

fn language(sources: &Sources) -> Result<Language, ConfigError> {
    sources.parse("GYMCALL_LANGUAGE", Language::default())
}

/// Twilio would refuse the document with a voice it does not know in the gym's ear. What cannot be a name is
/// refused here; whether it is one of Twilio's, only Twilio knows.
fn voice_name(sources: &Sources) -> Result<Option<String>, ConfigError> {
    let Some(name) = sources.get("GYMCALL_VOICE") else { return Ok(None) };
    if name.len() > 100 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':')) {
        return Err(invalid(
            "GYMCALL_VOICE",
            name,
            "must be one of Twilio's voices, such as alice or Polly.Joanna-Neural",
        ));
    }
    Ok(Some(name.to_owned()))
}
