//! How a job ended, in the field's words.

use serde::{Deserialize, Serialize};

/// The end of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody answered and said something we could use.
    Answered(Report),
    /// Every try that was allowed missed.
    GaveUp(Miss),
    /// The job was never dialled, or not again, for this reason.
    Skipped(SkipReason),
    /// A person took it back.
    Cancelled,
}

/// How a conversation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The business result.
    pub disposition: Disposition,
    /// How the call ended.
    pub ended_reason: EndedReason,
    /// Who answered, where that was heard.
    pub answered_by: AnsweredBy,
}

/// How a try, or the last of several, missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// The business result.
    pub disposition: Disposition,
    /// How the call ended.
    pub ended_reason: EndedReason,
    /// Who answered, where that was heard.
    pub answered_by: AnsweredBy,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of the list above.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that users, files and the HTTP interface see.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words!(
    /// How a job ended, in a word.
    Ending {
        /// Somebody answered and said something we could use.
        Answered = "answered",
        /// Every try that was allowed missed.
        GaveUp = "gave_up",
        /// It was not dialled, or not again.
        Skipped = "skipped",
        /// A person took it back.
        Cancelled = "cancelled",
    }
);

impl Outcome {
    /// The outcome in a word.
    pub const fn ending(&self) -> Ending {
        match self {
            Outcome::Answered(_) => Ending::Answered,
            Outcome::GaveUp(_) => Ending::GaveUp,
            Outcome::Skipped(_) => Ending::Skipped,
            Outcome::Cancelled => Ending::Cancelled,
        }
    }
}

words!(
    /// The business result of a call, kept apart from how it ended.
    Disposition {
        /// Every question was answered with something.
        AnsweredFull = "answered_full",
        /// Some were not asked or not known.
        AnsweredPartial = "answered_partial",
        /// They would not talk to us.
        Refused = "refused",
        /// This is not the gym.
        WrongNumber = "wrong_number",
        /// They asked to be called another time.
        CallbackRequested = "callback_requested",
        /// They asked not to be called again.
        DoNotCall = "do_not_call",
        /// A machine answered.
        Voicemail = "voicemail",
        /// Nobody was reached.
        NoContact = "no_contact",
        /// A person has to look.
        NeedsReview = "needs_review",
    }
);

words!(
    /// Why a call ended.
    EndedReason {
        /// The gym hung up.
        UserHangup = "user_hangup",
        /// The agent said goodbye.
        AgentHangup = "agent_hangup",
        /// A voicemail answered.
        VoicemailReached = "voicemail_reached",
        /// A phone menu answered.
        IvrReached = "ivr_reached",
        /// Nothing was heard for too long.
        Inactivity = "inactivity",
        /// The call was as long as a call may be.
        MaxDurationReached = "max_duration_reached",
        /// The line was busy.
        DialBusy = "dial_busy",
        /// Nobody picked up.
        DialNoAnswer = "dial_no_answer",
        /// The call could not be put through.
        DialFailed = "dial_failed",
        /// The number cannot be called.
        InvalidDestination = "invalid_destination",
        /// They declined.
        UserDeclined = "user_declined",
        /// The audio stream broke.
        ErrorStream = "error_stream",
        /// The agent failed.
        ErrorAgent = "error_agent",
        /// It cannot be told.
        ErrorUnknown = "error_unknown",
    }
);

words!(
    /// Who answered.
    AnsweredBy {
        /// A person.
        Human = "human",
        /// A machine, while its greeting still plays.
        MachineStart = "machine_start",
        /// A machine, at its beep.
        MachineEndBeep = "machine_end_beep",
        /// A machine, at the silence after its greeting.
        MachineEndSilence = "machine_end_silence",
        /// A machine, at the end of its greeting, otherwise.
        MachineEndOther = "machine_end_other",
        /// A fax.
        Fax = "fax",
        /// A phone menu.
        Ivr = "ivr",
        /// A call screener.
        CallScreener = "call_screener",
        /// Cannot be told.
        Unknown = "unknown",
    }
);

impl AnsweredBy {
    /// Whether nobody is there who could be hung up on.
    pub const fn is_machine(self) -> bool {
        self.is_at_beep() || matches!(self, AnsweredBy::MachineStart | AnsweredBy::Fax)
    }

    /// Whether a machine has said its greeting and takes a message now.
    pub const fn is_at_beep(self) -> bool {
        matches!(self, AnsweredBy::MachineEndBeep | AnsweredBy::MachineEndSilence | AnsweredBy::MachineEndOther)
    }
}

words!(
    /// Why a job was not dialled.
    SkipReason {
        /// The number is on the list of those who asked not to be called.
        Suppressed = "suppressed",
        /// Its hours were over.
        OutsideWindow = "outside_window",
        /// Its time zone is not known.
        NoTimezone = "no_timezone",
        /// The number cannot be called.
        InvalidNumber = "invalid_number",
        /// The number's region or kind is not allowed.
        NotAllowed = "not_allowed",
        /// The number is there already.
        Duplicate = "duplicate",
        /// The money is spent.
        Budget = "budget",
        /// A newer run took over.
        Superseded = "superseded",
        /// Another attempt at the number was still open.
        OpenAttempt = "open_attempt",
    }
);
