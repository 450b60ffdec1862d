//! A log in a normal form: what two runs of one seed have in common.
//!
//! Calls go on side by side, and inside one call its callbacks travel on their own; so the history has
//! the calls in the order of their creation, and in each call one kind of thing after the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Entry, Event};

/// What holds a time, or counts one: it differs from run to run.
const TIMES: [&str; 7] = [
    "Timestamp",
    "CallDuration",
    "Duration",
    "RecordingDuration",
    "RecordingStartTime",
    "MachineDetectionDuration",
    "DialCallDuration",
];

/// The lines of one call, or of what belongs to none.
#[derive(Default)]
struct Chapter {
    create: Vec<String>,
    statuses: Vec<String>,
    webhooks: Vec<(String, String)>,
    sound: Vec<String>,
    streams: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn of(entries: &[Entry]) -> String {
    let names = names(entries);
    let mut chapters: BTreeMap<u64, Chapter> = BTreeMap::new();
    let mut chapter_of: BTreeMap<&str, u64> = BTreeMap::new();
    // What belongs to no call that was ordered comes last; a dialled leg belongs there too.
    let last = u64::MAX;
    for entry in entries {
        if let Event::Create { ordinal, sid, .. } = &entry.what {
            chapter_of.extend(sid.as_deref().map(|sid| (sid, *ordinal)));
        }
        let of_call = match &entry.what {
            Event::Create { ordinal, .. } => Some(*ordinal),
            what => what.sid().and_then(|sid| chapter_of.get(sid).copied()),
        };
        chapters.entry(of_call.unwrap_or(last)).or_default().add(&entry.what);
    }
    let mut text = String::new();
    for (ordinal, chapter) in chapters {
        match ordinal {
            u64::MAX => text.push_str("beside the calls\n"),
            ordinal => drop(writeln!(text, "request {}", ordinal + 1)),
        }
        for line in chapter.lines() {
            let _ = writeln!(text, "  {}", renamed(&line, &names));
        }
    }
    text
}

impl Chapter {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Create { params, http_status, code, fate, .. } => {
                let fate = serde_json::to_string(fate).unwrap_or_default();
                self.create.push(format!("create {} -> {http_status:?} {code:?} fate {fate}", pairs(params)));
            }
            Event::Status { status, .. } => self.statuses.push(format!("status {}", status.as_str())),
            Event::Webhook { method, url, params, attempt, response, error, .. } => {
                let number = |name: &str| params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
                let path = url.split('?').next().unwrap_or_default();
                let key = format!("{path} {:>4} {attempt}", number("SequenceNumber").unwrap_or_default());
                let came = response.map_or_else(|| error.clone().unwrap_or_default(), |status| status.to_string());
                self.webhooks.push((key, format!("webhook {method} {url} {} try {attempt} -> {came}", pairs(params))));
            }
            Event::StreamOpened { url, .. } => self.streams.push(format!("stream opened {url}")),
            Event::StreamClosed { why, .. } => self.streams.push(format!("stream closed: {why}")),
            Event::Warning { code, message, .. } => self.warnings.push(format!("warning {code} {message}")),
            other => self.sound.push(json_without_sid(other)),
        }
    }

    fn lines(mut self) -> Vec<String> {
        self.webhooks.sort();
        self.warnings.sort();
        let webhooks = self.webhooks.into_iter().map(|(_, line)| line);
        let mut lines = self.create;
        lines.extend(self.statuses);
        lines.extend(webhooks);
        lines.extend(self.streams);
        lines.extend(self.sound);
        lines.extend(self.warnings);
        lines
    }
}

fn pairs(params: &[(String, String)]) -> String {
    let shown = |(name, value): &(String, String)| {
        let value = if TIMES.contains(&name.as_str()) { "*" } else { value };
        format!("{name}={value:?}")
    };
    params.iter().filter(|(_, value)| !value.is_empty()).map(shown).collect::<Vec<_>>().join(" ")
}

fn json_without_sid(event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| key != "sid" && !key.ends_with("_ms"));
    }
    value.to_string()
}

/// Every SID, with the name it has in the history: its kind, and its number among those of its kind in
/// the order of their calls.
fn names(entries: &[Entry]) -> Vec<(String, String)> {
    let mut calls: Vec<(u64, &str)> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            Event::Create { ordinal, sid: Some(sid), .. } => Some((*ordinal, sid.as_str())),
            _ => None,
        })
        .collect();
    calls.sort_unstable();
    calls.iter().map(|(ordinal, sid)| ((*sid).to_owned(), format!("CA#{}", ordinal + 1))).collect()
}

/// `line` with the SIDs of calls named, and all other SIDs but the account's reduced to their kind.
fn renamed(line: &str, names: &[(String, String)]) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let Some(sid) = rest.get(..SID_LENGTH).filter(|piece| is_sid(piece)) else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        match names.iter().find(|(of, _)| of == sid) {
            Some((_, name)) => text.push_str(name),
            None if sid.starts_with("AC") => text.push_str(sid),
            None => {
                text.push_str(&sid[..2]);
                text.push('#');
            }
        }
        rest = &rest[SID_LENGTH..];
    }
    text
}

const SID_LENGTH: usize = 34;

fn is_sid(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2..].iter().all(u8::is_ascii_hexdigit)
}
