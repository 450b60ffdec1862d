//! What a process does: it takes due jobs and dials them, sweeps deadlines, and carries out orders.
//!
//! The ledger, the sweep and the state machine are the real ones. The dial is `src/dial.rs` in the same
//! order of steps, with a simulated Twilio behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use gymcall_jobs::campaign::PausedReason;
use gymcall_jobs::event::{Event, NonCreation};
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::{CallJob, Phase, Status};
use gymcall_jobs::ledger::{Ledger, Told};
use gymcall_jobs::step::{Effect, Ignored};
use gymcall_jobs::store::{Begun, Refusal, StoreError};
use gymcall_jobs::sweep;
use tokio::sync::{broadcast, watch};

use super::door::Door;
use super::process::point;
use super::reconcile;
use super::twilio::{FATES, Fate};
use super::world::{MS, SECOND, Shared, Trip};

/// The life of a process, from its start on.
pub(crate) async fn run(world: Shared, process: usize) {
    let (changes, _) = broadcast::channel(1);
    let (doubts, _) = watch::channel(None);
    let door = Door { world: world.clone(), process, changes, doubts };
    let (rules, capacity) = world.with(|world| (world.plan.rules.clone(), world.plan.capacity));
    let (ledger, orders) = Ledger::new(std::sync::Arc::new(door), rules, capacity);
    // Whoever cannot recover does not start, and is started again.
    while recover(&world, &ledger).await.is_err() {
        world.sleep(SECOND).await;
    }
    world.with(|all| {
        all.begin(process, reconcile::run(world.clone(), process, ledger.clone(), orders));
        all.begin(process, take_due(world.clone(), process, ledger.clone()));
        all.begin(process, sweep_deadlines(world.clone(), process, ledger.clone()));
        all.begin(process, clear_cancelled(world.clone(), process, ledger.clone()));
        all.processes[process].ledger = Some(ledger);
    });
}

/// After a start. Only the one process of an embedded store knows that every dial's process is gone.
async fn recover(world: &Shared, ledger: &Ledger) -> Result<(), StoreError> {
    let alone = world.with(|world| world.plan.embedded);
    for job in ledger.store().open_jobs(None, 200).await?.items.iter().map(|stored| &stored.record) {
        if alone && let Phase::Dialing { .. } = job.phase() {
            // An error is for its deadline, which says the same some seconds later.
            let _ = ledger.tell(job.id(), Event::DialerDied).await;
        }
        if let Some(call) = job.call() {
            ledger.order(job.id(), [Effect::Fetch(call.clone())]);
        }
    }
    Ok(())
}

/// Hands due jobs to dials, as `due.rs` does: a job that is out is not handed out again meanwhile.
async fn take_due(world: Shared, process: usize, ledger: Ledger) {
    let out: std::sync::Arc<std::sync::Mutex<BTreeSet<JobId>>> = std::sync::Arc::default();
    loop {
        let seen = world.changes(process);
        let Ok(due) = ledger.store().due(ledger.capacity(), 64).await else {
            world.sleep(SECOND).await;
            continue;
        };
        let mut taken = false;
        for id in due.jobs {
            if out.lock().expect("nobody panics").insert(id.clone()) {
                taken = true;
                let (world, ledger, out) = (world.clone(), ledger.clone(), std::sync::Arc::clone(&out));
                world.clone().with(|all| {
                    all.begin(process, async move {
                        Dialer { world: world.clone(), process, ledger }.dial(&id).await;
                        out.lock().expect("nobody panics").remove(&id);
                        world.with(|world| world.look_again(process));
                    });
                });
            }
        }
        if !taken {
            let again = due.again_at.map(|at| at.as_microsecond().max(world.now() + MS));
            world.change(process, seen, again).await;
        }
    }
}

