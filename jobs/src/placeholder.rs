//! `{{column}}` in what a campaign says, and where it stands.

use std::fmt;

use crate::campaign::Campaign;
use crate::question::columns_in;

/// A `{{column}}` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// Where it stands.
    pub place: Place,
    /// The column, as it is written there.
    pub column: String,
}

/// A text of a campaign that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The greeting.
    Greeting,
    /// The question at this place in the list, from 0.
    Question(usize),
    /// The message for a voicemail.
    VoicemailMessage,
}

/// Braces of a text that name no column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// `{{` without `}}`.
    #[error("{{{{ is opened here and never closed: a column is written {{{{like_this}}}}")]
    Unclosed,
    /// Nothing between the braces.
    #[error("{{{{}}}} names no column")]
    Empty,
}

impl fmt::Display for Place {
    /// The place as a JSON pointer into the campaign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Greeting => f.write_str("/greeting"),
            Place::Question(at) => write!(f, "/questions/{at}/ask"),
            Place::VoicemailMessage => f.write_str("/policy/voicemail_message"),
        }
    }
}

/// Whether every `{{` of a text names a column.
pub fn check(text: &str) -> Result<(), PlaceholderError> {
    for rest in text.split("{{").skip(1) {
        match rest.split_once("}}") {
            None => return Err(PlaceholderError::Unclosed),
            Some((column, _)) if column.trim().is_empty() => return Err(PlaceholderError::Empty),
            Some(_) => {}
        }
    }
    Ok(())
}

impl Campaign {
    /// Every `{{column}}` that is said, in the order in which it is.
    pub fn placeholders(&self) -> Vec<Placeholder> {
        let questions = self.questions.iter().enumerate();
        let greeting = self.greeting.as_deref().map(|text| (Place::Greeting, text));
        let questions = questions.map(|(at, question)| (Place::Question(at), question.ask.as_str()));
        let message = self.policy.message().map(|text| (Place::VoicemailMessage, text));
        let texts = greeting.into_iter().chain(questions).chain(message);
        let placed = |(place, text)| columns_in(text).into_iter().map(move |column| Placeholder { place, column });
        texts.flat_map(placed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_name_a_column_or_are_refused() {
        for fine in ["", "How much?", "Is {{brand}} in {{ city }}?", "{ and }", "}}"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        assert_eq!(check("Is {{brand open?"), Err(PlaceholderError::Unclosed));
        assert_eq!(check("Is {{brand {{city}}?"), Err(PlaceholderError::Unclosed));
        assert_eq!(check("Is {{ }} open?"), Err(PlaceholderError::Empty));
        assert_eq!(PlaceholderError::Empty.to_string(), "{{}} names no column");
    }
}
