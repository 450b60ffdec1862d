//! Between words and sound.
//!
//! A [`Speech`] turns what the agent says into audio and what it hears into words. It keeps no time and
//! takes no turns; that is the conversation's work.

pub mod tones;

/// A voice and an ear.
pub trait Speech {
    /// The audio of a text: μ-law, 8 bytes per ms.
    fn say(&mut self, text: &str) -> Vec<u8>;

    /// Takes one frame (160 bytes, 20 ms) of what the other side sends, silence included, and gives the words
    /// that became clear with it.
    fn hear(&mut self, frame: &[u8]) -> Vec<Piece>;

    /// The other side's turn is over: gives the words still held back, and forgets the rest.
    fn turn_over(&mut self) -> Vec<Piece>;
}

/// Some words of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The words. Only a hint if the piece is damaged, and perhaps empty then.
    pub text: String,
    /// Whether something was said that could not be made out.
    pub damaged: bool,
    /// Whether the text goes on where the piece before it stopped, inside a word perhaps.
    pub continues: bool,
}
