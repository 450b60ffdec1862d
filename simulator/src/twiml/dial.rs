//! `<Dial>`: another call, connected with this one.

use std::time::Duration;

use super::element::Element;
use super::reading::{Inside, Reading, SCHEMA};
use super::recording::{Recorded, recorded};
use super::{Link, Remark};
use crate::call::{DetectionMode, Method, SendDigits};
use crate::status::Subscription;

const RING: Duration = Duration::from_secs(30);
const TALK: Duration = Duration::from_secs(4 * 3600);
/// Numbers that are called at the same time at most.
const MOST_NUMBERS: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) numbers: Vec<Number>,
    /// Asked for a document at the end; without it the next verb follows.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// How long it rings at most.
    pub(crate) ring: Duration,
    /// How long the two talk at most.
    pub(crate) talk: Duration,
    /// Shown to the other side; this call's own number if there is none.
    pub(crate) caller_id: Option<String>,
    /// The star key of this call's callee ends the other call.
    pub(crate) hangup_on_star: bool,
    pub(crate) record: Option<Recorded>,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// As written.
    pub(crate) number: String,
    pub(crate) send_digits: Option<SendDigits>,
    /// A document for the other side alone, before the two are connected.
    pub(crate) whisper: Option<Link>,
    pub(crate) status_callback: Option<Link>,
    pub(crate) events: Vec<Subscription>,
    /// Who has picked up is to be found out, while the two talk.
    pub(crate) detection: Option<Detection>,
}

/// Answering machine detection of a number; times as in an order of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detection {
    pub(crate) mode: DetectionMode,
    pub(crate) timeout: Duration,
    pub(crate) speech_threshold: Duration,
    pub(crate) speech_end_threshold: Duration,
    pub(crate) silence_timeout: Duration,
    pub(crate) callback: Option<Link>,
}

impl Number {
    fn plain(number: String) -> Number {
        Number { number, send_digits: None, whisper: None, status_callback: None, events: Vec::new(), detection: None }
    }

    /// The number in E.164; one without a country is American.
    pub(crate) fn e164(&self) -> Option<String> {
        let kept: String =
            self.number.chars().filter(|character| !matches!(character, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = match kept.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None if kept.len() == 10 => format!("1{kept}"),
            None => kept,
        };
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        (fits && !digits.starts_with('0')).then(|| format!("+{digits}"))
    }
}

pub(super) fn read(element: &Element, remarks: &mut Vec<Remark>) -> Option<Dial> {
    let mut reading = Reading::of(element, remarks);
    reading.without_effect(&["sequential", "ringTone", "answerOnBridge", "referUrl", "referMethod"]);
    let mut numbers = reading.inside(13215, number);
    let text = element.text.trim();
    if numbers.is_empty() && element.children.is_empty() && !text.is_empty() {
        numbers.push(Number::plain(text.to_owned()));
    }
    if numbers.len() > MOST_NUMBERS {
        reading.remark(13250, "more than ten numbers: the others are not called");
        numbers.truncate(MOST_NUMBERS);
    }
    if numbers.is_empty() {
        reading.remark(13223, "there is nobody to call");
    }
    let dial = Dial {
        numbers,
        action: reading.text("action"),
        method: reading.method("method", 13210),
        ring: reading.seconds("timeout", 13212, 1..=600).unwrap_or(RING),
        talk: reading.seconds("timeLimit", 13216, 1..=24 * 3600).unwrap_or(TALK),
        caller_id: reading.parsed("callerId", 13214, |text| Number::plain(text.to_owned()).e164()),
        hangup_on_star: reading.flag("hangupOnStar", 13213).unwrap_or(false),
        record: recorded(&mut reading),
    };
    reading.done();
    (!dial.numbers.is_empty()).then_some(dial)
}

fn number(element: &Element, remarks: &mut Vec<Remark>) -> Inside<Number> {
    let mut reading = Reading::of(element, remarks);
    match element.name.as_str() {
        "Number" => {}
        "Application" | "Client" | "Conference" | "Queue" | "Sim" | "Sip" | "WhatsApp" => {
            reading.not_simulated();
            return Inside::Faulty;
        }
        _ => return Inside::Stranger,
    }
    reading.without_effect(&["byoc", "phoneNumberSid"]);
    let events = |text: &str| text.split_whitespace().map(Subscription::parse).collect::<Option<Vec<_>>>();
    let number = Number {
        number: element.text.trim().to_owned(),
        send_digits: reading.parsed("sendDigits", 13222, SendDigits::parse),
        whisper: reading.link("url", "method", 13221),
        status_callback: reading.link("statusCallback", "statusCallbackMethod", 13221),
        events: reading.parsed("statusCallbackEvent", 21626, events).unwrap_or(vec![Subscription::Completed]),
        detection: detection(&mut reading),
    };
    reading.done();
    Inside::Taken(number)
}

fn detection(reading: &mut Reading<'_>) -> Option<Detection> {
    let mode = reading.parsed("machineDetection", SCHEMA, DetectionMode::parse);
    let mut millis =
        |name, range, default| Duration::from_millis(reading.number(name, SCHEMA, range).unwrap_or(default));
    let speech_threshold = millis("machineDetectionSpeechThreshold", 1000..=6000, 2400);
    let speech_end_threshold = millis("machineDetectionSpeechEndThreshold", 500..=5000, 1200);
    let silence_timeout = millis("machineDetectionSilenceTimeout", 2000..=10_000, 5000);
    let timeout = reading.seconds("machineDetectionTimeout", SCHEMA, 3..=60);
    let callback = reading.link("amdStatusCallback", "amdStatusCallbackMethod", SCHEMA);
    Some(Detection {
        mode: mode?,
        timeout: timeout.unwrap_or(Duration::from_secs(30)),
        speech_threshold,
        speech_end_threshold,
        silence_timeout,
        callback,
    })
}
