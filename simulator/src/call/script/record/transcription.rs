//! The words of a recording.

use std::time::Duration;

use crate::call::script::recognition::{self, Breath};
use crate::call::script::{Stage, pairs};
use crate::callback;
use crate::recording::Recording;
use crate::sid;
use crate::status::Status;
use crate::twiml::Transcription;

/// Twilio transcribes what is longer than the one and shorter than the other.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(120);

impl Stage<'_> {
    pub(super) fn transcribe(
        &self,
        wanted: &Transcription,
        recording: &Recording,
        words: &[Breath],
        base: Option<&str>,
    ) {
        let length = recording.duration();
        if length < SHORTEST || length > LONGEST {
            self.warn(13617, format!("{:.1} s is no length that is transcribed", length.as_secs_f64()));
            return;
        }
        let Some(fetch) = self.hook(wanted.callback.as_ref(), base) else { return };
        let text = recognition::of(words, false).text;
        let status = if text.is_empty() { "failed" } else { "completed" };
        let sid = sid::transcription();
        let exchange = self.exchange;
        let mut params = callback::identity(exchange, self.call, Status::InProgress);
        params.extend(pairs([
            ("TranscriptionUrl", format!("{}{}/Transcriptions/{sid}", exchange.base_url, exchange.account_path())),
            ("TranscriptionSid", sid),
            ("TranscriptionText", text),
            ("TranscriptionType", "fast".to_owned()),
            ("TranscriptionStatus", status.to_owned()),
            ("RecordingSid", recording.sid.clone()),
            ("RecordingUrl", recording.url(exchange)),
        ]));
        self.post("the transcribeCallback", fetch, params);
    }
}
