//! How much of a reply its client gets to see.

use axum::http::StatusCode;
use axum::response::Response;

use crate::fault::Fate;
use crate::wire::Cut;

/// How a request is answered.
pub(super) enum Answer {
    Whole(Response),
    /// The reply breaks off, and with it the connection.
    Broken(Response, Cut),
    /// There is no reply, ever.
    Silence,
}

/// How much of a reply its client gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fidelity {
    Whole,
    Broken(Cut),
    Silence,
}

impl Fidelity {
    pub(super) fn without_call(fate: &Fate) -> Fidelity {
        match fate {
            Fate { throttle: true, .. } => Fidelity::Whole,
            Fate { silence_before_create: true, .. } => Fidelity::Silence,
            Fate { reset_before_create: true, .. } => Fidelity::Broken(Cut::AtOnce),
            _ => Fidelity::Whole,
        }
    }

    pub(super) fn with_call(fate: &Fate) -> Fidelity {
        match fate {
            Fate { silence_after_create: true, .. } => Fidelity::Silence,
            Fate { reset_after_create: true, .. } => Fidelity::Broken(Cut::AtOnce),
            Fate { cut_reply: true, .. } => Fidelity::Broken(Cut::MidWay),
            _ => Fidelity::Whole,
        }
    }

    /// The HTTP status as far as the client gets to see one.
    pub(super) fn shows(self, status: StatusCode) -> Option<u16> {
        match self {
            Fidelity::Whole | Fidelity::Broken(Cut::MidWay) => Some(status.as_u16()),
            Fidelity::Broken(Cut::AtOnce) | Fidelity::Silence => None,
        }
    }

    pub(super) fn of(self, reply: Response) -> Answer {
        match self {
            Fidelity::Whole => Answer::Whole(reply),
            Fidelity::Broken(cut) => Answer::Broken(reply, cut),
            Fidelity::Silence => Answer::Silence,
        }
    }
}
