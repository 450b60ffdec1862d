//! Who is called, by what they do.

/// Picks up at once, answers at once.
pub const ANSWERS: &str = "+14155550101";
/// The same.
pub const ANSWERS_TOO: &str = "+14155550178";
/// The same.
pub const ANSWERS_AS_WELL: &str = "+14155550179";
/// Always busy.
pub const BUSY: &str = "+14155550107";
/// Nobody picks up.
pub const NOBODY: &str = "+14155550109";
/// Twilio itself refuses the number: 21211.
pub const INVALID: &str = "+14155550110";
/// Asks not to be called again.
pub const DO_NOT_CALL: &str = "+14155550112";
/// Cannot be reached.
pub const DEAD: &str = "+14155550116";
/// Rings for as long as anybody lets it.
pub const RINGS: &str = "+14155550130";
/// Picks up, and thinks for so long that the call is live whenever a story looks.
pub const THINKS: &str = "+14155550131";
/// Picks up and puts the receiver down again.
pub const CURT: &str = "+14155550132";
/// The same.
pub const CURT_TOO: &str = "+14155550133";
/// The same.
pub const CURT_AS_WELL: &str = "+14155550134";
/// These too.
pub const MORE_CURT: [&str; 4] = ["+14155550135", "+14155550136", "+14155550137", "+14155550138"];
/// Answers one question, and then the line is dead.
pub const BREAKS: &str = "+14155550117";
/// Answers one question and hangs up.
pub const LEAVES: &str = "+14155550111";

/// Who is called.
pub(super) const CALLEES: &str = include_str!("../callees.toml");
