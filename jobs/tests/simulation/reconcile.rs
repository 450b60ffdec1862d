//! Carries out what the records order, in the order of steps of `src/reconcile.rs`.

use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::{Ledger, Order};
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::step::Effect;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::process::point;
use super::world::{MS, SECOND, Shared, Trip, World, instant};

/// How far Twilio's `date_created` may be from the time of the request.
const MATCH_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Carries out orders until the process ends.
pub(crate) async fn run(world: Shared, process: usize, ledger: Ledger, mut orders: mpsc::UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        let reconciler = Reconciler { world: world.clone(), process, ledger: ledger.clone() };
        world.with(|world| world.begin(process, async move { reconciler.carry_out(order).await }));
    }
}

struct Reconciler {
    world: Shared,
    process: usize,
    ledger: Ledger,
}

/// A call as Twilio's records show it.
struct RemoteCall {
    sid: CallSid,
    status: CallStatus,
    date_created: Timestamp,
    duration_s: Option<u32>,
    price: Option<String>,
}

/// Why there is no answer.
enum NoAnswer {
    NoReply,
    Refused,
    Store,
}

impl Reconciler {
    async fn carry_out(&self, Order { job, effect }: Order) {
        point(&self.world, self.process, "killed with an order", "stopped with an order").await;
        self.world.with(|world| world.tally.order(&effect));
        // An order that fails is given again by the job's deadline.
        let _ = match &effect {
            // One page or one call: in the simulation both are the same question.
            Effect::Fetch(call) | Effect::ReadPrice { call, .. } => self.news(&job, self.fetch(call).await).await,
            Effect::HangUp(call) => self.end(&job, call, CallStatus::Completed).await,
            Effect::TakeBack(call) => self.end(&job, call, CallStatus::Canceled).await,
            Effect::LookUp { tag, since } => self.look_up(&job, tag, *since).await,
            // Nobody in this world leaves messages.
            Effect::LeaveMessage(_) | Effect::Suppress => Ok(()),
        };
    }

    /// A question to Twilio, which may go wrong on both ways.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World) -> Result<T, NoAnswer> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let trip = self.world.with(|world| {
            let there = world.dice.between(5 * MS, 150 * MS);
            if !world.calm && world.dice.of_thousand(world.plan.question_faults) {
                let lost = world.dice.one_in(2);
                world.fault(if lost { "question: lost" } else { "question: the answer is lost" });
                return Trip { there: (!lost).then_some(there), back: 8 * SECOND, answered: false };
            }
            Trip { there: Some(there), back: there + there, answered: true }
        });
        self.world.ask(trip, work).await.unwrap_or(Err(NoAnswer::NoReply))
    }

    async fn fetch(&self, call: &CallSid) -> Result<RemoteCall, NoAnswer> {
        let call = call.clone();
        self.ask(move |world| {
            let at = world.twilio.calls.iter().position(|known| known.sid == call).ok_or(NoAnswer::Refused)?;
            // A call made a moment ago may not be found.
            if world.now < world.twilio.calls[at].made + SECOND && world.dice.one_in(4) {
                return Err(NoAnswer::Refused);
            }
            Ok(seen(world, at))
        })
        .await
    }

    async fn end(&self, job: &JobId, call: &CallSid, to: CallStatus) -> Result<(), NoAnswer> {
        let wanted = call.clone();
        let reply = self.ask(move |world| update(world, &wanted, to)).await;
        match reply {
            Ok(remote) => self.news(job, Ok(remote)).await,
            Err(NoAnswer::NoReply) => {
                self.world.with(|world| world.judge.hang_up_failed(call));
                Err(NoAnswer::NoReply)
            }
            Err(_) => self.news(job, self.fetch(call).await).await,
        }
    }

    async fn news(&self, job: &JobId, reply: Result<RemoteCall, NoAnswer>) -> Result<(), NoAnswer> {
        self.ledger.tell(job, news_of(None, reply?)).await.map(drop).map_err(|_| NoAnswer::Store)
    }

    async fn look_up(&self, id: &JobId, tag: &Tag, since: Timestamp) -> Result<(), NoAnswer> {
        let Some(job) = self.ledger.store().job(id).await.map_err(|_| NoAnswer::Store)? else {
            return Ok(());
        };
        if !matches!(job.record.phase(), Phase::Unknown { tag: open, .. } if open == tag) {
            return Ok(());
        }
        let to = job.record.gym().phone.clone();
        let (calls, server_date) = self.ask(move |world| Ok(list(world, &to))).await?;
        let listed = calls.len();
        let mut found = Vec::new();
        let ahead = server_date.duration_since(self.ledger.now());
        let from = since + (ahead - MATCH_WITHIN);
        let until = since + (ahead + self.ledger.rules().dial_deadline + MATCH_WITHIN);
        for call in calls.into_iter().filter(|call| from <= call.date_created && call.date_created <= until) {
            if is_on_record(&job.record, &call.sid) {
                continue;
            }
            let sid = call.sid.clone();
            let tags = self.ask(move |world| Ok(requested_with(world, &sid))).await?;
            if tags.contains(tag) {
                found.push(call);
            }
        }
        if found.is_empty() {
            let detail = format!("{listed} calls are listed, none of them made by this request");
            let told = self.ledger.tell(id, Event::NotFound { tag: tag.clone(), detail }).await;
            told.map_err(|_| NoAnswer::Store)?;
        }
        for call in found {
            let told = self.ledger.tell(id, news_of(Some(tag.clone()), call)).await;
            told.map_err(|_| NoAnswer::Store)?;
            self.world.with(|world| world.judge.found(tag));
        }
        Ok(())
    }
}

