//! Carrying out TwiML, verb by verb, until a document ends or the call does.

mod connect;
mod dial;
mod document;
mod gather;
mod prompt;
mod recognition;
mod record;
mod start;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Call, Command, Fetch, Method, Source};
use crate::address;
use crate::detection;
use crate::exchange::Exchange;
use crate::line::Line;
use crate::twiml::{Link, Prompt, Say, Verb};
pub(super) use dial::Leg;
use document::Page;

/// A document that takes less on the line has not been heard.
const UNHEARD: Duration = Duration::from_millis(20);
/// So many documents in a row that nobody hears are a loop, and end the call.
const MOST_UNHEARD: u32 = 100;

/// What comes after a verb.
enum Flow {
    Next,
    /// Another document.
    Turn(Turn),
    Over,
}

/// The document that is carried out next, and what the request for it says besides the usual.
struct Turn {
    source: Source,
    news: Vec<(String, String)>,
}

impl Turn {
    fn to(source: Source) -> Turn {
        Turn { source, news: Vec::new() }
    }
}

/// What a verb works on.
#[derive(Clone, Copy)]
struct Stage<'a> {
    exchange: &'a Arc<Exchange>,
    call: &'a Arc<Call>,
    line: &'a Line,
}

impl Stage<'_> {
    fn warn(&self, code: u32, message: impl Into<String>) {
        self.exchange.warn(Some(&self.call.sid), code, message);
    }
}

struct Script<'a> {
    stage: Stage<'a>,
    commands: &'a mut mpsc::UnboundedReceiver<Command>,
    page: Page,
    /// Documents in a row that nobody has heard.
    unheard: u32,
}

/// Carries out the call's TwiML to the end.
pub(super) async fn run(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) {
    let mut script = Script::new(exchange, call, line, commands);
    if let Some(trial) = exchange.settings.account.trial.as_ref().filter(|trial| !trial.message.is_empty()) {
        let message = Prompt::Say(Say { text: trial.message.clone(), times: Some(1) });
        match script.verb(Verb::Prompt(message)).await {
            Flow::Next => {}
            Flow::Turn(turn) => {
                script.run(turn).await;
                return;
            }
            Flow::Over => return,
        }
    }
    let news = detection::in_voice_request(call);
    script.run(Turn { source: call.order.source.clone(), news }).await;
}

/// Does what a call is there for that another one's `<Dial>` has made.
pub(super) async fn run_leg(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    leg: Leg,
) {
    Script::new(exchange, call, line, commands).leg(leg).await;
}

impl<'a> Script<'a> {
    fn new(
        exchange: &'a Arc<Exchange>,
        call: &'a Arc<Call>,
        line: &'a Line,
        commands: &'a mut mpsc::UnboundedReceiver<Command>,
    ) -> Script<'a> {
        Script { stage: Stage { exchange, call, line }, commands, page: Page::default(), unheard: 0 }
    }

    /// Carries out documents until one ends; false if the call is to end with it.
    async fn run(&mut self, mut turn: Turn) -> bool {
        loop {
            match self.document(turn).await {
                Flow::Next => return true,
                Flow::Over => return false,
                Flow::Turn(next) => turn = next,
            }
        }
    }

    async fn document(&mut self, turn: Turn) -> Flow {
        self.unheard += 1;
        if self.unheard > MOST_UNHEARD {
            self.stage.warn(11215, format!("{MOST_UNHEARD} documents in a row without a sound: this is a loop"));
            return Flow::Over;
        }
        let stage = self.stage;
        let verbs = match self.or_command(document::read(&stage, turn)).await {
            Ok(Some((page, verbs))) => {
                self.page = page;
                verbs
            }
            Ok(None) => return Flow::Over,
            Err(flow) => return flow,
        };
        for verb in verbs {
            let began = Instant::now();
            let flow = self.verb(verb).await;
            if began.elapsed() >= UNHEARD {
                self.unheard = 0;
            }
            match flow {
                Flow::Next => {}
                flow => return flow,
            }
        }
        Flow::Next
    }

    async fn verb(&mut self, verb: Verb) -> Flow {
        match verb {
            Verb::Connect(connect) => self.connect(&connect).await,
            Verb::Dial(dial) => self.dial(&dial).await,
            Verb::Gather(gather) => self.gather(&gather).await,
            Verb::Hangup => Flow::Over,
            Verb::Prompt(prompt) => {
                let (stage, base) = (self.stage, self.page.url.clone());
                match self.or_command(stage.prompt(&prompt, base.as_deref())).await {
                    Ok(()) => Flow::Next,
                    Err(flow) => flow,
                }
            }
            Verb::Record(record) => self.record(&record).await,
            Verb::Redirect(link) => self.turn_to(&link, Vec::new()),
            Verb::Reject => {
                self.stage.warn(0, "<Reject> is for incoming calls: this one has been answered, and is hung up");
                Flow::Over
            }
            Verb::Start(nouns) => self.start_streams(&nouns),
            Verb::Stop(names) => self.stop_streams(&names),
        }
    }

    /// Carries on with what `link` answers.
    fn turn_to(&self, link: &Link, news: Vec<(String, String)>) -> Flow {
        match address::resolve(self.page.url.as_deref(), &link.url) {
            Some(url) => Flow::Turn(Turn { source: Source::Fetched(Fetch { url, method: link.method }), news }),
            None => {
                self.stage
                    .warn(11100, format!("invalid URL {:?}: the document has none it could be relative to", link.url));
                Flow::Over
            }
        }
    }

    /// Carries on with what the action answers; without one it is the document's own URL.
    fn act(&self, action: Option<&str>, method: Method, news: Vec<(String, String)>) -> Flow {
        let url = action.or(self.page.url.as_deref()).unwrap_or_default().to_owned();
        self.turn_to(&Link { url, method }, news)
    }

    async fn or_command<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Flow> {
        let flow = tokio::select! {
            biased;
            flow = interruption(self.commands) => flow,
            done = work => return Ok(done),
        };
        // What was being played is heard no further.
        self.stage.line.with_playback(|playback| playback.clear());
        Err(flow)
    }
}

/// Waits for a command that concerns an answered call.
async fn interruption(commands: &mut mpsc::UnboundedReceiver<Command>) -> Flow {
    loop {
        match commands.recv().await {
            Some(Command::HangUp) | None => return Flow::Over,
            Some(Command::Redirect(source)) => return Flow::Turn(Turn::to(source)),
            // It came too late: somebody has picked up.
            Some(Command::Cancel) => {}
        }
    }
}

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
