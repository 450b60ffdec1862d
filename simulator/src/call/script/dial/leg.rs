//! One call that a `<Dial>` makes.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Legs;
use crate::address;
use crate::call::script::{Flow, Script, Stage, Turn, interruption};
use crate::call::{Call, Callbacks, Detection, Fetch, Order, Source, Telling, life};
use crate::fault::Fate;
use crate::line::Line;
use crate::sid;
use crate::status::Status;
use crate::twiml::{Dial, Link, Number};

/// What a call is to another one whose `<Dial>` made it.
pub(in crate::call) struct Leg {
    index: usize,
    news: mpsc::UnboundedSender<(usize, FromLeg)>,
    /// A document for this side alone, before the two are connected.
    whisper: Option<Fetch>,
}

/// What the dialling call is told.
pub(super) enum FromLeg {
    /// It has been picked up, and may be connected.
    Answered(Line),
    /// It has ended, or goes on by itself.
    Gone,
}

impl Stage<'_> {
    /// Dials all numbers.
    pub(super) fn legs(&self, dial: &Dial, base: Option<&str>) -> Legs {
        let (sender, news) = mpsc::unbounded_channel();
        let mut calls = Vec::new();
        for number in &dial.numbers {
            let Some(order) = self.order(dial, number, base) else { continue };
            let leg =
                Leg { index: calls.len(), news: sender.clone(), whisper: self.hook(number.whisper.as_ref(), base) };
            calls.push(self.dialled(order, leg));
        }
        let on = vec![true; calls.len()];
        Legs { calls, news, connected: None, on, last: None }
    }

    fn order(&self, dial: &Dial, number: &Number, base: Option<&str>) -> Option<Order> {
        let Some(to) = number.e164() else {
            self.warn(13223, format!("{:?} is not a phone number", number.number));
            return None;
        };
        if let Some(refused) = self.exchange.settings.callees.at(&to).refusal() {
            self.warn(code_of(refused), format!("{to} cannot be called"));
            return None;
        }
        let callback = self.hook(number.status_callback.as_ref(), base);
        Some(Order {
            to,
            from: dial.caller_id.clone().unwrap_or_else(|| self.call.order.from.clone()),
            // It has no document of its own.
            source: Source::Inline(String::new()),
            fallback: None,
            callbacks: Callbacks { to: callback, events: number.events.clone() },
            ring: dial.ring,
            talk: dial.talk,
            send_digits: number.send_digits.clone(),
            detection: number.detection.as_ref().map(|wanted| Detection {
                mode: wanted.mode,
                // The other side is connected at once: whoever dials is not kept waiting.
                telling: Telling::Callback(self.hook(wanted.callback.as_ref(), base)),
                timeout: wanted.timeout,
                speech_threshold: wanted.speech_threshold,
                speech_end_threshold: wanted.speech_end_threshold,
                silence_timeout: wanted.silence_timeout,
            }),
            record: None,
        })
    }

    fn dialled(&self, order: Order, leg: Leg) -> Arc<Call> {
        let exchange = Arc::clone(self.exchange);
        let (mut call, commands) = Call::new(sid::call(), order, Fate::default(), 0);
        call.parent = Some(self.call.sid.clone());
        let call = Arc::new(call);
        exchange.enter(Arc::clone(&call));
        exchange.advance(&call, &[Status::Queued], Status::Initiated);
        let (index, news) = (leg.index, leg.news.clone());
        let life = life::live_for(Arc::clone(&exchange), Arc::clone(&call), commands, Some(leg));
        exchange.tasks.spawn(async move {
            life.await;
            // Whoever dialled may be gone too.
            let _ = news.send((index, FromLeg::Gone));
        });
        call
    }

    /// The webhook that `link` names.
    pub(in crate::call::script) fn hook(&self, link: Option<&Link>, base: Option<&str>) -> Option<Fetch> {
        let link = link?;
        let url = address::resolve(base, &link.url);
        if url.is_none() {
            self.warn(11100, format!("invalid URL {:?}", link.url));
        }
        Some(Fetch { url: url?, method: link.method })
    }
}

/// The code of `<Dial>` for what refuses a number that is called through the API.
fn code_of(refused: u32) -> u32 {
    match refused {
        21216 => 13225,
        21203 | 21215 => 13227,
        _ => 13224,
    }
}

impl Script<'_> {
    /// The life of a call that was dialled by another, from its pick-up to its end.
    pub(in crate::call::script) async fn leg(&mut self, leg: Leg) {
        if let Some(fetch) = leg.whisper
            && !self.run(Turn::to(Source::Fetched(fetch))).await
        {
            return;
        }
        let line = self.stage.line;
        let _ = leg.news.send((leg.index, FromLeg::Answered(line.clone())));
        let flow = interruption(self.commands).await;
        line.unbridge();
        if let Flow::Turn(turn) = flow {
            let _ = leg.news.send((leg.index, FromLeg::Gone));
            self.run(turn).await;
        }
    }
}
