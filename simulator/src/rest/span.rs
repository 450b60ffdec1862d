//! Filters on a time.

use jiff::{SignedDuration, Timestamp};

use super::error::Refusal;
use super::form::Form;
use crate::date;

/// A span of time: from, inclusive, and to, exclusive.
#[derive(Default)]
pub(super) struct Span {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Span {
    /// The filters `name`, `name<` and `name>`. Twilio documents days; its libraries send instants.
    pub(super) fn read(form: &Form, name: &str) -> Result<Span, Refusal> {
        let at = |key: &str| match form.get(key) {
            Some(text) => {
                date::parse(text).map(Some).ok_or_else(|| Refusal::bad(20001, format!("{key} is not a date: {text}")))
            }
            None => Ok(None),
        };
        let mut span = Span { from: at(&format!("{name}>"))?, to: at(&format!("{name}<"))? };
        if let Some(at) = at(name)? {
            let day = date::day_of(at);
            span.from = Some(day);
            span.to = day.checked_add(SignedDuration::from_hours(24)).ok();
        }
        Ok(span)
    }

    /// Things without the time in question, as queued calls without a start, are in no span.
    pub(super) fn takes(&self, at: Option<Timestamp>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        at.is_some_and(|at| self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to))
    }
}
