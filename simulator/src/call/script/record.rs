//! `<Record>`: what the callee says, until a key, a silence or the longest length ends it.

mod transcription;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::recognition::Breath;
use super::{Flow, Script, Stage, interruption, pairs};
use crate::address;
use crate::call::Fetch;
use crate::callback;
use crate::line::FromCallee;
use crate::recording::{Channels, Origin, Plan, Recording};

use crate::status::Status;
use crate::tones;
use crate::twiml::Record;
use crate::webhook;

const BEEP_HZ: u32 = 1000;
const BEEP_MS: u32 = 300;

/// How a recording came to its end.
enum End {
    Key(char),
    /// A silence, or the longest length.
    Time,
    Interrupted(Flow),
}

impl Script<'_> {
    pub(super) async fn record(&mut self, record: &Record) -> Flow {
        let stage = self.stage;
        if record.beeps {
            let beep = tones::beep(BEEP_HZ, BEEP_MS);
            if let Err(flow) = self.or_command(stage.play(&beep, Some(1))).await {
                return flow;
            }
        }
        let mut heard = stage.line.listen();
        let recording = stage.start(record, self.page.url.as_deref());
        let mut words = Vec::new();
        let end = self.until_end(record, &recording, &mut heard, &mut words).await;
        let empty = recording.trailing_silence() >= recording.duration();
        recording.stop(stage.exchange, stage.call);
        if let Some(wanted) = record.transcription.as_ref().filter(|_| !empty) {
            stage.transcribe(wanted, &recording, &words, self.page.url.as_deref());
        }
        match end {
            // Who says nothing is not told of: the next verb follows.
            End::Time | End::Key(_) if empty => Flow::Next,
            End::Time => self.act(record.action.as_deref(), record.method, stage.told(&recording, String::new())),
            End::Key(key) => self.act(record.action.as_deref(), record.method, stage.told(&recording, key.to_string())),
            End::Interrupted(Flow::Over) if !empty => {
                self.tell_of_hangup(record, &recording);
                Flow::Over
            }
            End::Interrupted(flow) => flow,
        }
    }

    async fn until_end(
        &mut self,
        record: &Record,
        recording: &Recording,
        heard: &mut mpsc::UnboundedReceiver<FromCallee>,
        words: &mut Vec<Breath>,
    ) -> End {
        loop {
            let silence = record.timeout.saturating_sub(recording.trailing_silence());
            let length = record.longest.saturating_sub(recording.duration());
            let wait = silence.min(length);
            if wait == Duration::ZERO {
                return End::Time;
            }
            tokio::select! {
                biased;
                flow = interruption(self.commands) => return End::Interrupted(flow),
                Some(what) = heard.recv() => match what {
                    FromCallee::Pressed(key) if record.finish.contains(key) => return End::Key(key),
                    FromCallee::Said { text, mumbled } => words.push(Breath { text, mumbled }),
                    FromCallee::Pressed(_) | FromCallee::BeganToSpeak => {}
                },
                // The client may end it over the REST API.
                () = recording.ended() => return End::Time,
                // The recording counts samples, and those may be late: then it is waited for once more.
                () = sleep(wait) => {}
            }
        }
    }

    /// The action is asked although nothing can come of its answer any more.
    fn tell_of_hangup(&self, record: &Record, recording: &Recording) {
        let stage = self.stage;
        let url = record.action.as_deref().or(self.page.url.as_deref()).unwrap_or_default();
        let Some(url) = address::resolve(self.page.url.as_deref(), url) else { return };
        let fetch = Fetch { url, method: record.method };
        let mut params = callback::identity(stage.exchange, stage.call, Status::Completed);
        params.extend(stage.told(recording, "hangup".to_owned()));
        stage.post("the action of <Record>", fetch, params);
    }
}

impl Stage<'_> {
    fn start(&self, record: &Record, base: Option<&str>) -> Arc<Recording> {
        let plan = Plan {
            origin: Origin::RecordVerb,
            channels: Channels::Mono,
            track: record.track,
            trims: record.news.trims,
            callback: self.hook(record.news.callback.as_ref(), base),
            events: record.news.events.clone(),
        };
        Recording::start(self.exchange, self.call, plan)
    }

    fn told(&self, recording: &Recording, digits: String) -> Vec<(String, String)> {
        pairs([
            ("RecordingUrl", recording.url(self.exchange)),
            ("RecordingSid", recording.sid.clone()),
            ("RecordingDuration", recording.duration_s().to_string()),
            ("Digits", digits),
        ])
    }

    /// Asks for something whose answer does not matter, beside the call.
    pub(super) fn post(&self, what: &'static str, fetch: Fetch, params: Vec<(String, String)>) {
        let (exchange, call) = (Arc::clone(self.exchange), Arc::clone(self.call));
        self.exchange.tasks.spawn(async move {
            if let Err(failure) = webhook::request(&exchange, &call, &fetch, &params).await {
                exchange.warn(Some(&call.sid), 11200, format!("{what} was not reached: {failure}"));
            }
        });
    }
}
