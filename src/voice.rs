//! The conversation, without the line it runs over.
//!
//! [`conversation`] is the whole call: frames and marks in, audio and events out, time counted in samples. It stands
//! between two seams. A [`dialogue`] decides what is said, text in and text out; [`dialogue::scripted`] asks the
//! questions of a [`brief`] and understands the [`answers`] by rule. A [`speech`] turns audio into text and back;
//! [`speech::tones`] does so with modem sounds (`docs/tones.md`), for calls that never leave the machine.
//!
//! Where Twilio speaks and listens itself there is no audio here: [`spoken`] holds the same dialogue turn by turn, in a
//! [`language`], with [`hints`] of what may be answered, and a [`pause`] that ends it.
//!
//! The conversation itself is made of an ear that finds the [`turn`]s in what is heard, a playback that knows
//! what of ours was really played, a look at whether a machine answered, and the ending that sums the call up.
//! Audio is [`mulaw`] everywhere.

pub mod answers;
mod beep;
pub mod brief;
pub mod conversation;
pub mod dialogue;
mod ear;
mod ending;
pub mod hints;
pub mod language;
mod machine;
pub mod mulaw;
pub mod pause;
mod playback;
pub mod speech;
pub mod spoken;
pub mod turn;
