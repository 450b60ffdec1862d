//! The list of calls: filters and pages, the newest first.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::error::Refusal;
use super::form::Form;
use super::resource;
use crate::call::Call;
use crate::date;
use crate::exchange::Exchange;

const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;

pub(super) fn list(exchange: &Exchange, form: &Form) -> Result<Value, Refusal> {
    let filter = Filter::read(form)?;
    let calls: Vec<Arc<Call>> = exchange.calls().into_iter().filter(|call| filter.takes(call)).collect();
    let page = Page::read(form)?;
    let start = page.start(&calls);
    let shown = calls.iter().skip(start).take(page.size);
    let shown: Vec<&Arc<Call>> = shown.collect();
    let more = start + shown.len() < calls.len();
    let base = format!("{}/Calls.json", exchange.account_path());
    let uri = |number: usize, token: Option<String>| page.uri(&base, form, number, token);
    let next = shown.last().filter(|_| more).map(|last| uri(page.number + 1, Some(format!("PA{}", last.sid))));
    let previous = (page.number > 0).then(|| uri(page.number - 1, None));
    Ok(json!({
        "first_page_uri": uri(0, None),
        "next_page_uri": next,
        "previous_page_uri": previous,
        "uri": uri(page.number, None),
        "page": page.number,
        "page_size": page.size,
        "start": start,
        "end": (start + shown.len()).saturating_sub(1).max(start),
        "calls": shown
            .iter()
            .map(|call| resource::of(exchange, call))
            .collect::<Vec<_>>(),
    }))
}

struct Page {
    number: usize,
    size: usize,
    /// The call after which this page begins. New calls come in front, so a mere number would show
    /// some calls twice.
    after: Option<String>,
}

impl Page {
    fn read(form: &Form) -> Result<Page, Refusal> {
        let number = |name: &str| match form.get(name) {
            Some(text) => {
                text.parse::<usize>().map(Some).map_err(|_| Refusal::bad(20006, format!("{name} must be a number")))
            }
            None => Ok(None),
        };
        let size = number("PageSize")?.unwrap_or(DEFAULT_PAGE).max(1);
        if size > LARGEST_PAGE {
            return Err(Refusal::bad(20007, "Page size must not exceed 1000"));
        }
        let after = form.get("PageToken").and_then(|token| token.strip_prefix("PA")).map(str::to_owned);
        Ok(Page { number: number("Page")?.unwrap_or(0), size, after })
    }

    fn start(&self, calls: &[Arc<Call>]) -> usize {
        self.after
            .as_ref()
            .and_then(|sid| calls.iter().position(|call| call.sid == *sid))
            .map_or(self.number.saturating_mul(self.size), |at| at + 1)
    }

    fn uri(&self, base: &str, form: &Form, number: usize, token: Option<String>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            form.pairs.iter().filter(|(key, _)| !["PageSize", "Page", "PageToken"].contains(&key.as_str())),
        );
        query.append_pair("PageSize", &self.size.to_string());
        query.append_pair("Page", &number.to_string());
        if let Some(token) = token {
            query.append_pair("PageToken", &token);
        }
        format!("{base}?{}", query.finish())
    }
}

/// A span of time: from, inclusive, and to, exclusive.
#[derive(Default)]
struct Span {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Span {
    fn read(form: &Form, name: &str) -> Result<Span, Refusal> {
        let at = |key: String| match form.get(&key) {
            Some(text) => {
                date::parse(text).map(Some).ok_or_else(|| Refusal::bad(20001, format!("{key} is not a date: {text}")))
            }
            None => Ok(None),
        };
        let mut span = Span { from: at(format!("{name}>"))?, to: at(format!("{name}<"))? };
        if let Some(day) = at(name.to_owned())? {
            span.from = Some(day);
            span.to = day.checked_add(SignedDuration::from_hours(24)).ok();
        }
        Ok(span)
    }

    /// Calls without the time in question, as queued ones without a start, are in no span.
    fn takes(&self, at: Option<Timestamp>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        at.is_some_and(|at| self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to))
    }
}

struct Filter {
    to: Option<String>,
    from: Option<String>,
    status: Option<String>,
    parent: Option<String>,
    start: Span,
    end: Span,
}

impl Filter {
    fn read(form: &Form) -> Result<Filter, Refusal> {
        let text = |name| form.get(name).map(str::to_owned);
        Ok(Filter {
            to: text("To"),
            from: text("From"),
            status: text("Status"),
            parent: text("ParentCallSid"),
            start: Span::read(form, "StartTime")?,
            end: Span::read(form, "EndTime")?,
        })
    }

    fn takes(&self, call: &Call) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|it| it == is);
        let status = call.status().in_rest();
        let (dialled, ended) = {
            let facts = call.facts();
            (facts.dialled, facts.ended)
        };
        // No call here has a parent.
        self.parent.is_none()
            && call.is_listed(Timestamp::now())
            && same(&self.to, &call.order.to)
            && same(&self.from, &call.order.from)
            && same(&self.status, status)
            && self.start.takes(dialled)
            && self.end.takes(ended)
    }
}
