//! `<Gather>`: keys or words of the callee.

use std::time::Duration;

use super::element::Element;
use super::prompt::Prompt;
use super::reading::{Reading, is_key};
use super::{Link, Remark};
use crate::call::Method;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Nobody waits longer for one answer.
const LONGEST_S: u64 = 24 * 3600;
/// Phrases of a hint, and characters of a phrase, that Twilio takes.
const MOST_HINTS: usize = 500;
const LONGEST_HINT: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gather {
    pub(crate) keys: Option<Keys>,
    pub(crate) speech: Option<Speech>,
    /// Who is told of the input; the document's own URL if there is none.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// Silence after the prompts, and between two keys.
    pub(crate) timeout: Duration,
    /// The action is asked without input too.
    pub(crate) action_on_empty: bool,
    pub(crate) prompts: Vec<Prompt>,
}

/// Which keys are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The key that ends them.
    pub(crate) finish: Option<char>,
    /// So many end them too.
    pub(crate) most: Option<usize>,
}

/// How words are listened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speech {
    /// Silence that ends what is said.
    pub(crate) pause: Pause,
    pub(crate) language: String,
    pub(crate) hides_profanity: bool,
    /// Speech stops the prompts.
    pub(crate) barge_in: bool,
    pub(crate) partial_results: Option<Link>,
}

/// The silence that ends speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    Auto,
    Of(Duration),
}

pub(super) fn read(element: &Element, remarks: &mut Vec<Remark>) -> Gather {
    let mut reading = Reading::of(element, remarks);
    let (keys, speech) = reading.parsed("input", 13326, inputs).unwrap_or((true, false));
    let timeout = reading.seconds("timeout", 13313, 0..=LONGEST_S).unwrap_or(TIMEOUT);
    // Both are read whatever the input is: their mistakes are remarked on in any case.
    let read_keys = Keys {
        finish: match reading.parsed("finishOnKey", 13310, finish) {
            Some(finish) => finish,
            None => Some('#'),
        },
        most: reading.number("numDigits", 13314, 1..=1000).map(|most| most as usize),
    };
    let read_speech = speech_of(&mut reading, timeout);
    let gather = Gather {
        keys: keys.then_some(read_keys),
        speech: speech.then_some(read_speech),
        action: reading.text("action"),
        method: reading.method("method", 13312),
        timeout,
        action_on_empty: reading.flag("actionOnEmptyResult", 13338).unwrap_or(false),
        prompts: reading.inside(13320, Prompt::read),
    };
    reading.without_effect(&["enhanced", "debug"]);
    reading.done();
    gather
}

fn speech_of(reading: &mut Reading<'_>, timeout: Duration) -> Speech {
    let pause = reading.parsed("speechTimeout", 13327, |text| match text {
        "auto" => Some(Pause::Auto),
        number => number.parse().ok().filter(|&seconds| seconds > 0).map(|s| Pause::Of(Duration::from_secs(s))),
    });
    let model = reading.parsed("speechModel", 13334, model);
    if pause == Some(Pause::Auto) && model.as_deref() == Some("default") {
        reading.remark(13335, "speechTimeout auto does not go with the model default");
    }
    reading.parsed("hints", 13330, |text| {
        let mut phrases = text.split(',');
        let fits = phrases.clone().count() <= MOST_HINTS && phrases.all(|one| one.trim().len() <= LONGEST_HINT);
        fits.then_some(())
    });
    reading.parsed("maxSpeechTime", 13328, |text| text.parse::<u64>().ok());
    Speech {
        pause: pause.unwrap_or(Pause::Of(timeout)),
        language: reading.parsed("language", 13331, language).unwrap_or_else(|| "en-US".to_owned()),
        hides_profanity: reading.flag("profanityFilter", 13333).unwrap_or(true),
        barge_in: reading.flag("bargeIn", 13332).unwrap_or(true),
        partial_results: reading.link("partialResultCallback", "partialResultCallbackMethod", 13329),
    }
}

/// Whether keys and whether speech are waited for.
fn inputs(text: &str) -> Option<(bool, bool)> {
    let mut inputs = (false, false);
    for word in text.split_whitespace() {
        match word {
            "dtmf" => inputs.0 = true,
            "speech" => inputs.1 = true,
            _ => return None,
        }
    }
    (inputs.0 || inputs.1).then_some(inputs)
}

/// The key that ends the input; an empty text means that none does.
fn finish(text: &str) -> Option<Option<char>> {
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (None, _) => Some(None),
        (Some(key), None) if is_key(key) => Some(Some(key)),
        _ => None,
    }
}

fn model(text: &str) -> Option<String> {
    let known =
        ["default", "numbers_and_commands", "phone_call", "experimental_conversations", "experimental_utterances"];
    let of_a_provider = ["googlev2_", "deepgram_"].iter().any(|provider| text.starts_with(provider));
    (known.contains(&text) || of_a_provider).then(|| text.to_owned())
}

/// A BCP 47 tag by its looks.
fn language(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let first =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let fits = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (first && parts.all(fits)).then(|| text.to_owned())
}
