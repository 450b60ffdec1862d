//! Tables and colours for people. Colours vanish by themselves where there is no terminal.

use anstyle::{AnsiColor, Reset, Style};
use comfy_table::{Table, presets};
use serde_json::Value;

/// Something went wrong.
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
/// Something went well.
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
/// Something may need a look.
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Plain again.
pub(super) const RESET: Reset = Reset;

/// A table with these headings.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(headings.iter().copied());
    table
}

/// A field of a reply as text: nothing for null.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields.values().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The job table that `demo` and `status` end with.
pub(super) fn jobs(items: &[Value]) -> Table {
    let mut table = table(&["gym", "phone", "status", "disposition", "ended reason", "tries", "answers"]);
    for job in items {
        let answers = job["answers"].as_array().map(|answers| {
            let told =
                answers.iter().filter(|answer| !matches!(answer["value"].as_str(), Some("not_asked" | "not_known")));
            format!("{} of {}", told.count(), answers.len())
        });
        table.add_row([
            text(&job["gym_name"]),
            text(&job["phone_number"]),
            text(&job["status"]),
            text(&job["disposition"]),
            text(if job["skip_reason"].is_null() { &job["ended_reason"] } else { &job["skip_reason"] }),
            text(&job["tries"]),
            answers.unwrap_or_default(),
        ]);
    }
    table
}
