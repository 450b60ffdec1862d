//! What a gym answered, with the words that back it up.

use serde::{Deserialize, Serialize};

/// One understood answer and its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's key.
    pub key: String,
    /// What was understood.
    pub value: AnswerValue,
    /// The words it was understood from, as heard.
    pub quote: String,
    /// Where those words begin, in ms from the start of the stream.
    pub from_ms: u64,
    /// Where they end, in ms from the start of the stream.
    pub to_ms: u64,
}

/// The value of an answer, by the question's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AnswerValue {
    /// Any words, or the choice that was taken.
    Text(String),
    /// A number.
    Number(f64),
    /// An amount as decimal text, such as `15.00`, with its ISO 4217 currency.
    Money {
        /// Decimal text with two places.
        amount: String,
        /// Such as `USD`.
        currency: String,
    },
    /// Yes or no.
    Boolean(bool),
    /// Several things.
    List(Vec<String>),
    /// Opening hours.
    Hours(Vec<OpenHours>),
    /// The question was put, and the answer was that they do not know.
    NotKnown,
    /// The call ended before the question was put.
    NotAsked,
}

/// The hours of some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OpenHours {
    /// `mon` … `sun`, in the order of the week.
    pub days: Vec<String>,
    /// `HH:MM`, 24-hour clock.
    pub from: String,
    /// `HH:MM`, 24-hour clock; `24:00` is midnight at the end of the day.
    pub to: String,
}

impl AnswerValue {
    /// The value as the HTTP interface shows it: `not_known` and `not_asked` are plain words.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            AnswerValue::Text(text) => json!(text),
            AnswerValue::Number(number) => json!(number),
            AnswerValue::Money { amount, currency } => json!({"amount": amount, "currency": currency}),
            AnswerValue::Boolean(yes) => json!(yes),
            AnswerValue::List(items) => json!(items),
            AnswerValue::Hours(hours) => json!(hours),
            AnswerValue::NotKnown => json!("not_known"),
            AnswerValue::NotAsked => json!("not_asked"),
        }
    }

    /// The value as one cell of a table.
    pub fn to_cell(&self) -> String {
        match self {
            AnswerValue::Text(text) => text.clone(),
            AnswerValue::Number(number) => number.to_string(),
            AnswerValue::Money { amount, currency } => format!("{amount} {currency}"),
            AnswerValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            AnswerValue::List(items) => items.join("; "),
            AnswerValue::Hours(hours) => {
                let spans = hours.iter().map(|h| format!("{} {}-{}", h.days.join(" "), h.from, h.to));
                spans.collect::<Vec<_>>().join("; ")
            }
            AnswerValue::NotKnown => "not_known".to_owned(),
            AnswerValue::NotAsked => "not_asked".to_owned(),
        }
    }

    /// Whether the gym told us something: neither unknown nor unasked.
    pub fn is_told(&self) -> bool {
        !matches!(self, AnswerValue::NotKnown | AnswerValue::NotAsked)
    }
}
