//! Schedules as people send them.

use gymcall_jobs::schedule::{Schedule, WrittenSchedule};
use jiff::Timestamp;

use super::error::Problem;

/// The schedule, if it can be kept and has a time still to come.
pub(super) fn read(written: WrittenSchedule, now: Timestamp) -> Result<Schedule, Problem> {
    let schedule = Schedule::try_from(written).map_err(|error| {
        let pointer = match error.field() {
            "" => "/schedule".to_owned(),
            field => format!("/schedule/{field}"),
        };
        Problem::field(&pointer, "invalid", error.to_string())
    })?;
    if schedule.next(now).is_none() {
        let detail = format!("this time has passed: it is {now}. Leave the schedule out to call once started");
        return Err(Problem::field("/schedule/at", "past", detail));
    }
    Ok(schedule)
}
