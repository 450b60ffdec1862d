//! A dialled call, from the first ring to the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::script::{self, Leg};
use super::{Call, Command, pickup};
use crate::callee::{Ring, RingEnd};
use crate::exchange::Exchange;
use crate::line::Line;
use crate::status::Status;

/// How the ringing ended.
enum Outcome {
    PickedUp,
    Over(Status, u16),
}

/// Lives a call that has just been dialled.
pub(crate) async fn live(exchange: Arc<Exchange>, call: Arc<Call>, commands: mpsc::UnboundedReceiver<Command>) {
    live_for(exchange, call, commands, None).await;
}

/// Lives a call that another one's `<Dial>` has dialled, if there is a `leg`.
pub(super) async fn live_for(
    exchange: Arc<Exchange>,
    call: Arc<Call>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    leg: Option<Leg>,
) {
    let callee = exchange.settings.callees.at(&call.order.to);
    let nth = exchange.next_dial(&call.order.to);
    let ring = callee.ring(nth);
    let waited = tokio::select! {
        outcome = async {
            exchange.speaker.prepare(callee.texts()).await;
            ringing(&exchange, &call, nth, ring).await
        } => outcome,
        () = taken_back(&mut commands) => Outcome::Over(Status::Canceled, 487),
    };
    match waited {
        Outcome::PickedUp => talk(&exchange, &call, nth, &mut commands, leg).await,
        Outcome::Over(status, sip) => {
            call.facts().sip = sip;
            exchange.advance(&call, &[Status::Initiated, Status::Ringing], status);
        }
    }
}

async fn ringing(exchange: &Arc<Exchange>, call: &Arc<Call>, nth: usize, ring: Ring) -> Outcome {
    let dialled = Instant::now();
    let after = Duration::from_millis(u64::from(ring.after_ms));
    match ring.end {
        // A line that is busy or dead does not ring.
        RingEnd::Busy => {
            sleep(after).await;
            return Outcome::Over(Status::Busy, ring.sip.unwrap_or(486));
        }
        RingEnd::Failed => {
            sleep(after).await;
            return Outcome::Over(Status::Failed, ring.sip.unwrap_or(404));
        }
        RingEnd::Answer | RingEnd::NoAnswer => {}
    }
    sleep_until(dialled + exchange.settings.dial_delay).await;
    exchange.advance(call, &[Status::Initiated], Status::Ringing);
    // It sounds on a line of its own: nobody pays for it, records it or takes it for an answer.
    let early_media = exchange.settings.callees.at(&call.order.to).early();
    let _early_media = early_media.map(|early| Line::of(exchange, call, &Arc::new(early), nth).start(exchange, call));
    sleep(after.min(call.order.ring)).await;
    if ring.end == RingEnd::Answer && after <= call.order.ring {
        Outcome::PickedUp
    } else {
        Outcome::Over(Status::NoAnswer, ring.sip.unwrap_or(487))
    }
}

/// Waits until somebody wants the call ended; there is no document yet that could be changed.
async fn taken_back(commands: &mut mpsc::UnboundedReceiver<Command>) {
    while let Some(command) = commands.recv().await {
        if matches!(command, Command::HangUp | Command::Cancel) {
            return;
        }
    }
}

async fn talk(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    nth: usize,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    leg: Option<Leg>,
) {
    if !exchange.advance(call, &[Status::Ringing], Status::InProgress) {
        return;
    }
    pickup::begin(exchange, call);
    let line = Line::of(exchange, call, exchange.settings.callees.at(&call.order.to), nth);
    let _sounds_until_the_end = line.start(exchange, call);
    call.connect(line.clone());
    let limit = limit(Arc::clone(exchange), Arc::clone(call));
    let _ended_with_the_talk = Companion(exchange.tasks.spawn(limit));
    if pickup::before_twiml(call, &line, commands).await {
        match leg {
            None => script::run(exchange, call, &line, commands).await,
            Some(leg) => script::run_leg(exchange, call, &line, commands, leg).await,
        }
    }
    exchange.streams.end(&call.sid).await;
    // Before the end is told of, so that the news of it can say what came of them.
    pickup::end(exchange, call);
    // A line that breaks has left its code; a call that is hung up still has that of its pick-up.
    let broken = call.facts().sip >= 500;
    exchange.advance(call, &[Status::InProgress], if broken { Status::Failed } else { Status::Completed });
}

/// Ends the talk when it has lasted too long. How long that is may change while it lasts.
async fn limit(exchange: Arc<Exchange>, call: Arc<Call>) {
    let began = Instant::now();
    let mut limit = call.limit();
    loop {
        let most = *limit.borrow_and_update();
        tokio::select! {
            () = sleep_until(began + most) => {
                if exchange.settings.account.longest_call().is_some_and(|longest| longest <= most) {
                    exchange.warn(Some(&call.sid), 13805, "A trial account's call has lasted as long as it may");
                }
                return call.command(Command::HangUp);
            }
            Ok(()) = limit.changed() => {}
        }
    }
}

/// A task that ends when this is dropped.
struct Companion(Option<AbortHandle>);

impl Drop for Companion {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
