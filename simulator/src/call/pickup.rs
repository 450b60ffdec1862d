//! Between the pick-up and the first TwiML: recording begins, keys are pressed, and whoever has picked
//! up is listened to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{Call, Command, Press, SendDigits, Telling};
use crate::detection;
use crate::exchange::Exchange;
use crate::line::Line;
use crate::mulaw::SILENCE;
use crate::recording::Recording;
use crate::tones;

/// Lays everything to the line that listens to it from its first moment on.
pub(super) fn begin(exchange: &Arc<Exchange>, call: &Arc<Call>) {
    if let Some(plan) = &call.order.record {
        Recording::start(exchange, call, plan.clone());
    }
    let Some(ordered) = &call.order.detection else {
        return;
    };
    call.ear.open(ordered.into());
    if let Telling::Callback(Some(to)) = &ordered.telling {
        exchange.tasks.spawn(detection::tell(Arc::clone(exchange), Arc::clone(call), to.clone()));
    }
}

/// Waits until TwiML may be asked for; false if the call is to end before that.
pub(super) async fn before_twiml(call: &Call, line: &Line, commands: &mut mpsc::UnboundedReceiver<Command>) -> bool {
    if let Some(digits) = &call.order.send_digits {
        let sound = sound_of(digits);
        let length = Duration::from_micros(sound.len() as u64 * 125);
        line.with_playback(|playback| playback.audio(&sound));
        if !stays(call, commands, sleep(length)).await {
            return false;
        }
    }
    match &call.order.detection {
        Some(ordered) if matches!(ordered.telling, Telling::InVoiceRequest) => {
            stays(call, commands, async {
                let _ = call.ear.verdict().await;
            })
            .await
        }
        _ => true,
    }
}

/// Takes off what [`begin`] has laid on: the call is about to end.
pub(super) fn end(exchange: &Arc<Exchange>, call: &Arc<Call>) {
    detection::end(call, &exchange.log);
    call.tape.end(exchange, call);
}

fn sound_of(digits: &SendDigits) -> Vec<u8> {
    let sound = |press: &Press| match *press {
        Press::Key(key) => tones::key(key).unwrap_or_default(),
        Press::Wait(length) => vec![SILENCE; length.as_millis() as usize * 8],
    };
    digits.presses().iter().flat_map(sound).collect()
}

/// Waits for `work`; false if the call is to end first. A document that comes meanwhile takes its turn
/// after it.
async fn stays(call: &Call, commands: &mut mpsc::UnboundedReceiver<Command>, work: impl Future<Output = ()>) -> bool {
    let mut next = None;
    let mut work = std::pin::pin!(work);
    let stays = loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(Command::HangUp) | None => break false,
                Some(Command::Cancel) => {}
                redirect => next = redirect,
            },
            () = &mut work => break true,
        }
    };
    if let Some(redirect) = next {
        call.command(redirect);
    }
    stays
}
