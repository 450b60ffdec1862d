//! What happened to a job, and what was said in its calls.

use gymcall_jobs::store::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Something that happened to a job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobEvent)]
pub(super) struct EventReply<'a> {
    /// Its number: larger is later, without promise of being gapless.
    number: u64,
    /// When.
    at: Timestamp,
    /// What: an event's name, `agent_said`, `gym_said`, …
    #[schema(example = "dial_begun")]
    event: &'a str,
    /// Its details: which, depends on the event.
    detail: &'a Value,
    /// Why it changed nothing; null if it did.
    ignored: Option<&'a str>,
}

impl<'a> EventReply<'a> {
    pub(super) fn of(Entry { number, entry }: &'a Entry) -> Self {
        let (detail, ignored) = (&entry.detail, entry.ignored.as_deref());
        Self { number: *number, at: entry.at, event: &entry.kind, detail, ignored }
    }
}

/// What one side said until it stopped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Turn)]
pub(super) struct TurnReply {
    /// Who spoke.
    who: Speaker,
    #[serde(flatten)]
    words: Words,
}

/// Who spoke.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    /// We.
    Agent,
    /// Whoever answered.
    Gym,
}

/// What was said, and when in the call.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct Words {
    /// The words.
    text: String,
    /// Where they begin, in ms from the start of the call's sound.
    from_ms: u64,
    /// Where they end.
    to_ms: u64,
    /// Whether something was said that could not be made out; the text is a hint at best.
    damaged: bool,
    /// Whether the agent was cut off here: the end of the text was not said.
    interrupted: bool,
}

impl TurnReply {
    /// The turn that an entry of the history tells; none if it tells something else.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let who = match entry.entry.kind.as_str() {
            "agent_said" => Speaker::Agent,
            "gym_said" => Speaker::Gym,
            _ => return None,
        };
        Some(Self { who, words: Words::deserialize(&entry.entry.detail).unwrap_or_default() })
    }
}
