//! Words without the accidents of writing.

/// A text in lower case, with single spaces, without apostrophes and punctuation: made to look phrases up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(String);

impl Phrase {
    /// `"No, don't!"` becomes `no dont`.
    pub fn new(text: &str) -> Self {
        let bare: String = text.to_lowercase().chars().filter(|c| !matches!(c, '\'' | '’')).collect();
        let words: Vec<&str> = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        Self(format!(" {} ", words.join(" ")))
    }

    /// Whether this run of whole words occurs.
    pub fn has(&self, words: &str) -> bool {
        self.0.contains(&format!(" {words} "))
    }

    /// Whether one of these runs of whole words occurs.
    pub fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|words| self.has(words))
    }

    /// Whether the text begins with one of these runs of whole words.
    pub fn starts_with_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|words| self.0.starts_with(&format!(" {words} ")))
    }

    /// Whether the text ends with one of these runs of whole words.
    pub fn ends_with_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|words| self.0.ends_with(&format!(" {words} ")))
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }

    /// Whether there are no words at all.
    pub fn is_empty(&self) -> bool {
        self.words().next().is_none()
    }
}
