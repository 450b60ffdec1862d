//! The list of calls: filters and pages, the newest first.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::error::Refusal;
use super::form::Form;
use super::page::{List, Page, Show};
use super::resource;
use super::span::Span;
use crate::call::Call;
use crate::exchange::Exchange;

pub(super) fn list(exchange: &Exchange, form: &Form) -> Result<Value, Refusal> {
    let (filter, page) = (Filter::read(form)?, Page::read(form)?);
    let path = format!("{}/Calls.json", exchange.account_path());
    let list = List { key: "calls", path: &path };
    let show = Show {
        sid: |call: &Arc<Call>| &call.sid,
        json: &|call| resource::of(exchange, call),
        takes: &|call| filter.takes(call),
    };
    Ok(page.of(&list, form, &exchange.calls(), show))
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
        self.parent.as_ref().is_none_or(|parent| call.parent.as_ref() == Some(parent))
            && call.is_listed(Timestamp::now())
            && same(&self.to, &call.order.to)
            && same(&self.from, &call.order.from)
            && same(&self.status, status)
            && self.start.takes(dialled)
            && self.end.takes(ended)
    }
}