/// The real sweep, without the looks that would find nothing.
async fn sweep_deadlines(world: Shared, process: usize, ledger: Ledger) {
    let mut rest_until = world.now();
    loop {
        let seen = world.changes(process);
        let (now, next) = world.with(|world| (world.now, world.keeper.next_deadline()));
        let next = next.map(|next| next.max(rest_until));
        if next.is_none_or(|next| next > now) {
            world.change(process, seen, next).await;
            continue;
        }
        let _ = sweep::once(&ledger).await;
        rest_until = world.now() + 500 * MS;
    }
}

/// Cancels what waits in cancelled campaigns.
async fn clear_cancelled(world: Shared, process: usize, ledger: Ledger) {
    loop {
        let seen = world.changes(process);
        let cancelled = world.with(|world| world.something_to_clear());
        if cancelled && ledger.clear_cancelled().await.is_err() {
            world.sleep(SECOND).await;
        } else if !cancelled {
            world.change(process, seen, None).await;
        }
    }
}

struct Dialer {
    world: Shared,
    process: usize,
    ledger: Ledger,
}

/// What came of a request for a call.
enum Placement {
    Created(CallSid),
    NotCreated(NonCreation, &'static str),
    Unclear(&'static str),
}

impl Dialer {
    async fn point(&self, dies: &'static str, stops: &'static str) {
        point(&self.world, self.process, dies, stops).await;
    }

    async fn dial(&self, id: &JobId) {
        let tag = self.world.with(|world| {
            let tag = Tag::new(world.dice.name());
            world.processes[self.process].dials.push(tag.clone());
            tag
        });
        self.dial_with(id, &tag).await;
        self.world.with(|world| world.processes[self.process].dials.retain(|other| *other != tag));
    }

    async fn dial_with(&self, id: &JobId, tag: &Tag) {
        self.point("killed before it begins to dial", "stopped before it begins to dial").await;
        let http_timeout = self.http_timeout();
        let deadline = self.ledger.rules().dial_deadline.as_secs() * SECOND;
        let send_before = self.world.now() + (deadline - http_timeout).max(SECOND);
        let job = match self.begin(id, tag).await {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err(_) => {
                self.world.with(|world| world.judge.unclear(tag));
                return self.world.sleep(SECOND).await;
            }
        };
        self.point("killed with the intent stored", "stopped with the intent stored").await;
        let placement = self.place(&job, tag, send_before).await;
        self.point("killed with the reply read", "stopped with the reply read").await;
        let own = tag.clone();
        let (event, pauses) = match placement {
            Placement::Created(call) => (Event::Created { tag: own, call }, false),
            Placement::Unclear(why) => (Event::Unclear { tag: own, detail: why.to_owned() }, false),
            Placement::NotCreated(why, detail) => {
                (Event::NotCreated { tag: own, why, detail: detail.to_owned() }, why == NonCreation::BadAccount)
            }
        };
        self.tell(id, tag, event).await;
        self.point("killed with the reply recorded", "stopped with the reply recorded").await;
        if pauses {
            let _ = self.ledger.pause_everything(PausedReason::Credentials).await;
        }
    }

    fn http_timeout(&self) -> i64 {
        (self.ledger.rules().dial_deadline.as_secs() * SECOND).min(8 * SECOND)
    }

    async fn begin(&self, id: &JobId, tag: &Tag) -> Result<Option<Arc<CallJob>>, StoreError> {
        let (begun, job) = self.ledger.begin_dial(id, tag.clone()).await?;
        match begun {
            Begun::Go => return Ok(job),
            Begun::Refused(Refusal::Suppressed) => {
                self.ledger.tell(id, Event::Suppressed).await?;
            }
            Begun::Refused(Refusal::WindowClosed) => {
                self.ledger.tell(id, Event::WindowClosed).await?;
            }
            Begun::Refused(Refusal::HoursChanged) => {
                self.ledger.tell(id, Event::HoursChanged).await?;
            }
            Begun::Refused(Refusal::NumberHeld(holder)) => {
                let single = job.is_some_and(|job| job.membership().is_none());
                if single || self.is_quarantined(&holder).await? {
                    self.ledger.tell(id, Event::Overtaken).await?;
                }
            }
            Begun::Refused(_) => {}
        }
        Ok(None)
    }

    async fn is_quarantined(&self, id: &JobId) -> Result<bool, StoreError> {
        let holder = self.ledger.store().job(id).await?;
        Ok(holder.is_some_and(|holder| holder.record.status() == Status::Quarantined))
    }

    /// Exactly one request, if its time has not passed.
    async fn place(&self, job: &CallJob, tag: &Tag, send_before: i64) -> Placement {
        if self.world.now() >= send_before {
            self.world.with(|world| world.tally.fault("request: too late to be sent"));
            return Placement::NotCreated(NonCreation::TryAgain, "the dial deadline had passed");
        }
        // Between the look at the clock and the first byte nothing can be made certain.
        self.point("killed before the request", "stopped before the request").await;
        let (fate, trip) = self.world.with(|world| {
            let faulty = !world.calm && world.dice.of_thousand(world.plan.request_faults);
            let fate = if faulty { world.dice.of(&FATES) } else { Fate::Created };
            if faulty {
                world.fault(fate.name());
            }
            let there = world.dice.between(5 * MS, 150 * MS);
            let back = match fate {
                Fate::CreatedSlowly | Fate::CreatedThenSilence | Fate::Silence => self.http_timeout(),
                Fate::NoConnection => there,
                _ => there + world.dice.between(5 * MS, 400 * MS),
            };
            let answered = !matches!(fate, Fate::CreatedSlowly | Fate::CreatedThenSilence | Fate::Silence);
            if fate.is_unclear() {
                world.judge.unclear(tag);
                world.tally.lost_replies += 1;
            }
            (fate, Trip { there: fate.creates().then_some(there), back, answered })
        });
        let (job, tag) = (job.clone(), tag.clone());
        let created = self.world.ask(trip, move |world| world.create(tag, &job)).await;
        match (fate, created) {
            (Fate::Created, Some(call)) => Placement::Created(call),
            (Fate::NoConnection, _) => Placement::NotCreated(NonCreation::TryAgain, "no connection"),
            (Fate::Throttled, _) => Placement::NotCreated(NonCreation::TryAgain, "Twilio is throttling requests"),
            (Fate::BadNumber, _) => Placement::NotCreated(NonCreation::BadNumber, "Twilio refuses this number (21211)"),
            (Fate::BadAccount, _) => Placement::NotCreated(NonCreation::BadAccount, "Twilio refuses us (20003)"),
            (Fate::Error | Fate::CreatedThenError, _) => Placement::Unclear("500 came back"),
            (Fate::Reset | Fate::CreatedThenReset, _) => Placement::Unclear("connection reset"),
            _ => Placement::Unclear("timed out"),
        }
    }

    /// Tells the ledger, and tries for a while if the store does not take it.
    async fn tell(&self, id: &JobId, tag: &Tag, event: Event) {
        let mut wait = 50 * MS;
        loop {
            let told = match event {
                Event::NotCreated { .. } => self.ledger.tell(id, event.clone()).await,
                _ => self.ledger.remind(id, tag, event.clone()).await,
            };
            match told {
                Ok(told) => return self.let_go_if_nobodys(id, &event, told),
                Err(_) => self.world.with(|world| world.judge.unclear(tag)),
            }
            if wait > 10 * SECOND {
                return;
            }
            self.world.sleep(wait).await;
            wait *= 2;
        }
    }

    fn let_go_if_nobodys(&self, id: &JobId, event: &Event, told: Told) {
        let nobodys = matches!(told, Told::NoSuchJob | Told::Ignored(Ignored::ForeignTag, _));
        if let (true, Event::Created { call, .. }) = (nobodys, event) {
            self.ledger.order(id, [Effect::HangUp(call.clone())]);
        }
    }
}
