//! What a conversation came to.

use super::dialogue::{End, Tally};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};

/// What was heard of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Heard {
    /// Any turn at all.
    pub(super) sound: bool,
    /// A turn whose words were understood.
    pub(super) words: bool,
}

/// Why the agent stops, where it decides.
pub(super) fn reason(end: &End) -> EndedReason {
    match end {
        End::Done | End::DoNotCall { .. } | End::WrongNumber | End::CallLater => EndedReason::AgentHangup,
        End::Refused => EndedReason::UserDeclined,
        End::Silence => EndedReason::Inactivity,
        End::TimeUp => EndedReason::MaxDurationReached,
    }
}

/// The report of a conversation with a person, or with nobody.
///
/// What they asked for counts before what they answered; a refusal after an answer is an answer with an end.
/// Without any answer, words or even a mumble are for a person to look at: somebody was there.
pub(super) fn report(end: Option<&End>, ended_reason: EndedReason, tally: Tally, heard: Heard) -> Report {
    let disposition = match end {
        Some(End::DoNotCall { .. }) => Disposition::DoNotCall,
        Some(End::WrongNumber) => Disposition::WrongNumber,
        Some(End::CallLater) => Disposition::CallbackRequested,
        Some(End::Refused) if tally.told == 0 => Disposition::Refused,
        _ if tally.told > 0 && tally.told == tally.of => Disposition::AnsweredFull,
        _ if tally.told > 0 => Disposition::AnsweredPartial,
        _ if heard.sound => Disposition::NeedsReview,
        _ => Disposition::NoContact,
    };
    let answered_by = if heard.words { AnsweredBy::Human } else { AnsweredBy::Unknown };
    Report { disposition, ended_reason, answered_by }
}
