//! What is said next. Text in, text out.
//!
//! A [`Dialogue`] knows nothing of audio, so the same one can talk through a media stream, turn by turn over
//! HTTP, or in a test.

mod remark;
pub mod scripted;

use super::answers::Phrase;
use gymcall_jobs::answer::Answer;
use gymcall_jobs::question::Question;

/// Decides what the agent says.
pub trait Dialogue {
    /// The first line. `greeting` is what the other side said at the pick-up, or empty.
    fn begin(&mut self, greeting: &str) -> Reply;

    /// The other side has said something.
    fn heard(&mut self, heard: &Heard) -> Reply;

    /// Nothing was said for too long after the last line.
    fn silence(&mut self) -> Reply;

    /// The call may not go on: the line to end it with.
    fn time_up(&mut self) -> Reply;

    /// The question that was put last, while the dialogue goes on.
    fn asking(&self) -> Option<&Question> {
        None
    }

    /// How much of the last line comes before it asks anything: who calls, and the greeting; in percent.
    fn preamble(&self) -> u8 {
        0
    }

    /// How many answers there are.
    fn tally(&self) -> Tally;
}

/// Whether these words ask not to be called again.
pub fn is_do_not_call(words: &str) -> bool {
    remark::remark(&Phrase::new(words)) == Some(remark::Remark::DoNotCall)
}

/// A turn of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The words.
    pub text: String,
    /// Something could not be made out; the text is a hint at best.
    pub damaged: bool,
    /// Where the words begin, in ms from the start of the stream.
    pub from_ms: u64,
    /// Where they end.
    pub to_ms: u64,
    /// The turn cut our line off when this much of it was played, in percent.
    pub cut_at: Option<u8>,
}

/// What to do about a turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// The line to say. `None` waits for more.
    pub say: Option<String>,
    /// What was understood.
    pub answers: Vec<Answer>,
    /// The line is the last one, for this reason.
    pub end: Option<End>,
}

/// Why a dialogue is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All questions were put.
    Done,
    /// They asked not to be called again.
    DoNotCall {
        /// In these words.
        quote: String,
    },
    /// This is not the gym.
    WrongNumber,
    /// They would not talk to us.
    Refused,
    /// They asked to be called another time.
    CallLater,
    /// Nothing was heard for too long.
    Silence,
    /// The call was as long as a call may be.
    TimeUp,
}

/// How many questions were answered with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Answers with a value.
    pub told: usize,
    /// Questions there are.
    pub of: usize,
}
