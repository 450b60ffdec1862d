//! Who said what, and when.

/// What one side said until it stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The words.
    pub text: String,
    /// Where they begin, in ms of audio heard since the start of the stream.
    pub from_ms: u64,
    /// Where they end, on the same clock.
    pub to_ms: u64,
    /// Something was said that could not be made out; the text is a hint at best.
    pub damaged: bool,
    /// The agent was cut off here: the end of the text was not said.
    pub interrupted: bool,
}
