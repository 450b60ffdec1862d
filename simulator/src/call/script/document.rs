//! Getting a document: from its URL, through redirects, or from the fallback.

use super::{Stage, Turn};
use crate::address;
use crate::call::{Fetch, Method, Source};
use crate::callback;
use crate::http::{Failure, Reply};
use crate::status::Status;
use crate::twiml::{self, Prompt, Say, Verb};
use crate::webhook;

/// Redirects (3xx) in a row that are followed.
const MOST_REDIRECTS: usize = 10;

/// The document that is carried out.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where it came from, and what its relative URLs start from; an inline document has none.
    pub(super) url: Option<String>,
}

/// Why there is no document, as Twilio's debugger shows it.
struct Trouble {
    code: u32,
    message: String,
}

/// The document to carry out next, or that of the call's fallback if it cannot be had.
pub(super) async fn read(stage: &Stage<'_>, turn: Turn) -> Option<(Page, Vec<Verb>)> {
    let mut params = callback::identity(stage.exchange, stage.call, Status::InProgress);
    let mut fallback = stage.call.facts().fallback.clone();
    let (code, url) = match turn.source {
        Source::Inline(text) => match parsed(stage, &text) {
            Ok(verbs) => return Some((Page::default(), verbs)),
            Err(trouble) => (report(stage, trouble), String::new()),
        },
        Source::Fetched(fetch) => {
            let mut asked = params.clone();
            asked.extend(turn.news);
            // The fallback's own document may ask it for more; it is no help against itself.
            fallback = fallback.filter(|fallback| fallback.url != fetch.url);
            match fetched(stage, fetch.clone(), &asked).await {
                Ok(document) => return Some(document),
                Err(trouble) => (report(stage, trouble), fetch.url),
            }
        }
    };
    params.push(("ErrorCode".to_owned(), code.to_string()));
    params.push(("ErrorUrl".to_owned(), url));
    match fetched(stage, fallback?, &params).await {
        Ok(document) => Some(document),
        Err(trouble) => {
            report(stage, trouble);
            None
        }
    }
}

fn report(stage: &Stage<'_>, trouble: Trouble) -> u32 {
    stage.warn(trouble.code, trouble.message);
    trouble.code
}

async fn fetched(
    stage: &Stage<'_>,
    mut fetch: Fetch,
    params: &[(String, String)],
) -> Result<(Page, Vec<Verb>), Trouble> {
    if stage.call.fate.voice_twice {
        // As a request whose reply was lost inside Twilio; nobody waits for this one's.
        let _ = webhook::request(stage.exchange, stage.call, &fetch, params).await;
    }
    for _ in 0..=MOST_REDIRECTS {
        let reply = webhook::request(stage.exchange, stage.call, &fetch, params).await.map_err(|failure| {
            let message = format!("no TwiML from {}: {failure}", fetch.url);
            Trouble { code: code_of(&failure), message }
        })?;
        match redirect(&fetch, &reply)? {
            Some(next) => fetch = next,
            None => {
                let verbs = verbs_of(stage, &fetch, &reply)?;
                return Ok((Page { url: Some(fetch.url) }, verbs));
            }
        }
    }
    Err(Trouble { code: 11215, message: format!("more than {MOST_REDIRECTS} redirects, the last to {}", fetch.url) })
}

fn code_of(failure: &Failure) -> u32 {
    match failure {
        Failure::Connect(_) => 11205,
        Failure::TooLarge => 11750,
        Failure::Timeout | Failure::Broken(_) | Failure::Lost => 11200,
    }
}

/// Where `reply` sends the request on to, if it does.
fn redirect(from: &Fetch, reply: &Reply) -> Result<Option<Fetch>, Trouble> {
    let method = match reply.status {
        301..=303 => Method::Get,
        307 | 308 => from.method,
        _ => return Ok(None),
    };
    let url = reply.location.as_deref().and_then(|location| address::resolve(Some(&from.url), location));
    let Some(url) = url else {
        let message = format!("HTTP {} from {} goes nowhere", reply.status, from.url);
        return Err(Trouble { code: 11216, message });
    };
    Ok(Some(Fetch { url, method }))
}

fn verbs_of(stage: &Stage<'_>, fetch: &Fetch, reply: &Reply) -> Result<Vec<Verb>, Trouble> {
    if !(200..300).contains(&reply.status) {
        let message = format!("no TwiML: {} answered HTTP {}", fetch.url, reply.status);
        return Err(Trouble { code: 11200, message });
    }
    let text = String::from_utf8_lossy(&reply.body);
    let kind = reply.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind {
        "text/xml" | "application/xml" | "text/html" => parsed(stage, &text),
        // Twilio reads it aloud.
        "text/plain" => Ok(vec![Verb::Prompt(Prompt::Say(Say { text: text.trim().to_owned(), times: Some(1) }))]),
        // An empty reply is a document that cannot be read, whatever it calls itself.
        _ if text.trim().is_empty() => parsed(stage, ""),
        other => Err(Trouble { code: 12300, message: format!("{other:?} is not the type of TwiML") }),
    }
}

fn parsed(stage: &Stage<'_>, text: &str) -> Result<Vec<Verb>, Trouble> {
    let (verbs, remarks) =
        twiml::parse(text).map_err(|error| Trouble { code: error.code(), message: error.to_string() })?;
    for remark in remarks {
        stage.warn(remark.code, remark.message);
    }
    Ok(verbs)
}
