//! Whether a person answered.

use super::answers::Phrase;
use super::ear::HeardTurn;
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};

/// What answered in place of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// A voicemail, and how far it has come.
    Voicemail(AnsweredBy),
    /// A phone menu.
    Menu,
}

/// Said by machines only.
const VOICEMAIL: [&str; 12] = [
    "leave a message",
    "leave your message",
    "leave us a message",
    "leave me a message",
    "after the tone",
    "after the beep",
    "at the tone",
    "at the beep",
    "voicemail",
    "voice mail",
    "mailbox is full",
    "record your message",
];

/// Said by machines at the pick-up. Later a person may say so of somebody.
const ABSENT: [&str; 5] =
    ["not available", "unavailable", "cant come to the phone", "cannot take your call", "cant take your call"];

const MENU: [&str; 7] =
    ["press 1", "press one", "press 0", "press zero", "main menu", "following options", "menu options have changed"];

impl Machine {
    /// The machine in a turn. `picked_up` if it is the first thing heard, before we spoke.
    pub(super) fn recognise(heard: &HeardTurn, picked_up: bool) -> Option<Machine> {
        match Self::of_words(&heard.turn.text, picked_up) {
            Some(Machine::Menu) => Some(Machine::Menu),
            _ if heard.beep => Some(Machine::Voicemail(AnsweredBy::MachineEndBeep)),
            voicemail => voicemail,
        }
    }

    /// The same by the words alone: no beep can be heard in them.
    pub(super) fn of_words(words: &str, picked_up: bool) -> Option<Machine> {
        let phrase = Phrase::new(words);
        if phrase.has_any(&MENU) {
            return Some(Machine::Menu);
        }
        let voicemail = phrase.has_any(&VOICEMAIL) || picked_up && phrase.has_any(&ABSENT);
        voicemail.then_some(Machine::Voicemail(AnsweredBy::MachineEndSilence))
    }

    pub(super) fn report(self) -> Report {
        match self {
            Machine::Voicemail(answered_by) => {
                Report { disposition: Disposition::Voicemail, ended_reason: EndedReason::VoicemailReached, answered_by }
            }
            Machine::Menu => Report {
                disposition: Disposition::NoContact,
                ended_reason: EndedReason::IvrReached,
                answered_by: AnsweredBy::Ivr,
            },
        }
    }
}
