//! Where the TwiML comes from: a URL, the request itself, or an application.

use super::super::error::Refusal;
use super::super::form::Form;
use super::fetch::{fetch, webhook};
use super::{Oddity, Terms, callbacks};
use crate::account::Application;
use crate::call::{Callbacks, Fetch, Source};
use crate::status::Subscription;

/// Longest `Twiml`, in characters.
const LONGEST_TWIML: usize = 4000;

/// What the call does when it is picked up, and whom it tells.
pub(super) struct Script {
    pub(super) source: Source,
    pub(super) fallback: Option<Fetch>,
    pub(super) callbacks: Callbacks,
}

/// `Url` wins over `Twiml`; an application brings its own webhooks, and the request's are ignored.
pub(super) fn read(terms: Terms<'_>, form: &Form, odd: &mut Vec<Oddity>) -> Result<Script, Refusal> {
    let url = form.get("Url").is_some();
    if let Some(sid) = form.get("ApplicationSid").filter(|_| !url && form.get("Twiml").is_none()) {
        let unknown = || Refusal::bad(21218, format!("Invalid ApplicationSid: {sid}"));
        let application = match terms {
            Terms::Account(settings) => settings.account.application(sid),
            Terms::Test => None,
        };
        return of_application(application.ok_or_else(unknown)?);
    }
    let source = match fetch(form, "Url", "Method")? {
        Some(fetch) => Source::Fetched(fetch),
        None => match form.get("Twiml") {
            Some(text) => inline(text)?,
            None => return Err(Refusal::bad(21205, "Url parameter is required.")),
        },
    };
    let fallback = fetch(form, "FallbackUrl", "FallbackMethod")?;
    Ok(Script { source, fallback, callbacks: callbacks(form, odd)? })
}

/// TwiML that came with the request.
pub(in crate::rest) fn inline(text: &str) -> Result<Source, Refusal> {
    if text.chars().count() > LONGEST_TWIML {
        return Err(Refusal::bad(21205, format!("Twiml must be at most {LONGEST_TWIML} characters")));
    }
    Ok(Source::Inline(text.to_owned()))
}

fn of_application(application: &Application) -> Result<Script, Refusal> {
    let at = |url: &Option<String>, method: &Option<String>| {
        url.as_deref().map(|url| webhook("ApplicationSid", url, "Method", method.as_deref())).transpose()
    };
    let url = Some(application.voice_url.clone());
    let Some(fetch) = at(&url, &application.voice_method)? else {
        return Err(Refusal::bad(21218, "The application has no voice URL"));
    };
    Ok(Script {
        source: Source::Fetched(fetch),
        fallback: at(&application.voice_fallback_url, &application.voice_fallback_method)?,
        callbacks: Callbacks {
            to: at(&application.status_callback, &application.status_callback_method)?,
            events: vec![Subscription::Completed],
        },
    })
}
