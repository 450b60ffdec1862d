//! `<Record>`: what the callee says, as a file.

use std::time::Duration;

use super::element::Element;
use super::reading::{Reading, is_key};
use super::recording::{News, news};
use super::{Link, Remark};
use crate::call::Method;
use crate::recording::Track;

const TIMEOUT: Duration = Duration::from_secs(5);
const LENGTH: Duration = Duration::from_secs(3600);
const LONGEST_S: u64 = 4 * 3600;
const KEYS: &str = "1234567890*#";
/// Longer recordings are not transcribed.
const LONGEST_TRANSCRIBED: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Who is told of the recording; the document's own URL if there is none.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// Silence that ends it.
    pub(crate) timeout: Duration,
    pub(crate) longest: Duration,
    /// Each of these keys ends it.
    pub(crate) finish: String,
    pub(crate) beeps: bool,
    pub(crate) track: Track,
    pub(crate) news: News,
    pub(crate) transcription: Option<Transcription>,
}

/// The words of a recording are wanted too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transcription {
    pub(crate) callback: Option<Link>,
}

pub(super) fn read(element: &Element, remarks: &mut Vec<Remark>) -> Record {
    let mut reading = Reading::of(element, remarks);
    let longest = reading.seconds("maxLength", 13612, 1..=LONGEST_S);
    let callback = reading.link("transcribeCallback", "transcribeCallbackMethod", 13610);
    let transcribes = reading.flag("transcribe", 13614).unwrap_or(callback.is_some());
    if transcribes && longest.is_some_and(|longest| longest > LONGEST_TRANSCRIBED) {
        reading.remark(13615, "a recording of more than 120 s is not transcribed");
    }
    let finish = |text: &str| text.chars().all(is_key).then(|| text.to_owned());
    let record = Record {
        action: reading.text("action"),
        method: reading.method("method", 13610),
        timeout: reading.seconds("timeout", 13611, 1..=LONGEST_S).unwrap_or(TIMEOUT),
        longest: longest.unwrap_or(LENGTH),
        finish: reading.parsed("finishOnKey", 13613, finish).unwrap_or_else(|| KEYS.to_owned()),
        beeps: reading.flag("playBeep", 13616).unwrap_or(true),
        track: reading.parsed("recordingTrack", 13622, Track::parse).unwrap_or(Track::Inbound),
        news: news(&mut reading, true),
        transcription: transcribes.then_some(Transcription { callback }),
    };
    reading.nothing_inside();
    reading.done();
    record
}