/// A call, as Twilio shows it now: a little behind its callbacks.
fn seen(world: &mut World, at: usize) -> RemoteCall {
    let call = &world.twilio.calls[at];
    let lags = world.now < call.since + SECOND && world.dice.one_in(4);
    let status = match if lags { call.before } else { call.status } {
        CallStatus::Initiated => CallStatus::Ringing,
        status => status,
    };
    RemoteCall {
        sid: call.sid.clone(),
        status,
        date_created: call.date_created(world.plan.twilio_ahead),
        duration_s: call.duration_s().filter(|_| status.is_terminal()),
        price: (call.is_over() && call.since + 60 * SECOND < world.now).then(|| "-0.0085".to_owned()),
    }
}

fn update(world: &mut World, call: &CallSid, to: CallStatus) -> Result<RemoteCall, NoAnswer> {
    let at = world.twilio.calls.iter().position(|known| known.sid == *call).ok_or(NoAnswer::Refused)?;
    world.twilio.calls[at].told_to_end = true;
    let unanswered = [CallStatus::Queued, CallStatus::Initiated, CallStatus::Ringing];
    let ended = world.advance(at, &unanswered, CallStatus::Canceled)
        || (to == CallStatus::Completed && world.advance(at, &[CallStatus::InProgress], CallStatus::Completed));
    if ended { Ok(seen(world, at)) } else { Err(NoAnswer::Refused) }
}

/// The calls to a number, newest first, and what time it is there.
fn list(world: &mut World, to: &PhoneNumber) -> (Vec<RemoteCall>, Timestamp) {
    let listed = |at: &usize| {
        let call = &world.twilio.calls[*at];
        call.to == *to && call.listed_at <= world.now
    };
    let found: Vec<usize> = (0..world.twilio.calls.len()).rev().filter(listed).collect();
    let calls = found.into_iter().map(|at| seen(world, at)).collect();
    (calls, instant(world.now + world.plan.twilio_ahead))
}

/// The secrets in the requests that Twilio made for a call, as far as its records show them.
fn requested_with(world: &World, call: &CallSid) -> Vec<Tag> {
    let call = world.twilio.calls.iter().find(|known| known.sid == *call);
    let shown = call.is_some_and(|call| call.shown.iter().any(|at| *at <= world.now));
    call.filter(|_| shown).map(|call| call.tag.clone()).into_iter().collect()
}

fn is_on_record(job: &CallJob, call: &CallSid) -> bool {
    job.attempts().iter().any(|attempt| attempt.call.as_ref() == Some(call) || attempt.conflicts.contains(call))
}

fn news_of(tag: Option<Tag>, remote: RemoteCall) -> Event {
    Event::CallNews {
        tag,
        call: remote.sid,
        status: remote.status,
        at: None,
        duration_s: remote.duration_s,
        price: remote.price,
        answered_by: None,
    }
}
