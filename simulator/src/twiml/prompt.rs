//! What the callee is to hear: `<Say>`, `<Play>`, `<Pause>`.

use std::time::Duration;

use super::Remark;
use super::element::Element;
use super::reading::{Inside, Reading, SCHEMA};

/// Twilio says no longer text than this.
const LONGEST_TEXT: usize = 4096;

/// A sound, or a silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prompt {
    Say(Say),
    Play { sound: Sound, times: Option<u32> },
    Pause(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Say {
    pub(crate) text: String,
    /// Times it is said; `None` is without end.
    pub(crate) times: Option<u32>,
}

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sound {
    /// A file, relative to the document.
    File(String),
    /// Keys as dual tones; `w` is a pause of 0.5 s, `W` of 1 s.
    Keys(String),
}

impl Prompt {
    pub(super) fn read(element: &Element, remarks: &mut Vec<Remark>) -> Inside<Prompt> {
        match element.name.as_str() {
            "Say" => say(Reading::of(element, remarks)),
            "Play" => play(Reading::of(element, remarks)),
            "Pause" => pause(Reading::of(element, remarks)),
            _ => Inside::Stranger,
        }
    }
}

fn say(mut reading: Reading<'_>) -> Inside<Prompt> {
    reading.without_effect(&["voice", "language"]);
    let times = reading.times(13510);
    let text = words(&reading.element.text);
    if text.is_empty() {
        reading.remark(13520, "there is nothing to say");
        return Inside::Faulty;
    }
    if text.chars().count() > LONGEST_TEXT {
        reading.remark(13521, "the text has more than 4096 characters");
        return Inside::Faulty;
    }
    reading.done();
    Inside::Taken(Prompt::Say(Say { text, times }))
}

fn play(mut reading: Reading<'_>) -> Inside<Prompt> {
    let times = reading.times(13410);
    let is_sent = |character: char| super::reading::is_key(character) || matches!(character, 'A'..='D' | 'w' | 'W');
    let read = |text: &str| text.chars().all(is_sent).then(|| text.to_owned());
    let keys = reading.parsed("digits", 13430, read);
    let url = reading.element.text.trim().to_owned();
    reading.nothing_inside();
    let sound = match keys {
        Some(keys) => Sound::Keys(keys),
        None if url.is_empty() => {
            reading.remark(SCHEMA, "neither a URL nor digits to play");
            return Inside::Faulty;
        }
        None => Sound::File(url),
    };
    reading.done();
    Inside::Taken(Prompt::Play { sound, times })
}

fn pause(mut reading: Reading<'_>) -> Inside<Prompt> {
    let length = reading.seconds("length", 13910, 0..=24 * 3600).unwrap_or(Duration::from_secs(1));
    reading.nothing_inside();
    reading.done();
    Inside::Taken(Prompt::Pause(length))
}

/// Line breaks and indents of a document are not spoken.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
