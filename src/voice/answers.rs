//! From words to a value, by rule.
//!
//! Every kind of answer has its own file and says `None` rather than guess: a wrong price in a table of results
//! is worse than a question asked twice. The words themselves stay in the answer's quote in any case.

mod choice;
mod hours;
mod list;
mod money;
mod number;
mod phrase;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod yes_no;

use gymcall_jobs::answer::AnswerValue;
use gymcall_jobs::question::{AnswerType, Question};
pub use phrase::Phrase;

/// What the words say in answer to the question, if that can be told.
pub fn understand(question: &Question, words: &str) -> Option<AnswerValue> {
    match question.kind {
        AnswerType::Text => text::understand(words).map(AnswerValue::Text),
        AnswerType::Number => number::understand(words).map(AnswerValue::Number),
        AnswerType::Money => money::understand(words),
        AnswerType::Boolean => yes_no::understand(words).map(AnswerValue::Boolean),
        AnswerType::Choice => choice::understand(&question.choices, words).map(AnswerValue::Text),
        AnswerType::List => list::understand(words).map(AnswerValue::List),
        AnswerType::Hours => hours::understand(words).map(AnswerValue::Hours),
    }
}

/// Whether almost any words would do as an answer, so that a mere "hello" could be taken for one.
pub fn is_open(kind: AnswerType) -> bool {
    matches!(kind, AnswerType::Text | AnswerType::List)
}
