//! Whether pace and lines are within what Twilio lets an account do.

use super::Finding;
use crate::config::Settings;
use crate::twilio::client::AccountRecord;

/// What an account may begin in a second, unless Twilio raised it: more stays in Twilio's queue.
const CALLS_PER_SECOND: f64 = 1.0;
/// What a trial account may have live at once.
const TRIAL_LINES: u32 = 5;
/// What the smallest paid accounts may have live at once.
const USUAL_LINES: u32 = 2;

pub(super) fn check(settings: &Settings, account: &AccountRecord) -> Vec<Finding> {
    vec![pace(settings.calls_per_second), lines(settings.max_concurrent_calls, account.is_trial())]
}

fn pace(calls_per_second: f64) -> Finding {
    let detail = format!("calls begin at {calls_per_second} a second");
    if calls_per_second <= CALLS_PER_SECOND {
        return Finding::ok("pace", detail);
    }
    Finding::warning(
        "pace",
        format!("{detail}; Twilio's usual limit is 1, and what waits in its queue for a minute is taken back"),
        "Set GYMCALL_CALLS_PER_SECOND=1, unless Twilio has raised the account's limit",
    )
}

fn lines(lines: u32, trial: bool) -> Finding {
    let detail = format!("up to {lines} calls at once");
    match trial {
        true if lines > TRIAL_LINES => Finding::warning(
            "lines",
            format!("{detail}; a trial account may have {TRIAL_LINES}, and Twilio fails the others (10004)"),
            format!("Set GYMCALL_MAX_CONCURRENT_CALLS={TRIAL_LINES} or less"),
        ),
        false if lines > USUAL_LINES => Finding::warning(
            "lines",
            format!("{detail}; without an approved business profile Twilio allows {USUAL_LINES} or 3 (10004)"),
            "Have a profile approved under Trust Hub in Twilio's console, or set GYMCALL_MAX_CONCURRENT_CALLS lower",
        ),
        _ => Finding::ok("lines", detail),
    }
}
