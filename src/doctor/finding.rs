//! What a check found.

use std::fmt::Display;

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// In a sentence.
    pub detail: String,
    /// How to mend it, in a sentence, where something is to be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// How good or bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Calls can be made, and something should be known first.
    Warning,
    /// Calls would fail.
    Failed,
}

impl Finding {
    pub(super) fn ok(check: &'static str, detail: impl Display) -> Self {
        Self { check, verdict: Verdict::Ok, detail: detail.to_string(), mend: None }
    }

    pub(super) fn warning(check: &'static str, detail: impl Display, mend: impl Display) -> Self {
        Self { check, verdict: Verdict::Warning, detail: detail.to_string(), mend: Some(mend.to_string()) }
    }

    /// A check that failed; also for whoever finds out before the checks begin.
    pub fn failed(check: &'static str, detail: impl Display, mend: impl Display) -> Self {
        Self { check, verdict: Verdict::Failed, detail: detail.to_string(), mend: Some(mend.to_string()) }
    }
}
