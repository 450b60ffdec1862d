//! Answering machine detection, as a form orders it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::error::Refusal;
use super::super::form::Form;
use super::{Oddity, fetch, yes};
use crate::call::{Detection, DetectionMode, Telling};

pub(super) fn read(form: &Form, odd: &mut Vec<Oddity>) -> Result<Option<Detection>, Refusal> {
    let asynchronous = yes(form, "AsyncAmd")?;
    let callback = fetch(form, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod")?;
    let Some(word) = form.get("MachineDetection") else {
        if asynchronous || callback.is_some() {
            let message = "AsyncAmd without MachineDetection has no effect".to_owned();
            odd.push(Oddity { code: 21263, message });
        }
        return Ok(None);
    };
    let invalid = || Refusal::bad(21234, format!("MachineDetection must be Enable or DetectMessageEnd, not {word}"));
    let mode = DetectionMode::parse(word).ok_or_else(invalid)?;
    if asynchronous && callback.is_none() {
        let message = "AsyncAmd without AsyncAmdStatusCallback: nobody will learn the result".to_owned();
        odd.push(Oddity { code: 21262, message });
    }
    let telling = if asynchronous { Telling::Callback(callback) } else { Telling::InVoiceRequest };
    Ok(Some(Detection {
        mode,
        telling,
        timeout: Duration::from_secs(within(form, "MachineDetectionTimeout", 30, 3..=59)?),
        speech_threshold: millis(form, "MachineDetectionSpeechThreshold", 2400, 1000..=6000)?,
        speech_end_threshold: millis(form, "MachineDetectionSpeechEndThreshold", 1200, 500..=5000)?,
        silence_timeout: millis(form, "MachineDetectionSilenceTimeout", 5000, 2000..=10_000)?,
    }))
}

fn millis(form: &Form, name: &str, default: u64, range: RangeInclusive<u64>) -> Result<Duration, Refusal> {
    within(form, name, default, range).map(Duration::from_millis)
}

fn within(form: &Form, name: &str, default: u64, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    let Some(text) = form.get(name) else {
        return Ok(default);
    };
    text.parse().ok().filter(|value| range.contains(value)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        Refusal::bad(21234, format!("{name} must be between {least} and {most}, not {text}"))
    })
}
