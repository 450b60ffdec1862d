//! Carrying out TwiML, verb by verb, until a document ends or the call does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::{Call, Command, Fetch, Source};
use crate::exchange::Exchange;
use crate::http::{Failure, Reply};
use crate::line::Line;
use crate::status::Status;
use crate::tones::{self, Voice};
use crate::twiml::{self, Verb};
use crate::{address, callback, stream, webhook};

/// What comes after a verb.
enum Flow {
    Next,
    Switch(Source),
    Over,
}

/// A document and the URL that its relative URLs start from.
struct Document {
    base: Option<String>,
    verbs: Vec<Verb>,
}

struct Script<'a> {
    exchange: &'a Arc<Exchange>,
    call: &'a Arc<Call>,
    line: &'a Line,
    commands: &'a mut mpsc::UnboundedReceiver<Command>,
}

/// Carries out the call's TwiML to the end.
pub(super) async fn run(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) {
    let mut script = Script { exchange, call, line, commands };
    let mut source = call.order.source.clone();
    loop {
        match script.document(&source).await {
            Flow::Next | Flow::Over => return,
            Flow::Switch(next) => source = next,
        }
    }
}

impl Script<'_> {
    async fn document(&mut self, source: &Source) -> Flow {
        let (exchange, call) = (self.exchange, self.call);
        let read = self.or_command(read(exchange, call, source)).await;
        let document = match read {
            Ok(Some(document)) => document,
            Ok(None) => return Flow::Over,
            Err(flow) => return flow,
        };
        for verb in document.verbs {
            match self.verb(verb, document.base.as_deref()).await {
                Flow::Next => {}
                flow => return flow,
            }
        }
        Flow::Over
    }

    async fn verb(&mut self, verb: Verb, base: Option<&str>) -> Flow {
        match verb {
            Verb::Connect { action, method, stream } => {
                let flow = self.connect(&stream, base).await;
                match (flow, action) {
                    (Flow::Next, Some(action)) => match address::resolve(base, &action) {
                        Some(url) => Flow::Switch(Source::Fetched(Fetch { url, method })),
                        None => {
                            self.warn(11100, format!("invalid action URL {action}"));
                            Flow::Over
                        }
                    },
                    (flow, _) => flow,
                }
            }
            Verb::Say { text, repeat } => self.say(&text, repeat).await,
            Verb::Pause(length) => self.wait(length).await,
            Verb::Hangup => Flow::Over,
            Verb::Unknown(name) => {
                self.warn(12200, format!("<{name}> is not known here, and was left out"));
                Flow::Next
            }
        }
    }

    /// Until the stream ends. If the call ends or is redirected first, the stream still says goodbye.
    async fn connect(&mut self, noun: &twiml::Stream, base: Option<&str>) -> Flow {
        let (stop, stopped) = oneshot::channel();
        let session = stream::run(self.exchange, self.call, self.line, noun, base, stopped);
        let mut session = pin!(session);
        let flow = tokio::select! {
            () = &mut session => return Flow::Next,
            flow = interruption(self.commands) => flow,
        };
        drop(stop);
        session.await;
        flow
    }

    /// Spoken as tones: that is the voice of this desk, and the callee understands it.
    async fn say(&mut self, text: &str, repeat: Option<u32>) -> Flow {
        let sound = tones::speak(text, Voice::Clear);
        let mut said = 0;
        while repeat.is_none_or(|times| said < times) {
            self.line.with_playback(|playback| playback.audio(&sound));
            let length = Duration::from_micros(sound.len() as u64 * 125);
            match self.wait(length).await {
                Flow::Next => said += 1,
                flow => return flow,
            }
        }
        Flow::Next
    }

    async fn wait(&mut self, length: Duration) -> Flow {
        match self.or_command(sleep(length)).await {
            Ok(()) => Flow::Next,
            Err(flow) => flow,
        }
    }

    async fn or_command<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Flow> {
        tokio::select! {
            biased;
            flow = interruption(self.commands) => Err(flow),
            done = work => Ok(done),
        }
    }

    fn warn(&self, code: u32, message: String) {
        self.exchange.warn(Some(&self.call.sid), code, message);
    }
}

/// Waits for a command that concerns an answered call.
async fn interruption(commands: &mut mpsc::UnboundedReceiver<Command>) -> Flow {
    loop {
        match commands.recv().await {
            Some(Command::HangUp) | None => return Flow::Over,
            Some(Command::Redirect(source)) => return Flow::Switch(source),
            // It came too late: somebody has picked up.
            Some(Command::Cancel) => {}
        }
    }
}

/// The document at `source`, or at the call's fallback if that one cannot be had.
async fn read(exchange: &Exchange, call: &Call, source: &Source) -> Option<Document> {
    let fetch = match source {
        Source::Inline(text) => {
            return parse(exchange, call, text).map(|verbs| Document { base: None, verbs });
        }
        Source::Fetched(fetch) => fetch,
    };
    let params = callback::identity(exchange, call, Status::InProgress);
    let code = match fetched(exchange, call, fetch, &params).await {
        Ok(document) => return Some(document),
        Err(code) => code,
    };
    let fallback = call.order.fallback.as_ref()?;
    let mut params = params;
    params.push(("ErrorCode".to_owned(), code.to_string()));
    params.push(("ErrorUrl".to_owned(), fetch.url.clone()));
    fetched(exchange, call, fallback, &params).await.ok()
}

async fn fetched(
    exchange: &Exchange,
    call: &Call,
    fetch: &Fetch,
    params: &[(String, String)],
) -> Result<Document, u32> {
    let reply = webhook::request(exchange, call, fetch, params).await;
    let text = twiml_of(reply).map_err(|(code, message)| {
        exchange.warn(Some(&call.sid), code, message);
        code
    })?;
    let verbs = parse(exchange, call, &text).ok_or(12100u32)?;
    Ok(Document { base: Some(fetch.url.clone()), verbs })
}

fn twiml_of(reply: Result<Reply, Failure>) -> Result<String, (u32, String)> {
    let reply = reply.map_err(|failure| match failure {
        Failure::TooLarge => (11750, failure.to_string()),
        failure => (11200, format!("no TwiML: {failure}")),
    })?;
    if !(200..300).contains(&reply.status) {
        return Err((11200, format!("no TwiML: HTTP {}", reply.status)));
    }
    match &reply.content_type {
        Some(kind) if !kind.contains("xml") && !reply.body.is_empty() => Err((12300, format!("{kind} is not TwiML"))),
        _ => Ok(String::from_utf8_lossy(&reply.body).into_owned()),
    }
}

fn parse(exchange: &Exchange, call: &Call, text: &str) -> Option<Vec<Verb>> {
    match twiml::parse(text) {
        Ok(verbs) => Some(verbs),
        Err(error) => {
            exchange.warn(Some(&call.sid), 12100, error.to_string());
            None
        }
    }
}
