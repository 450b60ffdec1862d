//! What a campaign asks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One question of a campaign. It is asked in its own turn, and its answer is kept under `key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The name of the answer: a column of the results. Lower-case letters, digits and `_`.
    pub key: String,
    /// What the agent says. `{{column}}` stands for that column of the gym's row.
    pub ask: String,
    /// What kind of answer is expected.
    #[serde(rename = "type", default)]
    pub kind: AnswerType,
    /// For [`AnswerType::Choice`]: the answers to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// What kind of answer a question expects; decides how the words are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerType {
    /// Any words.
    #[default]
    Text,
    /// A number.
    Number,
    /// An amount of money.
    Money,
    /// Yes or no.
    Boolean,
    /// One of the question's `choices`.
    Choice,
    /// Several things.
    List,
    /// Opening hours.
    Hours,
}

impl Question {
    /// The columns of a gym's row that `{{…}}` in the question names, as they are written there.
    pub fn columns(&self) -> Vec<String> {
        columns_in(&self.ask)
    }

    /// The four questions of a campaign that names none.
    pub fn defaults() -> Vec<Question> {
        let question =
            |key: &str, ask: &str, kind| Question { key: key.into(), ask: ask.into(), kind, choices: Vec::new() };
        vec![
            question("opening_hours", "What are your opening hours?", AnswerType::Hours),
            question("day_pass_price", "How much is a day pass?", AnswerType::Money),
            question("classes", "Which classes do you offer?", AnswerType::List),
            question("drop_in_policy", "What is your drop-in policy?", AnswerType::Text),
        ]
    }
}

/// The columns that `{{…}}` in a text names, as they are written there.
pub fn columns_in(text: &str) -> Vec<String> {
    let named = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    named.map(|(column, _)| column.trim().to_owned()).collect()
}
