//! What a process does with Twilio's webhooks and with the sound of a call.

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::{Ledger, Told};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};

use super::callback::Webhook;
use super::world::{MS, SECOND, Shared, World};

/// Our answer to a webhook: whether the call may talk to us. None is an error: nothing was kept.
pub(crate) async fn answer(world: &Shared, process: usize, webhook: Webhook) -> Option<bool> {
    let (ledger, job, tag, event) = world.with(|world| {
        let call = &world.twilio.calls[webhook.call];
        let (tag, sid) = (call.tag.clone(), call.sid.clone());
        let event = match webhook.status {
            None => Event::VoiceRequested { tag: tag.clone(), call: sid },
            Some(status) => Event::CallNews {
                tag: Some(tag.clone()),
                call: sid,
                status,
                at: None,
                duration_s: call.duration_s().filter(|_| status.is_terminal()),
                price: None,
                answered_by: None,
            },
        };
        Some((world.processes[process].ledger.clone()?, call.job.clone(), tag, event))
    })?;
    let told = ledger.remind(&job, &tag, event).await;
    let (Ok(Told::Moved(job)) | Ok(Told::Ignored(_, job))) = told else { return None };
    world.with(|world| {
        world.answered(webhook.call);
        let call = &world.twilio.calls[webhook.call];
        Some(may_talk(&job, &call.tag, &call.sid))
    })
}

/// Whether this call is the job's open attempt and nobody has taken it back.
fn may_talk(job: &CallJob, tag: &Tag, call: &CallSid) -> bool {
    let open = job.open_attempt().is_some_and(|attempt| attempt.tag == *tag && attempt.call.as_ref() == Some(call));
    open && !job.cancel_requested() && matches!(job.phase(), Phase::Placed { .. } | Phase::Talking { .. })
}

/// A conversation, from the opened stream to its close.
pub(crate) fn conversation(world: &World, at: usize, process: usize) -> impl Future<Output = ()> + Send + 'static {
    let world = world.shared();
    async move {
        if converse(&world, at, process).await.is_none() {
            world.with(|world| world.fault("stream: refused or broken"));
        }
        world.with(|world| world.after(200 * MS, move |world| world.hang_up(at)));
    }
}

async fn converse(world: &Shared, at: usize, process: usize) -> Option<()> {
    let (ledger, id, tag, call, answers) = world.with(|world| {
        let ledger = world.processes[process].ledger.clone()?;
        let call = &world.twilio.calls[at];
        Some((ledger, call.job.clone(), call.tag.clone(), call.sid.clone(), world.dice.below(4)))
    })?;
    let stream = format!("MZ{at:032x}");
    let opened = Event::StreamOpened { tag: tag.clone(), call: call.clone(), stream: stream.clone() };
    let (Ok(Told::Moved(job)) | Ok(Told::Ignored(_, job))) = ledger.tell(&id, opened).await else { return None };
    let ours = job.open_attempt().and_then(|attempt| attempt.stream.as_deref()) == Some(stream.as_str());
    if !may_talk(&job, &tag, &call) || !ours {
        return None;
    }
    let mut whole = true;
    for number in 0..answers {
        let pause = world.with(|world| world.dice.between(SECOND, 15 * SECOND));
        world.sleep(pause).await;
        if world.with(|world| world.twilio.calls[at].is_over()) {
            break;
        }
        let answer = answer_to(number);
        let heard = Event::AnswerHeard { tag: tag.clone(), call: call.clone(), answer };
        whole &= keep(world, &ledger, &job, heard).await;
    }
    let (over, refuses) = world.with(|world| (world.twilio.calls[at].is_over(), world.dice.one_in(12)));
    if refuses {
        let quote = "do not call us again".to_owned();
        keep(world, &ledger, &job, Event::DoNotCallHeard { tag: tag.clone(), call: call.clone(), quote }).await;
    }
    // Once an answer is lost, a report that hides it would be a lie.
    if whole {
        let disposition = match answers {
            _ if refuses => Disposition::DoNotCall,
            0 => world.with(|world| {
                world.dice.of(&[Disposition::Voicemail, Disposition::NoContact, Disposition::NeedsReview])
            }),
            1 | 2 => Disposition::AnsweredPartial,
            _ => Disposition::AnsweredFull,
        };
        let ended_reason = if over { EndedReason::UserHangup } else { EndedReason::AgentHangup };
        let report = Report { disposition, ended_reason, answered_by: AnsweredBy::Human };
        keep(world, &ledger, &job, Event::Reported { tag, call, report }).await;
    }
    Some(())
}

fn answer_to(number: u64) -> Answer {
    let value = match number {
        0 => AnswerValue::Money { amount: "15.00".to_owned(), currency: "USD".to_owned() },
        1 => AnswerValue::Boolean(true),
        _ => AnswerValue::NotKnown,
    };
    Answer { key: format!("question {number}"), value, quote: "as we said".to_owned(), from_ms: 1_200, to_ms: 2_300 }
}

/// Stores what was heard, and tries for a while if the store does not take it.
async fn keep(world: &Shared, ledger: &Ledger, job: &CallJob, event: Event) -> bool {
    let give_up = world.now() + 40 * SECOND;
    let mut wait = 20 * MS;
    while ledger.tell(job.id(), event.clone()).await.is_err() {
        if world.now() >= give_up {
            world.with(|world| world.fault("stream: what was said could not be stored"));
            return false;
        }
        world.sleep(wait).await;
        wait = (wait * 2).min(SECOND);
    }
    true
}
