//! A stored history: what was told to one job, and when.

use gymcall_jobs::event::Event;
use gymcall_jobs::rules::Rules;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredHistory {
    /// The seed of the simulation that told it.
    pub seed: u64,
    pub rules: StoredRules,
    /// The record before anything happened.
    pub start: Value,
    pub steps: Vec<StoredStep>,
    /// The record in the end.
    pub end: Value,
}

/// One event and what came of it: a change of the record, or why nothing came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredStep {
    pub at: Timestamp,
    pub event: Event,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// Rules, all times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredRules {
    max_attempts: u32,
    redial_after: i64,
    dial_deadline: i64,
    look_up_waits: Vec<i64>,
    ring_timeout: i64,
    time_limit: i64,
    queued_limit: i64,
}

impl From<&Rules> for StoredRules {
    fn from(rules: &Rules) -> Self {
        let ms = |wait: &SignedDuration| i64::try_from(wait.as_millis()).expect("some hours");
        Self {
            max_attempts: rules.max_attempts,
            redial_after: ms(&rules.redial_after),
            dial_deadline: ms(&rules.dial_deadline),
            look_up_waits: rules.look_up_waits.iter().map(ms).collect(),
            ring_timeout: ms(&rules.ring_timeout),
            time_limit: ms(&rules.time_limit),
            queued_limit: ms(&rules.queued_limit),
        }
    }
}

impl From<&StoredRules> for Rules {
    fn from(rules: &StoredRules) -> Self {
        let wait = |ms: &i64| SignedDuration::from_millis(*ms);
        Self {
            max_attempts: rules.max_attempts,
            redial_after: wait(&rules.redial_after),
            dial_deadline: wait(&rules.dial_deadline),
            look_up_waits: rules.look_up_waits.iter().map(wait).collect(),
            ring_timeout: wait(&rules.ring_timeout),
            time_limit: wait(&rules.time_limit),
            queued_limit: wait(&rules.queued_limit),
            hours: None,
            // Stored before there were messages for machines.
            message: None,
            ..Self::default()
        }
    }
}
