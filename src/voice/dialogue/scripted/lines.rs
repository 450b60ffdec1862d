//! The lines of the script. Short: a second of speech is about fifteen letters.

use crate::voice::brief::Brief;
use crate::voice::dialogue::End;
use gymcall_jobs::question::{AnswerType, Question};

/// What comes before a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    Plain,
    Thanks,
    AllRight,
    NotCaught,
    StillThere,
}

/// Who calls, for whom, and whether the call is recorded. The law of several places wants all three said first.
pub(super) fn introduction(brief: &Brief) -> String {
    let recorded = if brief.recorded { "This call is recorded." } else { "This call is not recorded." };
    let who = &brief.on_behalf_of;
    // A list need not name its gyms.
    let whom = match brief.gym_name.trim() {
        "" => String::new(),
        gym => format!(" for {gym}"),
    };
    format!("Hello, this is an automated call on behalf of {who}{whom}. {recorded}")
}

/// What the campaign says after that, with the space before it.
pub(super) fn greeting(brief: &Brief) -> String {
    match brief.greeting.as_deref().map(|text| brief.fill(text)) {
        Some(text) if !text.is_empty() => format!(" {text}"),
        _ => String::new(),
    }
}

pub(super) fn question(brief: &Brief, question: &Question, opener: Opener) -> String {
    let before = match opener {
        Opener::Plain => "",
        Opener::Thanks => "Thank you. ",
        Opener::AllRight => "All right. ",
        Opener::NotCaught => "Sorry, I did not catch that. ",
        Opener::StillThere => "Are you still there? ",
    };
    let again = opener == Opener::NotCaught && question.kind == AnswerType::Choice;
    let choices = if again { format!(" Please say one of: {}.", question.choices.join(", ")) } else { String::new() };
    format!("{before}{}{choices}", brief.fill(&question.ask))
}

pub(super) fn goodbye(end: &End) -> &'static str {
    match end {
        End::Done => "Thank you, that is all. Goodbye.",
        End::DoNotCall { .. } => "I am sorry for the disturbance. We will not call again. Goodbye.",
        End::WrongNumber => "I am sorry, I have the wrong number. Goodbye.",
        End::Refused => "All right. Sorry for the disturbance. Goodbye.",
        End::CallLater => "All right, we will call another time. Goodbye.",
        End::Silence => "I cannot hear you. Goodbye.",
        End::TimeUp => "I have to end the call here. Thank you. Goodbye.",
    }
}
