//! `<Dial>`: a second call, whose callee and this one's hear each other.

mod leg;

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Flow, Script, Stage, interruption};
use crate::address;
use crate::call::{Call, Command, Fetch};
use crate::callback;
use crate::line::FromCallee;
use crate::recording::{Channels, Origin, Plan, Recording, Track};
use crate::status::Status;
use crate::twiml::{Dial, Recorded};
use crate::webhook;

use leg::FromLeg;
pub(in crate::call) use leg::Leg;

/// The calls of one `<Dial>`: they ring together, and one at most is connected.
struct Legs {
    calls: Vec<Arc<Call>>,
    news: mpsc::UnboundedReceiver<(usize, FromLeg)>,
    /// The one that has been connected.
    connected: Option<usize>,
    /// Which have neither ended nor gone their own way.
    on: Vec<bool>,
    /// The one that was last to go.
    last: Option<usize>,
}

impl Script<'_> {
    pub(super) async fn dial(&mut self, dial: &Dial) -> Flow {
        let stage = self.stage;
        let base = self.page.url.clone();
        let mut legs = stage.legs(dial, base.as_deref());
        let recorded = dial.record.as_ref();
        let mut recording = recorded.filter(|how| how.from_ringing).map(|how| stage.record_dial(how, base.as_deref()));
        let flow = self.connected(dial, &mut legs, &mut recording).await;
        if matches!(flow, Flow::Over) {
            legs.hang_up();
            return flow;
        }
        legs.end().await;
        stage.line.unbridge();
        if let Some(recording) = &recording {
            recording.stop(stage.exchange, stage.call);
        }
        let news = legs.news(stage, recording.as_deref());
        match (flow, &dial.action) {
            (Flow::Next, Some(action)) => self.act(Some(action), dial.method, news),
            // Whoever sends the call elsewhere has its own action asked first all the same.
            (flow, Some(action)) => {
                self.tell(action, dial, news).await;
                flow
            }
            (flow, None) => flow,
        }
    }

    /// Until all the other calls have ended, or something happens to this one.
    async fn connected(&mut self, dial: &Dial, legs: &mut Legs, recording: &mut Option<Arc<Recording>>) -> Flow {
        let stage = self.stage;
        let mut heard = stage.line.listen();
        while legs.any_left() {
            tokio::select! {
                biased;
                flow = interruption(self.commands) => return flow,
                Some(what) = heard.recv() => {
                    if dial.hangup_on_star && what == FromCallee::Pressed('*') {
                        legs.hang_up();
                    }
                }
                Some((index, what)) = legs.news.recv() => match what {
                    FromLeg::Answered(line) => {
                        legs.connect(index);
                        if legs.connected == Some(index) {
                            stage.line.bridge(&line);
                            if let (None, Some(how)) = (&recording, &dial.record) {
                                *recording = Some(stage.record_dial(how, self.page.url.as_deref()));
                            }
                        }
                    }
                    FromLeg::Gone => legs.gone(index),
                },
            }
        }
        Flow::Next
    }

    /// Asks the action without carrying out what it answers.
    async fn tell(&self, action: &str, dial: &Dial, news: Vec<(String, String)>) {
        let stage = self.stage;
        let Some(url) = address::resolve(self.page.url.as_deref(), action) else {
            stage.warn(11100, format!("invalid URL {action:?}"));
            return;
        };
        let mut params = callback::identity(stage.exchange, stage.call, Status::InProgress);
        params.extend(news);
        let fetch = Fetch { url, method: dial.method };
        if let Err(failure) = webhook::request(stage.exchange, stage.call, &fetch, &params).await {
            stage.warn(11200, format!("the action of <Dial> was not reached: {failure}"));
        }
    }
}

impl Stage<'_> {
    fn record_dial(&self, how: &Recorded, base: Option<&str>) -> Arc<Recording> {
        let plan = Plan {
            origin: Origin::DialVerb,
            channels: if how.dual { Channels::Dual } else { Channels::Mono },
            track: Track::Both,
            trims: how.news.trims,
            callback: self.hook(how.news.callback.as_ref(), base),
            events: how.news.events.clone(),
        };
        Recording::start(self.exchange, self.call, plan)
    }
}

impl Legs {
    /// Connects a call that has been picked up, and ends all others; one that comes second is ended.
    fn connect(&mut self, index: usize) {
        self.connected.get_or_insert(index);
        let connected = self.connected;
        for (other, call) in self.calls.iter().enumerate() {
            if connected != Some(other) {
                call.command(Command::HangUp);
            }
        }
    }

    fn gone(&mut self, index: usize) {
        // One that goes its own way ends later, too.
        if let Some(on) = self.on.get_mut(index).filter(|on| **on) {
            *on = false;
            self.last = Some(index);
        }
    }

    fn any_left(&self) -> bool {
        self.on.contains(&true)
    }

    fn hang_up(&self) {
        for call in &self.calls {
            call.command(Command::HangUp);
        }
    }

    /// Ends all calls that go on, and waits for that.
    async fn end(&mut self) {
        if self.any_left() {
            self.hang_up();
        }
        while self.any_left() {
            let Some((index, what)) = self.news.recv().await else { return };
            if matches!(what, FromLeg::Gone) {
                self.gone(index);
            }
        }
    }

    /// What the action is told.
    fn news(&self, stage: Stage<'_>, recording: Option<&Recording>) -> Vec<(String, String)> {
        let told = self.connected.or(self.last).and_then(|index| self.calls.get(index));
        let mut news = Vec::new();
        let mut tell = |name: &str, value: String| news.push((name.to_owned(), value));
        // A number that could not even be dialled has no call.
        let status = told.map_or(Status::Failed, |call| call.status());
        // One that has gone its own way is talked with no more, as far as this one knows.
        let status = if status.is_final() { status } else { Status::Completed };
        tell("DialCallStatus", status.as_str().to_owned());
        if let Some(call) = told {
            tell("DialCallSid", call.sid.clone());
            if let Some(seconds) = call.facts().duration_s() {
                tell("DialCallDuration", seconds.to_string());
            }
        }
        tell("DialBridged", self.connected.is_some().to_string());
        if let Some(recording) = recording {
            tell("RecordingUrl", recording.url(stage.exchange));
        }
        news
    }
}
