//! What a call is about, and how long its silences may be.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::gym::column_name;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::question::Question;
use std::collections::BTreeMap;

/// What the agent has to know before it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The gym, as it is spoken of.
    pub gym_name: String,
    /// Who wants to know.
    pub on_behalf_of: String,
    /// What is said after who calls, before anything is asked; `{{column}}`s are not filled in yet.
    pub greeting: Option<String>,
    /// What is asked, in this order.
    pub questions: Vec<Question>,
    /// The columns of the gym's row, for `{{column}}`.
    pub variables: BTreeMap<String, String>,
    /// Whether the call is recorded.
    pub recorded: bool,
}

impl Brief {
    /// What a job's call is about. A single call belongs to no campaign.
    pub fn of(job: &CallJob, campaign: Option<&Campaign>) -> Self {
        let gym = job.gym();
        let known = ["phone_number", "city", "state", "country", "timezone", "preferred_language", "external_id"];
        let known = known.into_iter().filter_map(|name| Some((name.to_owned(), gym.variable(name)?.to_owned())));
        Self {
            gym_name: gym.name.clone(),
            on_behalf_of: campaign
                .map_or_else(|| "a gymcall user".to_owned(), |campaign| campaign.on_behalf_of.clone()),
            greeting: campaign.and_then(|campaign| campaign.greeting.clone()),
            questions: match job.scripted_by() {
                None => Question::defaults(),
                Some(_) => campaign.map(|campaign| campaign.questions.clone()).unwrap_or_default(),
            },
            variables: known.chain(gym.variables.clone()).collect(),
            recorded: job.attempts().last().is_some_and(|attempt| attempt.recorded),
        }
    }

    /// A text with its `{{column}}`s filled in. A column that is not there leaves nothing behind.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, (name, after))) =
            rest.split_once("{{").and_then(|(before, tail)| Some((before, tail.split_once("}}")?)))
        {
            filled.push_str(before);
            filled.push_str(self.column(name.trim()));
            rest = after;
        }
        filled.push_str(rest);
        filled.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn column(&self, name: &str) -> &str {
        let name = column_name(name);
        match self.variables.get(&name) {
            Some(value) => value,
            None if matches!(name.as_str(), "gym_name" | "name" | "gym") => &self.gym_name,
            None => "",
        }
    }
}

/// How long things may take, in ms of audio heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The call; then the agent says goodbye.
    pub max_duration_ms: u64,
    /// Silence after the agent has spoken; then it asks again, and after as long again it says goodbye.
    pub inactivity_ms: u64,
    /// The wait for the end of the goodbye, counted from when it should have been played.
    pub goodbye_wait_ms: u64,
    /// The wait for a greeting before the agent speaks. Who picks up and hears nothing for two seconds hangs up.
    pub greeting_wait_ms: u64,
    /// The longest greeting of a person; who talks on is a machine.
    pub greeting_max_ms: u64,
    /// The silence that ends a turn.
    pub turn_end_ms: u64,
    /// Frames (20 ms) of speech that cut the agent off.
    pub barge_in_frames: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_duration_ms: 300_000,
            inactivity_ms: 5_000,
            goodbye_wait_ms: 5_000,
            greeting_wait_ms: 1_000,
            greeting_max_ms: 7_000,
            turn_end_ms: 600,
            barge_in_frames: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_in() {
        let brief = Brief {
            gym_name: "Iron Temple".into(),
            on_behalf_of: "us".into(),
            greeting: None,
            questions: Vec::new(),
            variables: [("city".to_owned(), "Austin".to_owned())].into(),
            recorded: false,
        };
        let filled = brief.fill("Is {{gym_name}} in {{ city }}, {{state}} or {{not closed");
        assert_eq!(filled, "Is Iron Temple in Austin, or {{not closed");
    }
}
