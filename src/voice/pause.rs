//! The pause that ends a turn.

use gymcall_jobs::question::{AnswerType, Question};

/// How long nobody says anything once they have answered, in seconds, of which Twilio takes whole ones.
///
/// People breathe for a third of a second and think for longer. A week's opening hours and a list are told in pieces,
/// and what is cut off would be heard as the answer to the next question.
pub fn pause_s(asking: Option<&Question>) -> u32 {
    match asking.map(|question| question.kind) {
        Some(AnswerType::Hours | AnswerType::List) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_in_pieces_is_listened_to_for_longer() {
        let of = |kind| {
            let question = Question { key: "k".into(), ask: "?".into(), kind, choices: Vec::new() };
            pause_s(Some(&question))
        };
        assert_eq!([of(AnswerType::Hours), of(AnswerType::List)], [2, 2]);
        assert_eq!([of(AnswerType::Money), of(AnswerType::Boolean), of(AnswerType::Text), pause_s(None)], [1; 4]);
    }
}
